import Steering
import Storage

/// The database behind the store protocols, opened and migrated at the first use that succeeds: a balancer starts without it and takes it
/// up when it comes.
///
/// Every call has a deadline and ends when `scope` does, whatever the database does. What becomes of writes is remembered: a database that
/// answers questions and takes nothing is no healthy one.
actor LazyStore: CatalogStore, KeyStore {
    /// How long callers wait.
    struct Patience: Sendable {
        /// A look each 650 ms: nobody misses the one that took so long.
        var poll = Duration.seconds(2)
        /// Longer than the drivers' own deadlines, which tell more.
        var call = Duration.seconds(11)
    }

    private let database: DatabaseURL
    private let scope: CallScope
    let patience: Patience
    /// Told what opening waits for, in a line.
    private let report: @Sendable (String) -> Void
    private var opened: SQLStore?
    /// The one attempt to open that is under way, however many wait for it.
    private var opening: Task<SQLStore, any Error>?
    private nonisolated let writes = WriteLedger()

    init(
        _ database: DatabaseURL, scope: CallScope, patience: Patience = Patience(), report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.database = database
        self.scope = scope
        self.patience = patience
        self.report = report
    }

    /// Opens and migrates it, if that is not done.
    ///
    /// - Throws: what the database says. There is no deadline: another process may be migrating.
    @discardableResult
    func open() async throws -> SQLStore {
        if let opened { return opened }
        let attempt = opening ?? Task { try await prepare() }
        opening = attempt
        return try await attempt.value
    }

    /// Makes the tables anew where somebody has taken them away.
    func reopen() async throws {
        opened = nil
        try await open()
    }

    private func prepare() async throws -> SQLStore {
        defer { opening = nil }
        let store = try await SQLStore.open(database)
        _ = try await store.migrator().up(report: report)
        opened = store
        return store
    }

    /// Statements sent to the database so far.
    var statements: UInt64 { opened?.statements ?? 0 }

    /// Why the database takes no changes; nil while it does.
    nonisolated var writeTrouble: String? { writes.trouble() }

    // MARK: Calls

    func read<Value: Sendable>(
        within time: Duration? = nil, _ body: @escaping @Sendable (SQLStore) async throws -> Value
    ) async throws -> Value {
        do {
            return try await scope.result(within: time ?? patience.call) { try await body(self.open()) }
        } catch let error as CallScope.Passed {
            throw StorageError(.unreachable, at: "\(database)", "\(error)")
        } catch let error as CallScope.Ended {
            throw StorageError(.stopping, at: "\(database)", "\(error)")
        }
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (SQLStore) async throws -> Value) async throws -> Value {
        let entry = writes.begin()
        do {
            let value = try await scope.result(within: patience.call) { try await body(self.open()) }
            writes.stored(entry)
            return value
        } catch let error as StorageError {
            writes.failed(entry, error.stopsWrites ? error.description : nil)
            throw error
        } catch let error where error is CallScope.Passed || error is CallScope.Ended {
            // It may be stored yet.
            let doubt = StorageError(.inDoubt, at: "\(database)", "\(error)")
            writes.failed(entry, doubt.description)
            throw doubt
        } catch {
            writes.failed(entry, nil)
            throw error
        }
    }

    func head() async throws -> Head? { try await read { try await $0.head() } }

    func newest() async throws -> StoredRevision? { try await read { try await $0.newest() } }

    func stored(_ id: Int) async throws -> StoredRevision? { try await read { try await $0.stored(id) } }

    func append(_ draft: RevisionDraft) async throws -> Revision { try await write { try await $0.append(draft) } }

    func revisions(before: Int?, limit: Int) async throws -> [RevisionSummary] {
        try await read { try await $0.revisions(before: before, limit: limit) }
    }

    func keys() async throws -> [APIKey] { try await read { try await $0.keys() } }

    func addKey(_ key: APIKey) async throws { try await write { try await $0.addKey(key) } }

    func removeKey(named name: String) async throws -> Bool { try await write { try await $0.removeKey(named: name) } }

    func noteUses(_ uses: [String: Int64]) async throws { try await write { try await $0.noteUses(uses) } }

    func predecessors() async throws -> [String] { try await read { try await $0.predecessors() } }

    func adopt(predecessor: String) async throws { try await write { try await $0.adopt(predecessor: predecessor) } }
}

extension StorageError {
    /// Whether it says that the database takes no writes; what it says of one write alone, such as a conflict, does not count.
    fileprivate var stopsWrites: Bool {
        switch kind {
        case .conflict, .duplicate, .refused, .stopping: false
        default: true
        }
    }
}
