import Dispatch
import Foundation
import GRDB
import Synchronization

/// One SQLite file: threads for changes, for the poll and for other reads, so that no caller's thread waits for a disk or a lock.
///
/// The files are looked at before each statement. A database that was replaced (a backup moved into its place) is opened anew, and one
/// that was removed is an error: the old descriptor would still take writes, into a file that nobody ever finds again. They are looked
/// at once more before a change is acknowledged, so that none is acknowledged that went into such a file.
///
/// A statement, once begun, is finished although its caller's task is cancelled: a client that hangs up must not leave it open
/// whether its edit was stored.
final class SQLiteConnection: SQLConnection {
    let place: String
    let dialect = SQLDialect.sqlite
    private let busyTimeout: Duration
    private let opened = Mutex<Opened?>(nil)
    private let health = WriteHealth()
    private let writes: DatabaseThreads<Void>
    private let poll: DatabaseThreads<Void>
    private let reads: DatabaseThreads<Void>

    /// What a caller waits for in all, from the moment it asks.
    static let limit = Duration.seconds(10)
    private static let readers = 2

    private struct Opened: Sendable {
        let pool: DatabasePool
        let files: SQLiteFiles
    }

    private init(path: String, busyTimeout: Duration, limit: Duration) {
        place = path
        self.busyTimeout = busyTimeout
        let lateness = CallLateness(limit: limit, place: path, dialect: .sqlite)
        writes = DatabaseThreads("sqlite-write", lateness) {}
        poll = DatabaseThreads("sqlite-poll", lateness) {}
        reads = DatabaseThreads("sqlite-read", count: SQLiteConnection.readers, lateness) {}
    }

    /// Opens a file, or makes an empty one; the folder must exist.
    ///
    /// - Parameter busyTimeout: how long a statement waits for the lock of another process before it throws `.locked`.
    static func open(
        path: String, busyTimeout: Duration = .seconds(5), limit: Duration = SQLiteConnection.limit
    ) async throws(StorageError) -> SQLiteConnection {
        let connection = SQLiteConnection(path: path, busyTimeout: busyTimeout, limit: limit)
        try await connection.writes.run(isWrite: false) { [connection] _, _ throws(StorageError) in
            let fresh = try connection.openPool()
            connection.opened.withLock { $0 = fresh }
        }
        return connection
    }

