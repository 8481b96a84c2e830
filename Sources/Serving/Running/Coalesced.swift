import Synchronization

/// A look that many may ask for at once: who asks while one is under way gets another one after it, together with all who ask meanwhile. A
/// storm of signals would fill the queues of what is looked at.
final class Coalesced: Sendable {
    private let look: @Sendable () async -> Void
    private let state = Mutex((isUnderWay: false, isWanted: false))

    init(_ look: @escaping @Sendable () async -> Void) { self.look = look }

    /// Returns when there is nothing left to look at, or somebody else does it.
    func callAsFunction() async {
        guard begins() else { return }
        repeat { await look() } while goesOn()
    }

    private func begins() -> Bool {
        state.withLock { state in
            state.isWanted = state.isUnderWay
            defer { state.isUnderWay = true }
            return !state.isUnderWay
        }
    }

    private func goesOn() -> Bool {
        state.withLock { state in
            state.isUnderWay = state.isWanted
            defer { state.isWanted = false }
            return state.isWanted
        }
    }
}
