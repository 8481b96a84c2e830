/// The database that a fleet shares: the history of catalogs, keys, nodes and traffic.
///
/// It opens itself, and migrates if asked to, at the first call that succeeds: a balancer starts without its database and takes it up when
/// it comes. Each call has a deadline and ends when `scope` does, whatever the database does. What becomes of writes is remembered: a
/// database that answers questions and takes nothing is no healthy one. All calls may be made from any task and at once.
///
/// SQLite keeps everything in one file (WAL, `synchronous=FULL`, readers beside the writer) with `-wal` and `-shm` files beside it, so the
/// folder must be writable too, and must not be on a network file system (<https://www.sqlite.org/wal.html>). MySQL and MariaDB keep it on
/// a server, or on several of one Galera cluster.
public actor SQLStore {
    /// How long callers wait.
    public struct Patience: Sendable {
        /// A look each 650 ms: nobody misses the one that took so long.
        let poll: Duration
        /// Longer than the drivers' own deadlines, which tell more.
        let call: Duration

        public init(poll: Duration = .seconds(2), call: Duration = .seconds(11)) {
            self.poll = poll
            self.call = call
        }
    }

    let patience: Patience
    let now: @Sendable () -> Int64
    let uptime: @Sendable () -> Duration
    let pulse = FleetPulse()
    private let place: String
    private let scope: CallScope
    private let connect: @Sendable () async throws -> any SQLConnection
    private let writes = WriteLedger()
    private var opened: CountedConnection?
    /// The one attempt to open that is under way, however many wait for it.
    private var opening: Task<CountedConnection, any Error>?

    /// - Parameters:
    ///   - migrates: whether opening brings the tables to this program's version; where they are not, calls throw `.unprepared`.
    ///   - scope: whose end ends every call.
    ///   - report: told what a migration waits for, in a line.
    public init(
        _ database: DatabaseURL, migrates: Bool = true, scope: CallScope = CallScope(), patience: Patience = Patience(),
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.init(place: "\(database)", scope: scope, patience: patience) {
            let connection = try await SQLStore.connection(to: database)
            if migrates { _ = try await Migrator(connection, clock: .system).up(report: report) }
            return connection
        }
    }

    /// - Parameters:
    ///   - place: for errors; no password.
    ///   - now: milliseconds since 1970-01-01 UTC; stamps revisions.
    ///   - uptime: by a clock that nobody sets.
    init(
        place: String, scope: CallScope = CallScope(), patience: Patience = Patience(),
        now: @escaping @Sendable () -> Int64 = { SystemClock.now() },
        uptime: @escaping @Sendable () -> Duration = { SystemClock.uptime() },
        connect: @escaping @Sendable () async throws -> any SQLConnection
    ) {
        self.place = place
        self.scope = scope
        self.patience = patience
        self.now = now
        self.uptime = uptime
        self.connect = connect
    }

    /// A file is opened or made now; a server is connected to at the first statement.
    private static func connection(to database: DatabaseURL) async throws(StorageError) -> any SQLConnection {
        switch database {
        case .sqlite(let path): return try await SQLiteConnection.open(path: path)
        case .mysql(let address):
            #if MySQL
            return MySQLConnection(address)
            #else
            throw StorageError(.unsupported, at: address.place, "it was built without the package trait MySQL")
            #endif
        }
    }

    // MARK: Opening

    var connection: CountedConnection {
        get async throws {
            if let opened { return opened }
            let attempt = opening ?? Task { try await prepare() }
            opening = attempt
            return try await attempt.value
        }
    }

    /// Opens it, if that is not done.
    ///
    /// - Throws: what the database says; `.unsupported` for a server when this program was built without the package trait `MySQL`. There
    ///   is no deadline: another process may be migrating.
    public func open() async throws { _ = try await connection }

    /// Makes the tables anew where somebody has taken them away.
    public func reopen() async throws {
        opened = nil
        try await open()
    }

    private func prepare() async throws -> CountedConnection {
        defer { opening = nil }
        let connection = CountedConnection(try await connect())
        opened = connection
        return connection
    }

    /// What makes and changes the tables of this database.
    public func migrator(clock: MigrationClock = .system) async throws -> Migrator { Migrator(try await connection, clock: clock) }

    /// Statements sent to the database since it was opened, beginnings and ends of transactions included.
    public var statements: UInt64 { opened?.statements ?? 0 }

    // MARK: Calls

    /// Why the database takes no changes, in one line; nil while it does.
    public nonisolated var writeTrouble: String? { writes.trouble() }

    func read<Value: Sendable>(
        within time: Duration? = nil, _ body: @escaping @Sendable (CountedConnection) async throws -> Value
    ) async throws -> Value {
        do {
            return try await scope.result(within: time ?? patience.call) { try await body(self.connection) }
        } catch let error as CallScope.Passed {
            throw StorageError(.unreachable, at: place, "\(error)")
        } catch let error as CallScope.Ended {
            throw StorageError(.stopping, at: place, "\(error)")
        }
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (CountedConnection) async throws -> Value) async throws -> Value {
        let entry = writes.begin()
        do {
            let value = try await scope.result(within: patience.call) { try await body(self.connection) }
            writes.stored(entry)
            return value
        } catch let error as StorageError {
            writes.failed(entry, error.stopsWrites ? error.description : nil)
            throw error
        } catch let error where error is CallScope.Passed || error is CallScope.Ended {
            // It may be stored yet.
            let doubt = StorageError(.inDoubt, at: place, "\(error)")
            writes.failed(entry, doubt.description)
            throw doubt
        } catch {
            writes.failed(entry, nil)
            throw error
        }
    }
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
