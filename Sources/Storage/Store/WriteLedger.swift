import Synchronization

/// What became of the last write to the database, and which writes still wait: from it a node tells that its database takes no changes. Any thread.
final class WriteLedger: Sendable {
    /// After this long something is wrong with the database, whatever becomes of the write: a lock or a frozen disk keeps one for seconds.
    static let patience = Duration.seconds(2)

    private struct State {
        var failure: String?
        var next = 0
        var waiting: [Int: ContinuousClock.Instant] = [:]
    }

    /// One write that is under way.
    struct Entry: Sendable {
        fileprivate let number: Int
    }

    private let state = Mutex(State())

    func begin(now: ContinuousClock.Instant = .now) -> Entry {
        state.withLock { state in
            state.next += 1
            state.waiting[state.next] = now
            return Entry(number: state.next)
        }
    }

    func stored(_ entry: Entry) { end(entry) { $0.failure = nil } }

    /// - Parameter reason: nil when the failure is that of one write and says nothing of the database, as a conflict does.
    func failed(_ entry: Entry, _ reason: String?) { end(entry) { $0.failure = reason ?? $0.failure } }

    /// Why the database takes no changes; nil while it does.
    func trouble(now: ContinuousClock.Instant = .now) -> String? {
        state.withLock { state in
            if let failure = state.failure { return failure }
            guard let oldest = state.waiting.values.min(), now - oldest > WriteLedger.patience else { return nil }
            return "a change waits for more than \(WriteLedger.patience.components.seconds) s"
        }
    }

    private func end(_ entry: Entry, _ note: (inout State) -> Void) {
        state.withLock { state in
            state.waiting[entry.number] = nil
            note(&state)
        }
    }
}
