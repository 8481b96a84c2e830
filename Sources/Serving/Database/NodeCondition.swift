import Logging
import Storage
import Synchronization

/// How this node is: whether it is stopping, and what is wrong with its database. Any thread; nothing waits here.
final class NodeCondition: Sendable {
    private struct State {
        var isDraining = false
        var trouble: Trouble?
    }

    /// What is wrong with the database.
    struct Trouble: Sendable, Equatable {
        enum Kind: Sendable { case unanswered, unwritable, notFollowed, unreadable }

        let kind: Kind
        let reason: String
    }

    private let state: Mutex<State>
    private let logger: Logger

    init(trouble: Trouble?, logger: Logger) {
        state = Mutex(State(trouble: trouble))
        self.logger = logger
    }

    var isDraining: Bool { state.withLock { $0.isDraining } }
    /// Nil while the database answers, takes changes, and is the right one.
    var trouble: Trouble? { state.withLock { $0.trouble } }

    func startDraining() { state.withLock { $0.isDraining = true } }

    /// Notes what a look at the database found; the log is told what is new, not each look.
    ///
    /// - Parameter revision: what is answered from meanwhile.
    func databaseIs(_ trouble: Trouble?, revision: Int) {
        let before = state.withLock { state in
            defer { state.trouble = trouble }
            return state.trouble
        }
        guard before != trouble else { return }
        guard let trouble else { return logger.notice("the database answers again") }
        logger.error("\(trouble.kind.sentence); redirects go on with revision \(revision)", metadata: ["error": "\(trouble.reason)"])
    }
}

extension NodeCondition.Trouble {
    init(_ error: any Error) {
        switch (error as? StorageError)?.kind {
        case .emptied, .otherDatabase: kind = .notFollowed
        case .unreadableRevision: kind = .unreadable
        default: kind = .unanswered
        }
        reason = "\(error)"
    }
}

extension NodeCondition.Trouble.Kind {
    fileprivate var sentence: String {
        switch self {
        case .unanswered: "the database does not answer"
        case .unwritable: "the database takes no changes"
        case .notFollowed: "the database is not followed"
        case .unreadable: "the newest catalog cannot be read here"
        }
    }
}
