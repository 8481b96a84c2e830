#if MySQL
import Dispatch
import Foundation
import Synchronization

/// A few threads that may wait for a server. Nothing else may: not an event loop, not the pool that runs tasks.
final class MySQLThreads: Sendable {
    typealias Job = @Sendable (MySQLLink) -> Void

    private struct State {
        var jobs: [Job] = []
    }

    /// Shared with the threads, which outlive the pool by the statement they are at.
    private final class Queue: Sendable {
        let state = Mutex(State())
        let arrived = DispatchSemaphore(value: 0)

        /// The next job, when there is one; nil when the pool is gone.
        func next() -> Job? {
            arrived.wait()
            return state.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
        }
    }

    private let queue = Queue()
    private let count: Int

    init(count: Int, makeLink: @escaping @Sendable () -> MySQLLink) {
        self.count = count
        for _ in 0..<count {
            let thread = Thread { [queue] in
                let link = makeLink()
                while let job = queue.next() { job(link) }
            }
            thread.name = "mysql"
            thread.start()
        }
    }

    deinit {
        for _ in 0..<count { queue.arrived.signal() }
    }

    /// Runs a job on the next free thread, in the order they came.
    func run(_ job: @escaping Job) {
        queue.state.withLock { $0.jobs.append(job) }
        queue.arrived.signal()
    }
}
#endif
