/// The time as the migrator sees it; tests give their own.
public struct MigrationClock: Sendable {
    /// Milliseconds since 1970-01-01 UTC.
    public let now: @Sendable () -> Int64
    /// Returns after about this time, or earlier when the task is cancelled.
    public let pause: @Sendable (Duration) async -> Void

    public init(now: @escaping @Sendable () -> Int64, pause: @escaping @Sendable (Duration) async -> Void) {
        self.now = now
        self.pause = pause
    }

    public static let system = MigrationClock(
        now: { SystemClock.now() },
        // A cancelled pause is noticed by whoever asked for it.
        pause: { duration in try? await Task.sleep(for: duration) })
}
