/// The time as the migrator sees it; tests give their own.
public struct MigrationClock: Sendable {
    /// Milliseconds since 1970-01-01 UTC.
    public let now: @Sendable () -> Int64
    /// By a clock that nobody sets.
    public let uptime: @Sendable () -> Duration
    /// Returns after about this time, or earlier when the task is cancelled.
    public let pause: @Sendable (Duration) async -> Void

    public init(
        now: @escaping @Sendable () -> Int64, uptime: @escaping @Sendable () -> Duration,
        pause: @escaping @Sendable (Duration) async -> Void
    ) {
        self.now = now
        self.uptime = uptime
        self.pause = pause
    }

    public static let system = MigrationClock(
        now: { SystemClock.now() },
        uptime: { SystemClock.uptime() },
        // A cancelled pause is noticed by whoever asked for it.
        pause: { duration in try? await Task.sleep(for: duration) })
}
