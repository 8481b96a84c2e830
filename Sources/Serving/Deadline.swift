/// A time by which a call must have answered.
enum Deadline {
    struct Passed: Error, CustomStringConvertible {
        let time: Duration
        var description: String { "no answer within \(time / .milliseconds(1)) ms" }
    }

    /// The result of a call that cannot be cancelled. When it takes longer it goes on by itself, and its result is dropped.
    ///
    /// - Throws: `Passed`, or what the call throws.
    static func result<Value: Sendable>(
        within time: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let (results, first) = AsyncStream.makeStream(of: Result<Value, any Error>.self)
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
        throw Passed(time: time)
    }
}
