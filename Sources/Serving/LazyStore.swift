import Steering
import Storage

/// The database behind the store protocol, opened and migrated at the first use that succeeds: a balancer starts without it and takes it
/// up when it comes.
actor LazyStore: CatalogStore, KeyStore {
    private let database: DatabaseURL
    private var opened: SQLStore?

    init(_ database: DatabaseURL) { self.database = database }

    func store() async throws -> SQLStore {
        if let opened { return opened }
        let store = try await SQLStore.open(database)
        _ = try await store.migrator().up()
        opened = store
        return store
    }

    func head() async throws -> Head? { try await store().head() }

    func load() async throws -> Revision? { try await store().load() }

    func append(_ catalog: Catalog, expecting: Int, author: String, comment: String) async throws -> Revision {
        try await store().append(catalog, expecting: expecting, author: author, comment: comment)
    }

    func revision(_ id: Int) async throws -> Revision? { try await store().revision(id) }

    func revisions(before: Int?, limit: Int) async throws -> [Revision] {
        try await store().revisions(before: before, limit: limit)
    }

    func predecessors() async throws -> [String] { try await store().predecessors() }

    func adopt(predecessor id: String) async throws { try await store().adopt(predecessor: id) }

    func keys() async throws -> [APIKey] { try await store().keys() }

    func addKey(_ key: APIKey) async throws { try await store().addKey(key) }

    func removeKey(named name: String) async throws -> Bool { try await store().removeKey(named: name) }

    func noteUses(_ uses: [String: Int64]) async throws { try await store().noteUses(uses) }

    /// Statements sent to the database so far.
    var statements: UInt64 { opened?.statements ?? 0 }
}
