#if MySQL
import DatabaseServers
import Testing

@testable import Storage

/// The line to the server is cut, or others hold its locks: each edit is stored once, and whoever made it is told the truth.
@Suite(.enabled(if: MariaDBServer.isInstalled, "mariadb-server is not installed"))
struct MySQLLossTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func stores() async throws -> (cut: SQLStore, whole: SQLStore, proxy: CuttingProxy) {
        let server = try await SharedServers.shared.mariaDB()
        let whole = try await Backend.mariaDB.open(scratch)
        let proxy = try CuttingProxy(to: server.port)
        let cut = SQLStore(try await scratch.connect([proxy.port], "balancer", threads: 1))
        return (cut, whole, proxy)
    }

    @Test(arguments: [CuttingProxy.Moment.beforeTheServerGotIt, .beforeTheAnswer])
    func `an edit whose answer is lost is stored once and is no conflict`(_ moment: CuttingProxy.Moment) async throws {
        let (cut, whole, proxy) = try await stores()
        defer { proxy.end() }
        for id in 0..<20 {
            _ = try await cut.head()
            proxy.cut(atExecution: 0, moment)
            let stored = try await cut.append(Sample.catalog(id), expecting: id, author: "ann", comment: "\(id)")
            #expect(stored.id == id + 1)
            #expect(try await whole.load() == stored)
        }
        #expect(proxy.cutCount == 20)
        #expect(try await whole.revisions(before: nil, limit: 100).map(\.id) == Array((1...20).reversed()))
    }

    @Test func `an edit that came second is a conflict also when its line was cut`() async throws {
        let (cut, whole, proxy) = try await stores()
        defer { proxy.end() }
        for id in 0..<10 {
            _ = try await cut.head()
            let other = try await whole.append(Sample.catalog(id), expecting: id, author: "bob", comment: "")
            proxy.cut(atExecution: 0, .beforeTheAnswer)
            let error = await #expect(throws: StorageError.self) {
                try await cut.append(Sample.catalog(id), expecting: id, author: "ann", comment: "")
            }
            #expect(error?.kind == .conflict(current: id + 1))
            #expect(try await whole.load() == other)
        }
        #expect(proxy.cutCount == 10)
    }

    @Test func `a key whose answer is lost is stored once and is no duplicate`() async throws {
        let (cut, whole, proxy) = try await stores()
        defer { proxy.end() }
        let key = APIKey(name: "ann", role: .admin, hash: Token.hash("a"), created: 0, expires: nil)
        _ = try await cut.keys()
        proxy.cut(atExecution: 0, .beforeTheAnswer)
        try await cut.addKey(key)
        #expect(proxy.cutCount == 1)
        #expect(try await whole.keys() == [key])
        let other = APIKey(name: "ann", role: .admin, hash: Token.hash("b"), created: 0, expires: nil)
        proxy.cut(atExecution: 0, .beforeTheAnswer)
        let error = await #expect(throws: StorageError.self) { try await cut.addKey(other) }
        #expect(error?.kind == .duplicate)
        #expect(proxy.cutCount == 2)
        #expect(try await whole.keys() == [key])
    }

    @Test func `a migration whose line is cut at any statement ends well`() async throws {
        let server = try await SharedServers.shared.mariaDB()
        var (tried, cuts) = (0, 0)
        // Several at once: each waits for the disk most of the time.
        repeat {
            cuts += try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in tried..<tried + 8 { group.addTask { [scratch] in try await migrate(scratch, server, cutAt: number) } }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            tried += 8
        } while cuts == tried
        // Each step is applied and then noted.
        #expect(cuts >= 2 * Migrations.all.count, "the line was cut \(cuts) times")
    }

    /// - Returns: false when there are fewer statements.
    private func migrate(_ scratch: Scratch, _ server: MariaDBServer, cutAt number: Int) async throws -> Bool {
        let name = "cut\(number)"
        let whole = try await Backend.mariaDB.openEmpty(scratch, name)
        let proxy = try CuttingProxy(to: server.port)
        defer { proxy.end() }
        let connection = try await scratch.connect([proxy.port], name, threads: 1)
        _ = try await connection.query("SELECT 1", [])
        proxy.cut(atExecution: number, .beforeTheAnswer)
        try await Migrator(connection, clock: .system).up()
        #expect(try await whole.migrator().status().allSatisfy { $0.state == .applied })
        return proxy.cutCount > 0
    }

    @Test func `when the server does not come back, an edit in doubt says that it is in doubt`() async throws {
        let server = try await MariaDBServer()
        try await server.start()
        let proxy = try CuttingProxy(to: server.port)
        _ = try await scratch.connect([server.port], "balancer")
        var limits = MySQLLimits()
        limits.patience = .milliseconds(300)
        let address = MySQLAddress(
            hosts: [.init(name: "127.0.0.1", port: proxy.port)], user: "root", password: "", name: "\(scratch.id)_balancer")
        let store = SQLStore(MySQLConnection(address, limits: limits, threads: 1))
        try await store.migrator().up()
        _ = try await store.head()
        proxy.cut(atExecution: 0, .beforeTheAnswer)
        proxy.end()
        let error = await #expect(throws: StorageError.self) {
            try await store.append(Sample.catalog(1), expecting: 0, author: "ann", comment: "")
        }
        #expect(proxy.cutCount == 1)
        #expect(error?.kind == .inDoubt, "\(error?.description ?? "")")
    }

    @Test(arguments: [true, false]) func `a row held by another transaction is waited for`(_ commits: Bool) async throws {
        let server = try await SharedServers.shared.mariaDB()
        let store = try await Backend.mariaDB.open(scratch)
        let holder = Task { [scratch] in
            try await server.ask(
                """
                BEGIN; INSERT INTO balancer_revisions (id, author, comment, created, checksum, catalog) VALUES (1, 'bob', '', 0, '', '{}');
                SELECT SLEEP(2); \(commits ? "COMMIT" : "ROLLBACK")
                """, database: "\(scratch.id)_balancer")
        }
        // innodb_trx would not do: it is a copy that is renewed only when nobody has read it for a tenth of a second.
        let question = """
            SELECT COUNT(*) FROM information_schema.processlist WHERE db = '\(scratch.id)_balancer' AND info LIKE 'SELECT SLEEP%'
            """
        for _ in 0..<1000 {
            if try await store.connection.query(question, []) != [[.integer(0)]] { break }
            try await Task.sleep(for: .milliseconds(5))
        }
        if commits {
            let error = await #expect(throws: StorageError.self) {
                try await store.append(Sample.catalog(1), expecting: 0, author: "ann", comment: "")
            }
            #expect(error?.kind == .conflict(current: 1))
        } else {
            #expect(try await store.append(Sample.catalog(1), expecting: 0, author: "ann", comment: "").id == 1)
        }
        _ = try await holder.value
    }

    @Test func `a killed connection is made anew, and nobody notices`() async throws {
        let store = try await Backend.mariaDB.open(scratch)
        let server = try await SharedServers.shared.mariaDB()
        for id in 0..<10 {
            let own =
                "SELECT GROUP_CONCAT('KILL ', id SEPARATOR ';') FROM information_schema.processlist WHERE db = '\(scratch.id)_balancer'"
            let kills = try await server.ask(own).output
            if kills.contains("KILL") { try await server.ask(kills) }
            #expect(try await store.head()?.revision ?? 0 == id)
            #expect(try await store.append(Sample.catalog(id), expecting: id, author: "ann", comment: "").id == id + 1)
        }
    }
}
#endif
