import Testing

@testable import Storage

/// What a database says of itself: its own id, and those of the databases it succeeds.
@Suite struct IdentityTableTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test(arguments: Backend.all) func `a fresh database has no predecessor`(_ backend: Backend) async throws {
        #expect(try await backend.open(scratch).predecessors() == [])
    }

    @Test(arguments: Backend.all) func `predecessors are kept in order, each once, and the database's own id stays`(
        _ backend: Backend
    ) async throws {
        let store = try await backend.open(scratch)
        _ = try await store.append(Sample.catalog(1), expecting: 0, author: "ann", comment: "")
        let own = try #require(try await store.head()?.databaseID)
        let ids = (0..<3).map { _ in Checksum.randomID() }
        for id in ids + [ids[0], own, ids[2]] { try await store.adopt(predecessor: id) }
        #expect(try await store.predecessors() == ids)
        #expect(try await store.head()?.databaseID == own)
        #expect(try await store.poll()?.head.databaseID == own)
    }

    @Test(arguments: Backend.all) func `the same predecessor adopted by several at once is kept once`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        let ids = (0..<4).map { _ in Checksum.randomID() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for id in ids + ids { group.addTask { try await store.adopt(predecessor: id) } }
            try await group.waitForAll()
        }
        #expect(try await store.predecessors().sorted() == ids.sorted())
    }

    @Test(arguments: [Backend.sqlite] + Backend.servers.prefix(1)) func `at most a hundred predecessors are kept, the newest`(
        _ backend: Backend
    ) async throws {
        let store = try await backend.open(scratch)
        let ids = (0..<103).map { _ in Checksum.randomID() }
        for id in ids { try await store.adopt(predecessor: id) }
        #expect(try await store.predecessors() == Array(ids.suffix(IdentityTable.maximumPredecessors)))
    }

    @Test(arguments: ["", "abc", String(repeating: "G", count: 32), String(repeating: "A", count: 32), String(repeating: "a", count: 33)])
    func `what is no database's id is refused`(_ id: String) async throws {
        let store = try await Backend.sqlite.open(scratch)
        let error = await #expect(throws: StorageError.self) { try await store.adopt(predecessor: id) }
        #expect(error?.kind == .refused)
        #expect(try await store.predecessors() == [])
    }
}
