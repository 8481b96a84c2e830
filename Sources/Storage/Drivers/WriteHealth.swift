import Synchronization

/// Whether changes can be stored, as the last attempt showed and as the server says of itself.
final class WriteHealth: Sendable {
    private struct State {
        var trouble: StorageError?
        var isServerReadOnly = false
        /// A change was stored although the server calls itself read-only: this user may, or a proxy asked another server.
        var mayWriteAnyway = false
    }

    private let state = Mutex(State())

    /// Why changes are not stored; nil while they are, or none was tried yet.
    var trouble: StorageError? { state.withLock { $0.trouble } }

    func succeeded() {
        state.withLock { state in
            state.trouble = nil
            state.mayWriteAnyway = state.isServerReadOnly
        }
    }

    func failed(_ error: StorageError) {
        switch error.kind {
        // The database works: it said no to this one change.
        case .duplicate, .conflict, .refused: succeeded()
        default: state.withLock { $0.trouble = error }
        }
    }

    /// - Returns: why changes are not stored.
    func serverSaid(isReadOnly: Bool, at place: String) -> StorageError? {
        state.withLock { state in
            state.isServerReadOnly = isReadOnly
            if !isReadOnly {
                state.mayWriteAnyway = false
                if state.trouble?.kind == .serverReadOnly { state.trouble = nil }
            } else if !state.mayWriteAnyway, state.trouble == nil {
                state.trouble = StorageError(.serverReadOnly, at: place, "its read_only or innodb_read_only is on")
            }
            return state.trouble
        }
    }
}
