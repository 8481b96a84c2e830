import Testing

@testable import Storage

@Suite struct NodeTableTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func node(_ name: String, id: String? = nil, revision: Int = 1, seen: Int64 = 1_700_000_000_000) -> FleetNode {
        FleetNode(
            id: id ?? name, name: name, address: "[::]:8000", version: "1.2.3", boot: "boot of \(name)", started: 500, revision: revision,
            checksum: "c", seen: seen)
    }

    @Test func `one statement tells the head, every key and how many nodes were seen`() async throws {
        let store = try await scratch.store()
        #expect(try await store.poll() == nil)
        let revision = try await store.append(Sample.catalog(1), expecting: 0, author: "test", comment: "")
        let keys = ["alice", "bob"].map { APIKey(name: $0, role: .viewer, hash: Token.hash($0), created: 1, expires: nil) }
        for key in keys { try await store.addKey(key) }
        for (name, seen) in [("a", -60_000), ("b", -59_999), ("c", 1)] as [(String, Int64)] {
            try await store.register(node(name, seen: 1_700_000_000_000 + seen))
        }
        let before = await store.statements
        let polled = try #require(try await store.poll())
        #expect(await store.statements == before + 1)
        #expect(polled.head == (try await store.head()))
        #expect(polled.head.checksum == revision.checksum)
        #expect(polled.keys == keys)
        #expect(polled.nodesSeen == 2)
    }

    @Test func `without keys the poll has none`() async throws {
        let store = try await scratch.store()
        _ = try await store.append(Sample.catalog(1), expecting: 0, author: "test", comment: "")
        #expect(try await store.poll()?.keys == [])
    }

    @Test func `a node that registers itself again replaces what it wrote, in one statement`() async throws {
        let store = try await scratch.store()
        try await store.register(node("a"))
        let before = await store.statements
        try await store.register(node("renamed", id: "a", revision: 7, seen: 1_700_000_012_000))
        #expect(await store.statements == before + 1)
        #expect(try await store.nodes() == [node("renamed", id: "a", revision: 7, seen: 1_700_000_012_000)])
    }

    @Test func `a name longer than its column is cut, whatever it is made of`() async throws {
        let store = try await scratch.store()
        try await store.register(node(String(repeating: "é👍", count: 500), id: "a"))
        #expect(try await store.nodes().first?.name.unicodeScalars.count == 255)
    }

    @Test func `nodes come by name; one that stopped is gone, and one unseen for a day is tidied away`() async throws {
        let store = try await scratch.store()
        let day = FleetNode.forgottenAfter
        for (name, seen) in [("c", day), ("b", 2 * day), ("a", 2 * day), ("d", 2 * day)] {
            try await store.register(node(name, seen: seen))
        }
        try await store.deregister("d")
        #expect(try await store.nodes().map(\.name) == ["a", "b", "c"])
        try await store.tidy(now: 2 * day + 1)
        #expect(try await store.nodes().map(\.name) == ["a", "b"])
    }

    @Test func `uses of keys are written in place of older ones, and go with their key`() async throws {
        let store = try await scratch.store()
        let keys = ["alice", "bob"].map { APIKey(name: $0, role: .viewer, hash: Token.hash($0), created: 1, expires: nil) }
        for key in keys { try await store.addKey(key) }
        #expect(try await store.keys().map(\.lastUsed) == [nil, nil])
        try await store.noteUses([:])
        try await store.noteUses([keys[0].hash: 10, keys[1].hash: 11])
        try await store.noteUses([keys[0].hash: 20])
        #expect(try await store.keys().map(\.lastUsed) == [20, 11])
        #expect(try await store.removeKey(named: "alice"))
        try await store.tidy(now: 0)
        #expect(try await store.connection.query("SELECT hash FROM balancer_key_uses", []) == [[.text(keys[1].hash)]])
    }

    @Test func `of a transaction that fails in the middle nothing is stored`() async throws {
        let store = try await scratch.store()
        let row = "INSERT INTO balancer_key_uses (hash, used) VALUES ('a', ?)"
        let error = await #expect(throws: StorageError.self) {
            try await store.connection.transaction([SQLStatement(row, [.integer(1)]), SQLStatement(row, [.integer(2)])])
        }
        #expect(error?.kind == .duplicate)
        #expect(try await store.connection.query("SELECT used FROM balancer_key_uses", []) == [])
    }
}
