import Testing

@testable import Storage

struct CallScopeTests {
    @Test func `a call that never answers ends at its deadline`() async {
        await #expect(throws: CallScope.Passed.self) {
            try await CallScope().result(within: .milliseconds(20)) { try await Task.sleep(for: .seconds(3600)) }
        }
    }

    @Test func `an answer in time is returned`() async throws {
        #expect(try await CallScope().result(within: .seconds(60)) { 7 } == 7)
    }

    @Test func `a failure in time is thrown as it is`() async {
        struct Failure: Error {}
        await #expect(throws: Failure.self) {
            try await CallScope().result(within: .seconds(60)) { throw Failure() }
        }
    }

    @Test func `who waits is told when the scope ends`() async {
        let scope = CallScope()
        let (begun, tell) = AsyncStream.makeStream(of: Void.self)
        let waiting = Task {
            try await scope.result(within: .seconds(3600)) {
                tell.yield()
                try await Task.sleep(for: .seconds(3600))
            }
        }
        for await _ in begun { break }
        scope.end()
        await #expect(throws: CallScope.Ended.self) { try await waiting.value }
    }

    @Test func `nothing begins in a scope that has ended`() async {
        let scope = CallScope()
        scope.end()
        await #expect(throws: CallScope.Ended.self) {
            try await scope.result(within: .seconds(60)) { Issue.record("it was called") }
        }
    }
}
