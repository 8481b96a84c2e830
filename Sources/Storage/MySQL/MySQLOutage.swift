#if MySQL
import Synchronization

/// That no server could be reached, and when: known to all threads of one pool.
final class MySQLOutage: Sendable {
    private struct Failure {
        let fault: MySQLFault
        let time: ContinuousClock.Instant
    }

    private let last = Mutex<Failure?>(nil)

    func note(_ fault: MySQLFault) { last.withLock { $0 = Failure(fault: fault, time: .now) } }
    func end() { last.withLock { $0 = nil } }

    /// The failure that came after `since`; nil when there was none.
    func fault(since: ContinuousClock.Instant) -> MySQLFault? {
        last.withLock { last in last.flatMap { $0.time > since ? $0.fault : nil } }
    }
}
#endif
