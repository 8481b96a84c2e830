import Synchronization

/// A connection that counts what it sends: what a node costs its database is promised, so it is measured.
final class CountedConnection: SQLConnection {
    private let connection: any SQLConnection
    private let count = Atomic<UInt64>(0)

    init(_ connection: any SQLConnection) { self.connection = connection }

    var place: String { connection.place }
    var dialect: SQLDialect { connection.dialect }
    /// Statements so far; a transaction's beginning and end are one each.
    var statements: UInt64 { count.load(ordering: .relaxed) }

    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue], proof: SQLQuery?) async throws(StorageError) -> Int {
        count.wrappingAdd(1, ordering: .relaxed)
        return try await connection.execute(sql, arguments, proof: proof)
    }

    func query(_ sql: String, _ arguments: [SQLValue], lane: SQLLane) async throws(StorageError) -> [[SQLValue]] {
        count.wrappingAdd(1, ordering: .relaxed)
        return try await connection.query(sql, arguments, lane: lane)
    }

    func writeTrouble(serverIsReadOnly isReadOnly: Bool?) -> StorageError? { connection.writeTrouble(serverIsReadOnly: isReadOnly) }

    func transaction(_ statements: [SQLStatement]) async throws(StorageError) {
        count.wrappingAdd(UInt64(statements.count) + 2, ordering: .relaxed)
        try await connection.transaction(statements)
    }
}
