import Synchronization

/// Counts what is still open, for stopping: acceptors that run and connections that live. Any thread.
final class OpenConnections: Sendable {
    private struct State {
        var connections = 0
        var acceptors = 0
    }

    private let state = Mutex(State())

    func expectAcceptors(_ count: Int) { state.withLock { $0.acceptors += count } }
    func acceptorEnded() { state.withLock { $0.acceptors -= 1 } }
    func opened() { state.withLock { $0.connections += 1 } }
    func closed() { state.withLock { $0.connections -= 1 } }

    /// An acceptor ends within its queue's length; there is nothing to give up on.
    func waitForAcceptors() async {
        while state.withLock({ $0.acceptors > 0 }) { try? await Task.sleep(for: .milliseconds(5)) }
    }

    /// - Returns: how many connections are open at the end, 0 unless time ran out.
    func waitUntilEmpty(seconds: Int) async -> Int {
        let end = ContinuousClock.now + .seconds(seconds)
        while true {
            let left = state.withLock { $0.connections }
            if left == 0 || ContinuousClock.now >= end { return left }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }
}
