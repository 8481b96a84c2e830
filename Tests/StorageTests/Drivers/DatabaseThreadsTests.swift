import Dispatch
import Testing

@testable import Storage

/// What a caller is told, and when, while a database's thread is held up.
@Suite struct DatabaseThreadsTests {
    private func threads(limit: Duration = .milliseconds(50), _ dialect: SQLDialect = .sqlite) -> DatabaseThreads<Void> {
        DatabaseThreads("test", CallLateness(limit: limit, place: "here", dialect: dialect)) {}
    }

    private func kind<Value: Sendable>(_ body: () async throws(StorageError) -> Value) async -> StorageError.Kind? {
        do throws(StorageError) {
            _ = try await body()
            return nil
        } catch {
            return error.kind
        }
    }

    /// A disk that does not answer until the test lets it.
    private final class Gate: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        func wait() { semaphore.wait() }
        func open() { semaphore.signal() }
    }

    @Test(arguments: [
        (SQLDialect.sqlite, true, StorageError.Kind.inDoubt), (.mysql, true, .inDoubt), (.sqlite, false, .io),
        (.mysql, false, .unreachable),
    ])
    func `a call that does not come back ends with the truth, and the next is refused at once`(
        _ dialect: SQLDialect, _ isWrite: Bool, _ expected: StorageError.Kind
    ) async {
        let gate = Gate()
        let threads = threads(limit: .milliseconds(50), dialect)
        let first = await kind { () async throws(StorageError) in
            try await threads.run(isWrite: isWrite) { _, ticket in
                if isWrite { ticket.note(.sent) }
                gate.wait()
            }
        }
        #expect(first == expected)
        let wasRun = Counter()
        let refused = await kind { () async throws(StorageError) in
            try await threads.run(isWrite: true) { _, _ in wasRun.add() }
        }
        #expect(refused == (dialect == .mysql ? .unreachable : .io))
        gate.open()
        // The thread is back some moment later.
        while await kind({ () async throws(StorageError) in try await threads.run(isWrite: true) { _, _ in } }) != nil {
            await Task.yield()
        }
        #expect(wasRun.value == 0)
    }

    @Test func `a write that has sent nothing is no doubt`() async {
        let gate = Gate()
        let threads = threads()
        let late = await kind { () async throws(StorageError) in try await threads.run(isWrite: true) { _, _ in gate.wait() } }
        #expect(late == .io)
        gate.open()
    }

    @Test func `calls behind one that is held up end at their own deadlines, and what was not begun never is`() async {
        let gate = Gate()
        let threads = threads()
        let begun = Counter()
        let kinds = await withTaskGroup(of: StorageError.Kind?.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    await kind { () async throws(StorageError) in
                        try await threads.run(isWrite: true) { _, ticket in
                            begun.add()
                            ticket.note(.sent)
                            gate.wait()
                        }
                    }
                }
            }
            return await group.reduce(into: [StorageError.Kind?]()) { $0.append($1) }
        }
        #expect(kinds.filter { $0 == .inDoubt }.count == 1)
        #expect(kinds.allSatisfy { $0 == .inDoubt || $0 == .locked || $0 == .io })
        for _ in 0..<6 { gate.open() }
        while await kind({ () async throws(StorageError) in try await threads.run(isWrite: true) { _, _ in } }) != nil {
            await Task.yield()
        }
        #expect(begun.value == 1)
    }

    @Test func `of more calls than may wait the rest are refused at once`() async {
        let gate = Gate()
        let threads = threads(limit: .seconds(60), .mysql)
        let most = CallLateness.maximumWaiting
        let refused = await withTaskGroup(of: StorageError.Kind?.self) { group in
            for _ in 0..<(most + 10) {
                group.addTask {
                    await kind { () async throws(StorageError) in try await threads.run(isWrite: true) { _, _ in gate.wait() } }
                }
            }
            var refused: [StorageError.Kind?] = []
            // One is on the thread, or is still waiting for it to start.
            for await kind in group {
                refused.append(kind)
                if refused.count == 9 { break }
            }
            for _ in 0..<(most + 10) { gate.open() }
            return refused
        }
        #expect(refused.allSatisfy { $0 == .serverBusy })
    }

    @Test func `a call that was left behind may end after its pool is gone`() async throws {
        let gate = Gate()
        let ended = Gate()
        do {
            let threads = threads()
            let late = await kind { () async throws(StorageError) in
                try await threads.run(isWrite: false) { _, _ in
                    gate.wait()
                    ended.open()
                }
            }
            #expect(late == .io)
        }
        gate.open()
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                ended.wait()
                continuation.resume()
            }
        }
    }
}
