import Dispatch
import Foundation
import GRDB
import Synchronization

/// One SQLite file: a writer and some readers on threads of their own, so that no caller's thread waits for a disk or a lock.
///
/// The file is looked at before each statement. One that was replaced (a backup moved into its place) is opened anew, and one that
/// was removed is an error: the old descriptor would still take writes, into a file that nobody ever finds again.
///
/// A statement, once begun, is finished although its caller's task is cancelled: a client that hangs up must not leave it open
/// whether its edit was stored.
final class SQLiteConnection: SQLConnection {
    let place: String
    let dialect = SQLDialect.sqlite
    private let busyTimeout: Duration
    private let opened: Mutex<Opened>

    private struct Opened: Sendable {
        let pool: DatabasePool
        let file: FileIdentity
    }

    private init(path: String, busyTimeout: Duration, opened: consuming Opened) {
        place = path
        self.busyTimeout = busyTimeout
        self.opened = Mutex(opened)
    }

    static func open(path: String, busyTimeout: Duration) async throws(StorageError) -> SQLiteConnection {
        SQLiteConnection(path: path, busyTimeout: busyTimeout, opened: try await openPool(path, busyTimeout))
    }

    /// A commit of SQLite's is never in doubt, so no proof is asked for.
    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue], proof: SQLQuery?) async throws(StorageError) -> Int {
        let pool = try await currentPool()
        let result = await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { [place] database in
                continuation.resume(
                    returning: SQLiteConnection.attempt(at: place) {
                        try database.execute(sql: sql, arguments: StatementArguments(arguments.map(\.databaseValue)))
                        return database.changesCount
                    })
            }
        }
        return try result.get()
    }

    func query(_ sql: String, _ arguments: [SQLValue]) async throws(StorageError) -> [[SQLValue]] {
        let pool = try await currentPool()
        let result = await withCheckedContinuation { continuation in
            pool.asyncRead { [place] access in
                continuation.resume(
                    returning: SQLiteConnection.attempt(at: place) {
                        let values = StatementArguments(arguments.map(\.databaseValue))
                        return try Row.fetchAll(access.get(), sql: sql, arguments: values).map { row in
                            Array(row.databaseValues.map(SQLValue.init))
                        }
                    })
            }
        }
        return try result.get()
    }

    func transaction(_ statements: [SQLStatement]) async throws(StorageError) {
        let pool = try await currentPool()
        let result = await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { [place] database in
                continuation.resume(
                    returning: SQLiteConnection.attempt(at: place) {
                        try database.inTransaction(.immediate) {
                            for statement in statements {
                                let values = StatementArguments(statement.arguments.map(\.databaseValue))
                                try database.execute(sql: statement.text, arguments: values)
                            }
                            return .commit
                        }
                    })
            }
        }
        try result.get()
    }

    private func currentPool() async throws(StorageError) -> DatabasePool {
        guard let file = FileIdentity(path: place) else {
            throw StorageError(.missing, at: place, "it was there when it was opened")
        }
        let known = opened.withLock { $0 }
        if known.file == file { return known.pool }
        let fresh = try await SQLiteConnection.openPool(place, busyTimeout)
        opened.withLock { $0 = fresh }
        return fresh.pool
    }

    /// Opening reads and locks the file, so it happens on a thread that may wait.
    private static func openPool(_ path: String, _ busyTimeout: Duration) async throws(StorageError) -> Opened {
        let result = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    returning: attempt(at: path) {
                        try explainUnusable(path)
                        let pool = try DatabasePool(path: path, configuration: configuration(busyTimeout))
                        // GRDB sets NORMAL with WAL, which loses the last commits in a power cut; an accepted edit must stay.
                        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
                        guard let file = FileIdentity(path: path) else {
                            throw StorageError(.missing, at: path, "it vanished while it was being opened")
                        }
                        return Opened(pool: pool, file: file)
                    })
            }
        }
        return try result.get()
    }

    private static func configuration(_ busyTimeout: Duration) -> Configuration {
        var configuration = Configuration()
        configuration.label = "video-balancer"
        configuration.foreignKeysEnabled = true
        // SQLite takes a C int of milliseconds; an hour is as good as any more.
        configuration.busyMode = .timeout(min(max(busyTimeout / .seconds(1), 0), 3600))
        configuration.maximumReaderCount = 2
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

    private static func attempt<Value>(at place: String, _ body: () throws -> Value) -> Result<Value, StorageError> {
        Result { try body() }.mapError { StorageError(sqlite: $0, at: place) }
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
