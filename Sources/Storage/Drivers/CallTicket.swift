import Synchronization

/// How far a call of the database has come, shared by the thread that runs it and the timer that ends it.
final class CallTicket: Sendable {
    enum Stage: UInt8, AtomicRepresentable {
        /// In the queue.
        case waiting
        /// On its thread; nothing was sent that could be stored.
        case running
        /// From now on the outcome is only known by the answer.
        case sent
    }

    let queued: ContinuousClock.Instant
    let deadline: ContinuousClock.Instant
    private let progress = Atomic<Stage>(.waiting)

    init(limit: Duration) {
        queued = .now
        deadline = queued + limit
    }

    var stage: Stage { progress.load(ordering: .acquiring) }
    var left: Duration { deadline - .now }

    func note(_ stage: Stage) { progress.store(stage, ordering: .releasing) }
}
