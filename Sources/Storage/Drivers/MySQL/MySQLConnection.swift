#if MySQL
/// A MySQL or MariaDB database, on one server or several; a thread with a session each for changes, for the poll, and for other reads.
///
/// Statements are prepared on the server; no value is ever written into SQL text. A statement, once begun, is finished although its
/// caller's task is cancelled.
final class MySQLConnection: SQLConnection {
    let place: String
    let dialect = SQLDialect.mysql
    private let servers = MySQLServers()
    private let writes: DatabaseThreads<MySQLLink>
    private let poll: DatabaseThreads<MySQLLink>
    private let reads: DatabaseThreads<MySQLLink>

    static let threadCount = 3

    /// Connects at the first statement, and again whenever it must.
    ///
    /// - Parameter count: 3; with 1 everything shares one session.
    init(_ address: MySQLAddress, limits: MySQLLimits = MySQLLimits(), threads count: Int = MySQLConnection.threadCount) {
        place = address.place
        let lateness = CallLateness(limit: limits.call, place: address.place, dialect: .mysql)
        let threads = (0..<(count == 1 ? 1 : 3)).map { [servers] _ in
            DatabaseThreads("mysql", lateness) { MySQLLink(address: address, limits: limits, servers: servers) }
        }
        writes = threads[0]
        poll = threads[1 % threads.count]
        reads = threads[2 % threads.count]
    }

    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue], proof: SQLQuery?) async throws(StorageError) -> Int {
        try await write { link, ticket throws(StorageError) in try link.execute(sql, arguments, proof: proof, ticket) }
    }

    func query(_ sql: String, _ arguments: [SQLValue], lane: SQLLane) async throws(StorageError) -> [[SQLValue]] {
        try await (lane == .poll ? poll : reads).run(isWrite: false) { link, ticket throws(StorageError) in
            try link.query(sql, arguments, ticket)
        }
    }

    func transaction(_ statements: [SQLStatement]) async throws(StorageError) {
        try await write { link, ticket throws(StorageError) in try link.transaction(statements, ticket) }
    }

    func writeTrouble(serverIsReadOnly isReadOnly: Bool?) -> StorageError? {
        guard let isReadOnly else { return servers.writes.trouble }
        let before = servers.writes.trouble
        let trouble = servers.writes.serverSaid(isReadOnly: isReadOnly, at: place)
        // News of a demotion, before a change has failed of it.
        if isReadOnly, before == nil, trouble != nil { servers.noteDemotion(of: nil) }
        return trouble
    }

    private func write<Value: Sendable>(
        _ body: @escaping @Sendable (MySQLLink, CallTicket) throws(StorageError) -> Value
    ) async throws(StorageError) -> Value {
        do {
            return try await writes.run(isWrite: true) { [servers] link, ticket throws(StorageError) in
                let value = try body(link, ticket)
                servers.writes.succeeded()
                return value
            }
        } catch {
            servers.writes.failed(error)
            throw error
        }
    }
}
#endif