    /// A commit of SQLite's is never in doubt while its file is there, so no proof is asked for.
    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue], proof: SQLQuery?) async throws(StorageError) -> Int {
        try await write { database in
            try database.execute(sql: sql, arguments: StatementArguments(arguments.map(\.databaseValue)))
            return database.changesCount
        }
    }

    func query(_ sql: String, _ arguments: [SQLValue], lane: SQLLane) async throws(StorageError) -> [[SQLValue]] {
        try await (lane == .poll ? poll : reads).run(isWrite: false) { [self] _, _ throws(StorageError) in
            let pool = try current().pool
            do throws(StorageError) {
                return try read(pool, sql, arguments)
            } catch {
                // It was closed to be opened anew between the two lines above.
                let fresh = try current().pool
                if fresh === pool { throw error }
                return try read(fresh, sql, arguments)
            }
        }
    }

    func transaction(_ statements: [SQLStatement]) async throws(StorageError) {
        try await write { database in
            try database.inTransaction(.immediate) {
                for statement in statements {
                    let values = StatementArguments(statement.arguments.map(\.databaseValue))
                    try database.execute(sql: statement.text, arguments: values)
                }
                return .commit
            }
        }
    }

    func writeTrouble(serverIsReadOnly: Bool?) -> StorageError? { health.trouble }

    private func read(_ pool: DatabasePool, _ sql: String, _ arguments: [SQLValue]) throws(StorageError) -> [[SQLValue]] {
        try attempt {
            try pool.read { database in
                let values = StatementArguments(arguments.map(\.databaseValue))
                return try Row.fetchAll(database, sql: sql, arguments: values).map { row in Array(row.databaseValues.map(SQLValue.init)) }
            }
        }
    }

    private func write<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StorageError) -> Value {
        do {
            return try await writes.run(isWrite: true) { [self] _, ticket throws(StorageError) in
                let opened = try current()
                let value = try attempt {
                    try opened.pool.writeWithoutTransaction { database in
                        try database.execute(sql: "PRAGMA busy_timeout = \(busyMilliseconds(ticket))")
                        ticket.note(.sent)
                        return try body(database)
                    }
                }
                try confirm(opened)
                health.succeeded()
                return value
            }
        } catch {
            health.failed(error)
            throw error
        }
    }

    /// A lock is waited for within the call's own time, so that its end is told as what it is.
    private func busyMilliseconds(_ ticket: CallTicket) -> Int {
        max(0, Int(min(SQLiteConnection.bounded(busyTimeout), ticket.left - .milliseconds(250)) / .milliseconds(1)))
    }

    /// The database at the path, opened anew where its files are no longer those that were opened.
    private func current() throws(StorageError) -> Opened {
        let result: Result<Opened, StorageError> = opened.withLock { opened in
            Result { () throws(StorageError) in
                if FileIdentity(path: place) == nil { throw StorageError(.missing, at: place, "it was there when it was opened") }
                if let known = opened {
                    if known.files == SQLiteFiles(place) { return known }
                    try rescue(known)
                    // Its last connection leaves before the next one comes: they would share what the first knows of the files.
                    try? known.pool.close()
                    opened = nil
                }
                let fresh = try openPool()
                opened = fresh
                return fresh
            }
        }
        return try result.get()
    }

    /// Writes into the database what was only in its `-wal`, when that file has been taken away under the open descriptor: everything
    /// that was acknowledged since the last checkpoint. Not where others have begun another one meanwhile.
    private func rescue(_ known: Opened) throws(StorageError) {
        guard known.files.isLeftAlone(at: place) else { return }
        let lost = "its -wal or -shm file was taken away, and what it held could not be written into the database"
        do {
            try known.pool.barrierWriteWithoutTransaction { database in
                try database.execute(sql: "PRAGMA busy_timeout = 1000")
                _ = try database.checkpoint(.truncate)
            }
        } catch {
            throw StorageError(.io, at: place, "\(lost): \(error)")
        }
    }

    /// What was committed is where the next start will look for it.
    ///
    /// - Throws: `.inDoubt` when the files were taken away or replaced meanwhile.
    private func confirm(_ written: Opened) throws(StorageError) {
        let files = SQLiteFiles(place)
        if files == written.files { return }
        guard files.database == written.files.database else {
            throw StorageError(.inDoubt, at: place, "the file was taken away or replaced while the change was being stored")
        }
        let isSafe = written.files.isLeftAlone(at: place)
        do throws(StorageError) {
            _ = try current()
        } catch {
            throw StorageError(.inDoubt, at: place, error.detail)
        }
        if !isSafe { throw StorageError(.inDoubt, at: place, "its -wal or -shm file was replaced while the change was being stored") }
    }

    /// Opening reads and locks the file, so it happens on a thread that may wait.
    private func openPool() throws(StorageError) -> Opened {
        try attempt {
            try SQLiteConnection.explainUnusable(place)
            let pool = try DatabasePool(path: place, configuration: SQLiteConnection.configuration(busyTimeout))
            // GRDB sets NORMAL with WAL, which loses the last commits in a power cut; an accepted edit must stay.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            let files = SQLiteFiles(place)
            guard files.database != nil else { throw StorageError(.missing, at: place, "it vanished while it was being opened") }
            return Opened(pool: pool, files: files)
        }
    }

    /// SQLite takes a C int of milliseconds; an hour is as good as any more.
    private static func bounded(_ busyTimeout: Duration) -> Duration { min(max(busyTimeout, .zero), .seconds(3600)) }

    private static func configuration(_ busyTimeout: Duration) -> Configuration {
        var configuration = Configuration()
        configuration.label = "video-balancer"
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(bounded(busyTimeout) / .seconds(1))
        configuration.maximumReaderCount = readers + 1
        return configuration
    }

    /// Says the two commonest mistakes plainly; SQLite calls both "unable to open database file".
    private static func explainUnusable(_ path: String) throws(StorageError) {
        var isFolder: ObjCBool = false
        // unsafe: FileManager's signature takes a pointer, lent for the call, to say whether the path is a folder.
        if unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
            if isFolder.boolValue { throw StorageError(.cannotOpen, at: path, "it is a folder; give the path of a file in it") }
            return
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        if !FileManager.default.fileExists(atPath: folder) {
            throw StorageError(.cannotOpen, at: path, "the folder \(folder) does not exist")
        }
    }

    private func attempt<Value>(_ body: () throws -> Value) throws(StorageError) -> Value {
        do {
            return try body()
        } catch {
            throw StorageError(sqlite: error, at: place)
        }
    }
}

extension SQLValue {
    fileprivate init(_ value: DatabaseValue) {
        switch value.storage {
        case .null: self = .null
        case .int64(let number): self = .integer(number)
        case .string(let text): self = .text(text)
        case .double(let number): self = .foreign("the number \(number)")
        case .blob(let bytes): self = .foreign("\(bytes.count) bytes of binary data")
        }
    }

    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .null, .foreign: .null
        case .integer(let number): number.databaseValue
        case .text(let text): text.databaseValue
        }
    }
}
