import Synchronization

@testable import Storage

/// A clock that goes on only when somebody waits for it.
final class ManualClock: Sendable {
    private let time: Mutex<Int64>

    init(at time: Int64 = 1_700_000_000_000) { self.time = Mutex(time) }

    var now: Int64 { time.withLock { $0 } }

    func advance(milliseconds: Int64) { time.withLock { $0 += milliseconds } }

    /// - Parameter whileWaiting: runs after each pause.
    func migrationClock(whileWaiting: @escaping @Sendable () async -> Void = {}) -> MigrationClock {
        MigrationClock(
            now: { self.now },
            pause: { duration in
                self.advance(milliseconds: Int64(duration / .milliseconds(1)))
                await whileWaiting()
            })
    }
}
