import DatabaseServers
import Testing

@testable import Storage

/// A kind of database that the suites of every backend run against. A new one is one more value of `all`.
struct Backend: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Makes a scratch folder's database, and says how to open it. Each call may give another way in.
    private let connect: @Sendable (Scratch, String) async throws -> any SQLConnection

    static let all = [sqlite] + servers
    static let sqlite = Backend(testDescription: "SQLite") { scratch, name in
        try await SQLiteConnection.open(path: scratch.path(name + ".db"), busyTimeout: .seconds(5))
    }

    #if MySQL
    static let servers = (MariaDBServer.isInstalled ? [mariaDB] : []) + (MariaDBServer.isClusterInstalled ? [galera] : [])

    static let mariaDB = Backend(testDescription: "MariaDB") { scratch, name in
        try await scratch.connect([SharedServers.shared.mariaDB().port], name)
    }

    /// Calls take turns over the three nodes.
    static let galera = Backend(testDescription: "Galera") { scratch, name in
        let ports = try await SharedServers.shared.galera().nodes.map(\.port)
        return try await scratch.connect([ports[Turns.next(of: ports.count)]], name)
    }
    #else
    static let servers: [Backend] = []
    #endif

    /// A store whose tables are not made yet. Calls with one scratch folder and name open the same database.
    func openEmpty(_ scratch: Scratch, _ name: String = "balancer") async throws -> SQLStore {
        SQLStore(try await connect(scratch, name))
    }

    /// A migrated store.
    func open(_ scratch: Scratch, _ name: String = "balancer") async throws -> SQLStore {
        let store = try await openEmpty(scratch, name)
        try await store.migrator().up()
        return store
    }

    /// What the tables are, by the database's own description.
    func schema(_ store: SQLStore) async throws -> [[SQLValue]] {
        switch try await store.connection.dialect {
        case .sqlite: return try await store.connection.query("SELECT name, sql FROM sqlite_master ORDER BY name", [])
        case .mysql:
            var texts: [[SQLValue]] = []
            for name in try await tables(store) { texts += try await store.connection.query("SHOW CREATE TABLE \(name)", []) }
            return texts
        }
    }

    /// Whether a column may hold values of another kind than its own.
    var keepsForeignKinds: Bool { testDescription == "SQLite" }

    /// The names of all tables, sorted.
    func tables(_ store: SQLStore) async throws -> [String] {
        let sql =
            switch try await store.connection.dialect {
            case .sqlite: "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            case .mysql: "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name"
            }
        return try await store.connection.query(sql, []).map { if case .text(let name)? = $0.first { name } else { "" } }
    }
}

#if MySQL
import Synchronization

/// Counts calls, so that they spread.
private enum Turns {
    private static let count = Mutex(0)

    static func next(of number: Int) -> Int {
        count.withLock { count in
            count += 1
            return count % number
        }
    }
}

extension Scratch {
    /// A database of this folder's own on servers that run.
    ///
    /// - Parameter threads: with one, the next statement is on the session of the last: what is cut is that statement, not a session's making.
    func connect(
        _ ports: [UInt16], _ name: String, threads: Int = MySQLConnection.threadCount
    ) async throws -> MySQLConnection {
        let hosts = ports.map { MySQLAddress.Host(name: "127.0.0.1", port: $0) }
        let own = "\(id)_\(name.map { $0.isLetter || $0.isNumber ? String($0) : "_" }.joined())"
        let root = MySQLConnection(MySQLAddress(hosts: hosts, user: "root", password: "", name: "mysql"))
        try await root.execute("CREATE DATABASE IF NOT EXISTS \(own)", [])
        return MySQLConnection(MySQLAddress(hosts: hosts, user: "root", password: "", name: own), threads: threads)
    }
}
#endif
