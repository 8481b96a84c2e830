/// What the migrator and the catalog's table need of a database; the only seam between them and a driver.
///
/// Every call is one statement that commits by itself. Nothing here needs a transaction over several: MySQL's DDL commits by
/// itself anyway, and an edit is one compare-and-set statement.
protocol SQLConnection: Sendable {
    /// The path or the address for error messages; no password.
    var place: String { get }
    var dialect: SQLDialect { get }

    /// Runs one statement and returns when it is durable.
    ///
    /// - Returns: the number of rows that matched (MySQL: with CLIENT_FOUND_ROWS, else an update to equal values counts 0).
    /// - Throws: `.duplicate` when a unique key refuses a row.
    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) async throws(StorageError) -> Int

    func query(_ sql: String, _ arguments: [SQLValue]) async throws(StorageError) -> [[SQLValue]]
}

/// A value of a row or an argument.
enum SQLValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case text(String)
    /// A kind that no column of ours has; only damage makes one.
    case foreign(String)
}

/// Where the two families of databases differ.
enum SQLDialect: Sendable {
    case sqlite

    /// Counts the tables of the name given as argument.
    var countTables: String {
        switch self {
        case .sqlite: "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
        }
    }

    /// Stands after the closing parenthesis of CREATE TABLE.
    var tableOptions: String {
        switch self {
        case .sqlite: ""
        }
    }
}
