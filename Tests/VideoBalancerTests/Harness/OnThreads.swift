import Foundation
import Synchronization
import Testing

/// Runs tests on three threads of their own, so at most three at once.
///
/// They block on processes and sockets, and the shared pool has one thread a core: other suites need it.
struct OnThreads: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void) async throws {
        try await withTaskExecutorPreference(Threads.shared) { try await body() }
    }
}

extension Trait where Self == OnThreads {
    static var onThreads: OnThreads { OnThreads() }
}

/// Threads of its own, not Dispatch's: on Linux the shared pool is made of those.
private final class Threads: TaskExecutor {
    static let shared = Threads(count: 3)
    private let jobs = Mutex<[UnownedJob]>([])
    private let arrived = DispatchSemaphore(value: 0)

    init(count: Int) {
        for _ in 0..<count { Thread { self.run() }.start() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        arrived.signal()
    }

    private func run() {
        while true {
            arrived.wait()
            let job = jobs.withLock { $0.removeFirst() }
            // unsafe: nothing checks that a job is run just once; it has left the list.
            unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
