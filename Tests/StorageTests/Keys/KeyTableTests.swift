import Storage
import Testing

@Suite struct KeyTableTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func key(_ name: String, _ role: Role = .viewer, expires: Int64? = nil) -> APIKey {
        APIKey(name: name, role: role, hash: Token.hash("token of \(name)"), created: 1_700_000_000_000, expires: expires)
    }

    @Test(arguments: Backend.all) func `keys come back as they were stored, by name`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        let keys = [key("alice", .admin), key("bob", .operator, expires: 1_800_000_000_000), key("carol")]
        for key in keys.reversed() { try await store.addKey(key) }
        #expect(try await store.keys() == keys)
    }

    @Test(arguments: Backend.all) func `a name is given once`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        try await store.addKey(key("alice"))
        let error = await #expect(throws: StorageError.self) { try await store.addKey(key("alice", .admin)) }
        #expect(error?.kind == .duplicate)
        #expect(try await store.keys() == [key("alice")])
    }

    @Test(arguments: Backend.all) func `a revoked key is gone, and revoking again says so`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        try await store.addKey(key("alice"))
        #expect(try await store.removeKey(named: "alice"))
        #expect(try await !store.removeKey(named: "alice"))
        #expect(try await store.keys() == [])
    }

    @Test func `tokens are 256 random bits and are stored as their SHA-256`() {
        let tokens = (0..<1000).map { _ in Token.make() }
        #expect(Set(tokens).count == tokens.count)
        #expect(tokens.allSatisfy { $0.hasPrefix("vb_") && $0.utf8.count == 67 })
        #expect(Token.hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func `each role may do what the one before it may`() {
        #expect(Role.viewer < .operator && Role.operator < .admin && !(Role.admin < .viewer))
    }
}
