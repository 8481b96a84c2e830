import Synchronization

/// Counts the connections of the slow path, and waits for the last one of both. Any thread.
final class OpenConnections: Sendable {
    private let connections = Atomic(0)

    func opened() { connections.wrappingAdd(1, ordering: .relaxed) }
    func closed() { connections.wrappingSubtract(1, ordering: .relaxed) }

    /// - Parameter others: connections that are counted elsewhere.
    /// - Returns: how many connections are open at the end, 0 unless time ran out.
    func waitUntilEmpty(seconds: Int, others: @Sendable () -> Int) async -> Int {
        let end = ContinuousClock.now + .seconds(seconds)
        while true {
            let left = connections.load(ordering: .relaxed) + others()
            if left == 0 || ContinuousClock.now >= end { return left }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }
}
