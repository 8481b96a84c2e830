/// What the migrator and the catalog's table need of a database; the only seam between them and a driver.
///
/// Nearly every call is one statement that commits by itself: MySQL's DDL does anyway, and an edit is one compare-and-set statement.
protocol SQLConnection: Sendable {
    /// The path or the address for error messages; no password.
    var place: String { get }
    var dialect: SQLDialect { get }

    /// Runs one statement and returns when it is durable.
    ///
    /// A server can be lost after it stored a change and before it said so. The statement is then run again on another connection.
    /// One that must not be judged by its second run, such as an insert that would meet its own row, gives a proof.
    ///
    /// - Parameter proof: a query that has a row only if this very statement was stored; it then counts as having matched one row.
    /// - Returns: the number of rows that matched (MySQL: with CLIENT_FOUND_ROWS, else an update to equal values counts 0).
    /// - Throws: `.duplicate` when a unique key refuses a row; `.inDoubt` when it could not be found out whether it was stored.
    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue], proof: SQLQuery?) async throws(StorageError) -> Int

    /// - Parameter lane: what the question must not wait for.
    func query(_ sql: String, _ arguments: [SQLValue], lane: SQLLane) async throws(StorageError) -> [[SQLValue]]

    /// Runs the statements in order, all or nothing, and returns when they are durable.
    ///
    /// When the answer was lost, all may run a second time.
    func transaction(_ statements: [SQLStatement]) async throws(StorageError)

    /// Why changes are not stored, as far as is known; nil while they are.
    ///
    /// - Parameter isReadOnly: what the server has just said of itself; nil when it was not asked.
    func writeTrouble(serverIsReadOnly isReadOnly: Bool?) -> StorageError?
}

/// Who asks. Each lane has a thread of its own, so that no call stands behind what is slower by nature; changes have another one.
enum SQLLane: Sendable {
    /// What a node must follow within a second.
    case poll
    /// Whatever people ask.
    case read
}

/// A statement and what its `?` stand for.
struct SQLStatement: Sendable {
    let text: String
    let arguments: [SQLValue]

    init(_ text: String, _ arguments: [SQLValue]) {
        self.text = text
        self.arguments = arguments
    }
}

extension SQLConnection {
    func query(_ sql: String, _ arguments: [SQLValue]) async throws(StorageError) -> [[SQLValue]] {
        try await query(sql, arguments, lane: .read)
    }

    /// Runs a statement that may run twice.
    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) async throws(StorageError) -> Int {
        try await execute(sql, arguments, proof: nil)
    }
}

/// A question to the database.
struct SQLQuery: Sendable {
    let sql: String
    let arguments: [SQLValue]
}

/// A value of a row or an argument.
enum SQLValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case text(String)
    /// A kind that no column of ours has; only damage makes one.
    case foreign(String)

    /// The number; nil for everything else.
    var number: Int64? { if case .integer(let number) = self { number } else { nil } }
}

/// Where the two families of databases differ.
enum SQLDialect: Sendable {
    case sqlite
    case mysql

    /// Counts the tables of the name given as argument.
    var countTables: String {
        switch self {
        case .sqlite: "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
        case .mysql: "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?"
        }
    }

    /// Two columns that say whether the server takes changes.
    var readOnlyColumns: String {
        switch self {
        case .sqlite: "0, 0"
        case .mysql: "@@global.read_only, @@global.innodb_read_only"
        }
    }

    /// Stands after the closing parenthesis of CREATE TABLE.
    var tableOptions: String {
        switch self {
        case .sqlite: ""
        // Compared byte by byte, as SQLite does; the database's own defaults do not matter.
        case .mysql: " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
        }
    }
}
