import Synchronization

@testable import Storage

/// A connection of a process that is killed after a number of statements: from then on nothing reaches the database.
final class DyingConnection: SQLConnection {
    let place: String
    let dialect: SQLDialect
    private let connection: any SQLConnection
    private let left: Mutex<Int>

    init(_ connection: any SQLConnection, after statements: Int) {
        self.connection = connection
        place = connection.place
        dialect = connection.dialect
        left = Mutex(statements)
    }

    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue], proof: SQLQuery?) async throws(StorageError) -> Int {
        let alive = left.withLock { left in
            left -= 1
            return left >= 0
        }
        guard alive else { throw StorageError(.other, at: place, "killed") }
        return try await connection.execute(sql, arguments, proof: proof)
    }

    func transaction(_ statements: [SQLStatement]) async throws(StorageError) { try await connection.transaction(statements) }

    func query(_ sql: String, _ arguments: [SQLValue], lane: SQLLane) async throws(StorageError) -> [[SQLValue]] {
        try await connection.query(sql, arguments, lane: lane)
    }

    func writeTrouble(serverIsReadOnly isReadOnly: Bool?) -> StorageError? { connection.writeTrouble(serverIsReadOnly: isReadOnly) }
}
