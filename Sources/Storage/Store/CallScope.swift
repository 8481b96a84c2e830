import Synchronization

/// Calls that somebody waits for. Each ends at its deadline, and all of them when the scope does: a call that hangs holds nobody up for ever.
///
/// A call cannot be taken back. One that is no longer waited for goes on by itself, and its result is dropped.
public final class CallScope: Sendable {
    /// The deadline has passed.
    public struct Passed: Error, CustomStringConvertible {
        let time: Duration
        public var description: String { "no answer within \(time / .milliseconds(1)) ms" }
    }

    /// The scope has ended: the process stops.
    public struct Ended: Error, CustomStringConvertible {
        public let description = "this balancer is stopping"
    }

    private struct State {
        var isEnded = false
        var next = 0
        var waiting: [Int: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    /// The result of a call.
    ///
    /// - Throws: `Passed`, `Ended`, or what the call throws; `CancellationError` when the caller's task is cancelled.
    public func result<Value: Sendable>(
        within time: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let (results, first) = AsyncStream.makeStream(of: Result<Value, any Error>.self, bufferingPolicy: .bufferingOldest(1))
        guard let number = enter({ first.yield(.failure(Ended())) }) else { throw Ended() }
        defer { leave(number) }
        // Not a child of the caller's task: a group would wait for it.
        Task {
            do { first.yield(.success(try await body())) } catch { first.yield(.failure(error)) }
        }
        let clock = Task {
            try await Task.sleep(for: time)
            first.yield(.failure(Passed(time: time)))
        }
        defer { clock.cancel() }
        for await result in results { return try result.get() }
        throw CancellationError()
    }

    /// Ends every call that is waited for, and every later one. Any thread.
    public func end() {
        let waiting = state.withLock { state in
            state.isEnded = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        for end in waiting.values { end() }
    }

    private func enter(_ end: @escaping @Sendable () -> Void) -> Int? {
        state.withLock { state in
            guard !state.isEnded else { return nil }
            state.next += 1
            state.waiting[state.next] = end
            return state.next
        }
    }

    private func leave(_ number: Int) { state.withLock { _ = $0.waiting.removeValue(forKey: number) } }
}
