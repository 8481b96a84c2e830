import CLinux
import Dispatch
import Foundation
import HTTPTypes
import Synchronization

/// Runs what computes on one thread of its own, so that redirects, verdicts and `/readyz` never stand behind it.
///
/// Swift's cooperative pool has a thread for each core: a few long computations on it hold up everything else. Here they take one core
/// at most, and of a core that redirects want too, a quarter. Changes of the catalog come first; reads take turns by key, so that one caller who asks without a pause holds up nobody
/// but itself. Any thread.
final class ComputeQueue: Sendable {
    enum Urgency: Int, CaseIterable { case change, read }

    /// Over all keys.
    static let maximum = 256
    static let maximumOfKey = 16

    private typealias Job = @Sendable () -> Void

    /// Shared with the thread.
    private final class Queue: Sendable {
        let waiting = Mutex(Waiting())
        let arrived = DispatchSemaphore(value: 0)

        /// The next job, when there is one; nil when nobody is left who could add one.
        func next() -> Job? {
            arrived.wait()
            return waiting.withLock { $0.next() }
        }
    }

    private let queue = Queue()

    init() {
        let thread = Thread { [queue] in
            // The name is copied during the call.
            unsafe clinux_name_thread("compute")
            ControlServer.giveWay()
            while let job = queue.next() { job() }
        }
        thread.start()
    }

    deinit { queue.arrived.signal() }

    /// How much waits.
    var count: Int { queue.waiting.withLock { $0.count } }

    /// - Parameter key: whose turn it takes.
    /// - Throws: 503 when too much waits; what the work throws.
    func run<Value: Sendable>(
        for key: String, _ urgency: Urgency = .read, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let isTaken = queue.waiting.withLock { $0.add({ continuation.resume(with: Result(catching: work)) }, key, urgency) }
            guard isTaken else { return continuation.resume(throwing: ComputeQueue.isFull) }
            queue.arrived.signal()
        }
    }

    private static var isFull: Problem {
        Problem(.serviceUnavailable, "Too many requests wait to be worked on; ask again.", headers: [(.retryAfter, "1")])
    }

    private struct Waiting {
        private var jobs: [Urgency: Turns] = [:]
        private(set) var count = 0

        mutating func add(_ job: @escaping Job, _ key: String, _ urgency: Urgency) -> Bool {
            guard count < maximum, jobs[urgency, default: Turns()].add(job, key) else { return false }
            count += 1
            return true
        }

        mutating func next() -> Job? {
            for urgency in Urgency.allCases {
                guard let job = jobs[urgency]?.next() else { continue }
                count -= 1
                return job
            }
            return nil
        }
    }

    /// Of one urgency: keys in the order of their turns, each with what it waits for.
    private struct Turns {
        private var keys: [String] = []
        private var jobs: [String: [Job]] = [:]

        mutating func add(_ job: @escaping Job, _ key: String) -> Bool {
            let waiting = jobs[key]?.count ?? 0
            guard waiting < maximumOfKey else { return false }
            if waiting == 0 { keys.append(key) }
            jobs[key, default: []].append(job)
            return true
        }

        mutating func next() -> Job? {
            guard let key = keys.first, let job = jobs[key]?.removeFirst() else { return nil }
            keys.removeFirst()
            if jobs[key]?.isEmpty == true { jobs[key] = nil } else { keys.append(key) }
            return job
        }
    }
}
