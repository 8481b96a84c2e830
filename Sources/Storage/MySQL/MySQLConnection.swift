#if MySQL
/// A MySQL or MariaDB database, on one server or several of one cluster; a small pool of threads with a session each.
///
/// Statements are prepared on the server; no value is ever written into SQL text. A statement, once begun, is finished although its
/// caller's task is cancelled.
final class MySQLConnection: SQLConnection {
    let place: String
    let dialect = SQLDialect.mysql
    private let threads: MySQLThreads

    /// Two, so that an edit that waits does not hold up the look for changes.
    static let threadCount = 2

    /// Connects at the first statement, and again whenever it must.
    init(_ address: MySQLAddress, limits: MySQLLimits = MySQLLimits(), threads count: Int = MySQLConnection.threadCount) {
        place = address.place
        let outage = MySQLOutage()
        threads = MySQLThreads(count: count) {
            MySQLLink(address: address, limits: limits, outage: outage)
        }
    }

    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue], proof: SQLQuery?) async throws(StorageError) -> Int {
        try await onThread { link, since throws(StorageError) in try link.execute(sql, arguments, proof: proof, since: since) }
    }

    func query(_ sql: String, _ arguments: [SQLValue]) async throws(StorageError) -> [[SQLValue]] {
        try await onThread { link, since throws(StorageError) in try link.query(sql, arguments, since: since) }
    }

    func transaction(_ statements: [SQLStatement]) async throws(StorageError) {
        try await onThread { link, since throws(StorageError) in try link.transaction(statements, since: since) }
    }

    private func onThread<Value: Sendable>(
        _ body: @escaping @Sendable (MySQLLink, ContinuousClock.Instant) throws(StorageError) -> Value
    ) async throws(StorageError) -> Value {
        let since = ContinuousClock.now
        let result: Result<Value, StorageError> = await withCheckedContinuation { continuation in
            threads.run { link in
                continuation.resume(returning: Result { () throws(StorageError) in try body(link, since) })
            }
        }
        return try result.get()
    }
}
#endif
