import Synchronization

@testable import Storage

/// A clock that goes on only when somebody waits for it.
final class ManualClock: Sendable {
    private let time: Mutex<Int64>
    private let passed = Mutex(Duration.zero)

    init(at time: Int64 = 1_700_000_000_000) { self.time = Mutex(time) }

    var uptime: Duration { passed.withLock { $0 } }

    /// Sets the wall clock; no time passes.
    func leap(milliseconds: Int64) { time.withLock { $0 += milliseconds } }

    var now: Int64 { time.withLock { $0 } }

    func advance(milliseconds: Int64) {
        time.withLock { $0 += milliseconds }
        passed.withLock { $0 += .milliseconds(milliseconds) }
    }

    /// - Parameter whileWaiting: runs after each pause.
    func migrationClock(whileWaiting: @escaping @Sendable () async -> Void = {}) -> MigrationClock {
        MigrationClock(
            now: { self.now },
            uptime: { self.uptime },
            pause: { duration in
                self.advance(milliseconds: Int64(duration / .milliseconds(1)))
                await whileWaiting()
            })
    }
}
