import Dispatch
import Foundation
import Synchronization

/// Threads that may wait for a database, and the calls that wait for them. Nothing else may: not an event loop, not the pool that runs tasks.
///
/// A call ends at its deadline, which counts from the moment it was queued, whatever its thread is at. One that was not begun by then
/// never is. A thread that stands still (a frozen disk, a server that hangs) is left behind with the one call it is at, which keeps
/// alive all it touches; while every thread does, further calls are refused at once.
final class DatabaseThreads<Context>: Sendable {
    private typealias Job = @Sendable (Context) -> Void

    /// Shared with the threads, which outlive the pool by the call they are at.
    private final class Queue: Sendable {
        struct State {
            var jobs: [Job] = []
            /// Threads whose call has passed its deadline.
            var blocked = 0
        }

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
    private let lateness: CallLateness

    /// - Parameter makeContext: what a thread keeps for itself, made on it.
    init(_ name: String, count: Int = 1, _ lateness: CallLateness, makeContext: @escaping @Sendable () -> Context) {
        self.count = count
        self.lateness = lateness
        for _ in 0..<count {
            let thread = Thread { [queue] in
                let context = makeContext()
                while let job = queue.next() { job(context) }
            }
            thread.name = name
            thread.start()
        }
    }

    deinit {
        for _ in 0..<count { queue.arrived.signal() }
    }

    /// Runs a call on the next free thread, in the order they came.
    ///
    /// - Parameters:
    ///   - isWrite: whether something may have been stored when its answer does not come.
    ///   - body: notes on the ticket when it sends what may be stored.
    func run<Value: Sendable>(
        isWrite: Bool, _ body: @escaping @Sendable (Context, CallTicket) throws(StorageError) -> Value
    ) async throws(StorageError) -> Value {
        let call = Call<Value>(limit: lateness.limit)
        let result = await withCheckedContinuation { continuation in
            call.start(continuation)
            let job: Job = { [queue] context in
                guard call.begin() else { return }
                let result = Result { () throws(StorageError) in try body(context, call.ticket) }
                if !call.end(result) { queue.state.withLock { $0.blocked -= 1 } }
            }
            if let refusal = enqueue(job) { return _ = call.end(.failure(refusal)) }
            CallLateness.timer.asyncAfter(deadline: .now() + lateness.limit / .seconds(1)) { [queue, lateness] in
                guard let stage = call.expire(lateness, isWrite: isWrite), stage != .waiting else { return }
                queue.state.withLock { $0.blocked += 1 }
            }
        }
        return try result.get()
    }

    /// - Returns: why the call is refused; nil when it was queued.
    private func enqueue(_ job: @escaping Job) -> StorageError? {
        let refusal: StorageError? = queue.state.withLock { state in
            if state.blocked >= count { return lateness.blocked }
            if state.jobs.count >= CallLateness.maximumWaiting { return lateness.full }
            state.jobs.append(job)
            return nil
        }
        if refusal == nil { queue.arrived.signal() }
        return refusal
    }

    /// One caller's wait: ends once, by the thread or by the timer.
    private final class Call<Value: Sendable>: Sendable {
        let ticket: CallTicket
        private let waiting = Mutex<CheckedContinuation<Result<Value, StorageError>, Never>?>(nil)

        init(limit: Duration) { ticket = CallTicket(limit: limit) }

        func start(_ continuation: CheckedContinuation<Result<Value, StorageError>, Never>) {
            waiting.withLock { $0 = continuation }
        }

        /// - Returns: false when its deadline has passed.
        func begin() -> Bool {
            waiting.withLock { waiting in
                guard waiting != nil, ticket.left > .zero else { return false }
                ticket.note(.running)
                return true
            }
        }

        /// - Returns: false when the timer had ended it.
        func end(_ result: Result<Value, StorageError>) -> Bool {
            let continuation = waiting.withLock { waiting in
                defer { waiting = nil }
                return waiting
            }
            continuation?.resume(returning: result)
            return continuation != nil
        }

        /// - Returns: how far it had come; nil when it had ended.
        func expire(_ lateness: CallLateness, isWrite: Bool) -> CallTicket.Stage? {
            let (continuation, stage) = waiting.withLock { waiting in
                defer { waiting = nil }
                return (waiting, ticket.stage)
            }
            guard let continuation else { return nil }
            continuation.resume(returning: .failure(lateness.error(stage, isWrite: isWrite)))
            return stage
        }
    }
}

/// How long a call may take in all, and what is told when it takes longer.
struct CallLateness: Sendable {
    /// More calls than this wait for no thread.
    static let maximumWaiting = 64
    static let timer = DispatchQueue(label: "database-deadlines")

    let limit: Duration
    let place: String
    let dialect: SQLDialect

    var full: StorageError { busy("\(CallLateness.maximumWaiting) calls wait for it already; nothing was stored") }
    var blocked: StorageError { silent("an earlier call has had no answer for \(seconds) or more; nothing was stored") }

    func error(_ stage: CallTicket.Stage, isWrite: Bool) -> StorageError {
        switch stage {
        case .waiting: busy("it waited \(seconds) behind other calls; nothing was stored")
        case .sent where isWrite: StorageError(.inDoubt, at: place, "no answer within \(seconds)")
        case .running, .sent: silent("no answer within \(seconds)")
        }
    }

    private var seconds: String { "\((limit / .seconds(1)).formatted(.number.precision(.fractionLength(0...1)))) s" }

    private func busy(_ detail: String) -> StorageError { StorageError(dialect == .mysql ? .serverBusy : .locked, at: place, detail) }
    private func silent(_ detail: String) -> StorageError { StorageError(dialect == .mysql ? .unreachable : .io, at: place, detail) }
}
