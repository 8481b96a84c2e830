import Synchronization

/// Counts the open connections of all workers, fast and slow path, against their limit, and waits for the last one. Any thread.
///
/// At the limit nothing is accepted: new connections wait in the kernel's queue, and idle ones are asked to make room.
final class OpenConnections: Sendable {
    /// Most connections that may be open; see `DescriptorBudget`. A worker that accepts while another does may go one over it.
    let limit: Int
    private let connections = Atomic(0)
    /// When room was asked for last, in `FastLoop.nanoseconds`.
    private let askedForRoom = Atomic<UInt64>(0)

    init(limit: Int = .max) { self.limit = limit }

    var count: Int { connections.load(ordering: .relaxed) }
    var isFull: Bool { count >= limit }

    func opened() { connections.wrappingAdd(1, ordering: .relaxed) }
    func closed(_ number: Int = 1) { connections.wrappingSubtract(number, ordering: .relaxed) }

    /// Whether it is the caller's turn to ask for room: one worker does at a time, and the others profit.
    func mayAskForRoom(at now: UInt64) -> Bool {
        let last = askedForRoom.load(ordering: .relaxed)
        guard now >= last + FastLoop.restNanoseconds else { return false }
        return askedForRoom.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged
    }

    /// - Returns: how many connections are open at the end, 0 unless time ran out.
    func waitUntilEmpty(seconds: Int) async -> Int {
        let end = ContinuousClock.now + .seconds(seconds)
        while true {
            let left = count
            if left == 0 || ContinuousClock.now >= end { return left }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }
}
