/// The catalog's history and the keys in an SQL database.
///
/// SQLite keeps it in one file (WAL, `synchronous=FULL`, readers beside the writer) with `-wal` and `-shm` files beside it, so the folder
/// must be writable too, and must not be on a network file system (<https://www.sqlite.org/wal.html>). MySQL and MariaDB keep it on a
/// server, or on several of one Galera cluster.
public struct SQLStore: CatalogStore {
    let connection: CountedConnection
    let now: @Sendable () -> Int64
    let uptime: @Sendable () -> Duration
    let pulse = FleetPulse()
    private let table: RevisionTable

    /// - Parameter uptime: a clock that nobody sets.
    init(
        connection: any SQLConnection, now: @escaping @Sendable () -> Int64 = { SystemClock.now() },
        uptime: @escaping @Sendable () -> Duration = { SystemClock.uptime() }
    ) {
        self.now = now
        self.uptime = uptime
        let connection = CountedConnection(connection)
        self.connection = connection
        table = RevisionTable(connection: connection, now: now)
    }

    /// Opens what the settings name. A file is opened or made now; a server is connected to at the first call.
    ///
    /// - Throws: `.unsupported` for a server when this program was built without the package trait `MySQL`.
    public static func open(_ database: DatabaseURL) async throws -> SQLStore {
        switch database {
        case .sqlite(let path): return try await open(path: path)
        case .mysql(let address):
            #if MySQL
            return SQLStore(connection: MySQLConnection(address))
            #else
            throw StorageError(.unsupported, at: address.place, "it was built without the package trait MySQL")
            #endif
        }
    }

    /// Opens an SQLite file, or makes an empty one; the folder must exist.
    ///
    /// - Parameters:
    ///   - busyTimeout: how long a statement waits for the lock of another process before it throws `.locked`.
    ///   - now: milliseconds since 1970-01-01 UTC; stamps revisions.
    public static func open(
        path: String, busyTimeout: Duration = .seconds(5), now: @escaping @Sendable () -> Int64 = { SystemClock.now() }
    ) async throws(StorageError) -> SQLStore {
        let connection = try await SQLiteConnection.open(path: path, busyTimeout: busyTimeout)
        return SQLStore(connection: connection, now: now)
    }

    /// What makes and changes the tables of this database.
    public func migrator(clock: MigrationClock = .system) -> Migrator { Migrator(connection, clock: clock) }

    /// Statements sent to the database so far, beginnings and ends of transactions included.
    public var statements: UInt64 { connection.statements }

    /// Why changes cannot be stored, in one line; nil while they can, or none was tried yet.
    public var writeTrouble: String? { connection.writeTrouble(serverIsReadOnly: nil)?.description }

    public func head() async throws -> Head? { try await table.head() }

    public func newest() async throws -> StoredRevision? { try await table.newest() }

    public func stored(_ id: Int) async throws -> StoredRevision? { try await table.stored(id) }

    public func append(_ draft: RevisionDraft) async throws -> Revision { try await table.append(draft) }

    public func revisions(before: Int?, limit: Int) async throws -> [RevisionSummary] {
        try await table.revisions(before: before, limit: limit)
    }

    public func predecessors() async throws -> [String] { try await IdentityTable(connection: connection).predecessors() }

    public func adopt(predecessor id: String) async throws { try await IdentityTable(connection: connection).adopt(predecessor: id) }
}
