#if MySQL
import DatabaseServers
import Glibc
import Testing

@testable import Storage

/// What an operator meets at night with a server: each failure has its own kind and one sentence with host, database and cause.
@Suite(.enabled(if: MariaDBServer.isInstalled, "mariadb-server is not installed"))
struct MySQLFailureTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func failure(_ body: () async throws -> Void) async -> StorageError? {
        await #expect(throws: StorageError.self) { try await body() }
    }

    private func append(_ store: SQLStore, _ expecting: Int, cdns: Int = 2, comment: String = "") async throws -> Revision {
        try await store.append(Sample.catalog(expecting + 1, cdns: cdns), expecting: expecting, author: "ann", comment: comment)
    }

    /// An address of a server with a database and a user of this test's own.
    private func address(
        on server: MariaDBServer, grant: String = "ALL", user: String? = nil, password: String = "right"
    ) async throws -> MySQLAddress {
        let name = scratch.id
        let sql = """
            CREATE DATABASE IF NOT EXISTS \(name); CREATE OR REPLACE USER \(name)@'%' IDENTIFIED BY 'right';
            GRANT \(grant) ON \(name).* TO \(name)@'%'
            """
        let answer = try await server.ask(sql)
        try #require(answer.code == 0, "\(answer.output)")
        return MySQLAddress(
            hosts: [.init(name: "127.0.0.1", port: server.port)], user: user ?? name, password: password, name: name)
    }

    private func store(_ address: MySQLAddress, _ limits: MySQLLimits = MySQLLimits()) -> SQLStore {
        SQLStore(MySQLConnection(address, limits: limits))
    }

    @Test func `a wrong password is refused in one sentence that names host, database and user, and not the password`() async throws {
        let server = try await SharedServers.shared.mariaDB()
        let address = try await address(on: server, password: "sEcr3t")
        let error = await failure { _ = try await store(address).head() }
        #expect(error?.kind == .denied)
        #expect(error?.place == "mysql://\(scratch.id)@127.0.0.1:\(server.port)/\(scratch.id)")
        #expect(error?.description.contains("sEcr3t") == false)
        #expect(error?.description.contains("Access denied for user '\(scratch.id)'") == true)
    }

    @Test(arguments: ["no-such-host.invalid", "127.0.0.1"]) func `an unknown host and one that listens not are told at once`(
        _ name: String
    )
        async throws
    {
        let address = MySQLAddress(
            hosts: [.init(name: name, port: try FreePort.take())], user: "u", password: "sEcr3t", name: "b")
        let error = await failure { _ = try await store(address).head() }
        #expect(error?.kind == .unreachable)
        #expect(error?.description.contains("mysql://u@\(address.hosts[0])/b: the server cannot be reached") == true)
        #expect(error?.description.contains("sEcr3t") == false)
    }

    @Test func `of several hosts each one's trouble is told`() async throws {
        let server = try await SharedServers.shared.mariaDB()
        let known = try await address(on: server)
        let address = MySQLAddress(
            hosts: [.init(name: "127.0.0.1", port: try FreePort.take())] + known.hosts, user: known.user, password: "wrong",
            name: known.name)
        let error = await failure { _ = try await store(address).head() }
        #expect(error?.kind == .denied)
        for host in address.hosts { #expect(error?.detail.contains("\(host): ") == true) }
    }

    @Test func `a host that does not answer is passed over for the next`() async throws {
        let server = try await SharedServers.shared.mariaDB()
        let known = try await address(on: server)
        let address = MySQLAddress(
            hosts: [.init(name: "127.0.0.1", port: try FreePort.take())] + known.hosts, user: known.user,
            password: known.password, name: known.name)
        let store = store(address)
        try await store.migrator().up()
        #expect(try await append(store, 0).id == 1)
    }

    @Test func `a missing database and a missing privilege are told apart`() async throws {
        let server = try await SharedServers.shared.mariaDB()
        let granted = try await address(on: server)
        try await store(granted).migrator().up()
        let reader = store(try await address(on: server, grant: "SELECT"))
        #expect(try await reader.head() == nil)
        let refused = await failure { _ = try await append(reader, 0) }
        #expect(refused?.kind == .notGranted)
        #expect(refused?.description.contains("GRANT SELECT, INSERT") == true)
        let root = MySQLAddress(hosts: granted.hosts, user: "root", password: "", name: "no_such")
        #expect(await failure { _ = try await store(root).head() }?.kind == .noDatabase)
    }

    @Test func `tables altered by hand are named, and nothing is stored`() async throws {
        let server = try await SharedServers.shared.mariaDB()
        for (change, undo, kind) in [
            ("ADD COLUMN more INT NOT NULL", "DROP COLUMN more", StorageError.Kind.alteredTable),
            ("CHANGE author writer VARCHAR(255) NOT NULL", "CHANGE writer author VARCHAR(255) NOT NULL", .alteredTable),
            ("MODIFY catalog VARCHAR(20) NOT NULL", "MODIFY catalog LONGTEXT NOT NULL", .alteredTable),
            ("MODIFY comment TEXT CHARACTER SET latin1 NOT NULL", "MODIFY comment TEXT NOT NULL", .wrongCharacterSet),
        ] {
            let store = store(try await address(on: server))
            try await store.migrator().up()
            try await store.connection.execute("ALTER TABLE balancer_revisions \(change)", [])
            let error = await failure { _ = try await append(store, 0, comment: "🎬") }
            #expect(error?.kind == kind, "\(change): \(error?.description ?? "")")
            try await store.connection.execute("ALTER TABLE balancer_revisions \(undo)", [])
            #expect(try await append(store, 0).id == 1)
            try await store.migrator().down(to: 0)
        }
    }

    @Test func `columns of foreign kinds are errors`() async throws {
        let server = try await SharedServers.shared.mariaDB()
        for change in ["MODIFY checksum BINARY(64)", "MODIFY created DOUBLE", "MODIFY author DATETIME NULL"] {
            let store = store(try await address(on: server))
            try await store.migrator().up()
            _ = try await append(store, 0)
            try await store.connection.execute("UPDATE balancer_revisions SET author = '2026-01-01', created = 5", [])
            try await store.connection.execute("ALTER TABLE balancer_revisions \(change)", [])
            if change.contains("DOUBLE") { try await store.connection.execute("UPDATE balancer_revisions SET created = 0.5", []) }
            #expect(await failure { _ = try await store.load() }?.kind == .unreadableRevision(1), "\(change)")
            try await store.migrator().down(to: 0)
        }
    }

    @Test func `values come back as they went: numbers at their ends, long texts, sums, null`() async throws {
        let connection = try await Backend.mariaDB.openEmpty(scratch).connection
        let text = String(repeating: "für 🎬 \u{0}'\"\\ ", count: 50_000)
        let arguments: [SQLValue] = [.integer(.min), .integer(.max), .integer(0), .text(""), .text(text), .null]
        #expect(try await connection.query("SELECT ?, ?, ?, ?, ?, ?", arguments) == [arguments])
        let rest = try await connection.query(
            "SELECT SUM(n), 18446744073709551615, x'00ff', 1.5, NOW() FROM (SELECT 3 AS n UNION ALL SELECT 4) AS t", [])
        #expect(
            rest.first?.prefix(4) == [
                .integer(7), .foreign("the number 18446744073709551615"), .foreign("2 bytes of binary data"),
                .foreign("the number 1.5"),
            ])
        #expect(rest.first?.last == .foreign("a value of another kind"))
        await #expect(throws: StorageError.self) { try await connection.query("SELECT ?", []) }
        await #expect(throws: StorageError.self) { try await connection.query("nonsense", []) }
    }

    @Test func `a server that may only be read refuses edits and is still read`() async throws {
        let server = try await MariaDBServer()
        try await server.start()
        let store = store(try await address(on: server))
        try await store.migrator().up()
        let first = try await append(store, 0)
        try await server.ask("SET GLOBAL read_only = 1")
        let error = await failure { _ = try await append(store, 1) }
        #expect(error?.kind == .serverReadOnly, "\(error?.description ?? "")")
        #expect(try await store.load() == first)
        #expect(try await store.migrator().up() == [])
        try await server.ask("SET GLOBAL read_only = 0")
        #expect(try await append(store, 1).id == 2)
    }

    @Test func `a server without space refuses edits, keeps the last, and takes edits when there is space`() async throws {
        let server = try await MariaDBServer(["--innodb-data-file-path=ibdata1:12M:autoextend:max:20M", "--innodb-file-per-table=0"])
        try await server.start()
        let store = store(try await address(on: server))
        try await store.migrator().up()
        let first = try await append(store, 0)
        let error = await failure { for id in 1...500 { _ = try await append(store, id, cdns: 1000) } }
        #expect(error?.kind == .serverFull, "\(error?.description ?? "")")
        let last = try #require(try await store.load())
        #expect(last.id > 1 && last.id < 500)
        #expect(try await store.revision(1) == first)
        server.kill()
        try await server.start(["--innodb-data-file-path=ibdata1:12M:autoextend"])
        #expect(try await append(store, last.id, cdns: 1000).id == last.id + 1)
    }

    @Test func `whatever the server's own settings are, texts go in and come out as they were`() async throws {
        let server = try await MariaDBServer([
            "--character-set-server=latin1", "--collation-server=latin1_swedish_ci", "--skip-character-set-client-handshake",
            "--init-connect=SET NAMES latin1", "--sql-mode=ANSI_QUOTES,PIPES_AS_CONCAT", "--lower-case-table-names=1",
        ])
        try await server.start()
        let store = store(try await address(on: server))
        try await store.migrator().up()
        let written = try await append(store, 0, comment: "für 🎬 \"a\"")
        #expect(try await store.load() == written)
        try await store.addKey(APIKey(name: "ann", role: .viewer, hash: Token.hash("a"), created: 0, expires: nil))
        try await store.addKey(APIKey(name: "Ann", role: .viewer, hash: Token.hash("b"), created: 0, expires: nil))
        #expect(try await store.keys().map(\.name) == ["Ann", "ann"])
    }

    @Test func `a server that hangs ends as an error after the read timeout, and is taken up again`() async throws {
        let server = try await MariaDBServer()
        try await server.start()
        var limits = MySQLLimits()
        limits.readSeconds = 1
        limits.patience = .milliseconds(500)
        let store = store(try await address(on: server), limits)
        try await store.migrator().up()
        _ = try await append(store, 0)
        server.send(SIGSTOP)
        let read = await failure { _ = try await store.head() }
        #expect(read?.kind == .connectionLost || read?.kind == .unreachable, "\(read?.description ?? "")")
        server.send(SIGCONT)
        #expect(try await store.head()?.revision == 1)
    }

    @Test func `TLS is asked for as the mode says, and a server without it is refused`() async throws {
        let server = try await SharedServers.shared.mariaDB()
        let plain = try await address(on: server)
        for mode in MySQLAddress.TLS.allCases where mode != .disabled {
            let address = MySQLAddress(
                hosts: plain.hosts, user: plain.user, password: plain.password, name: plain.name, tls: mode)
            let error = await failure { _ = try await store(address).head() }
            #expect(error?.kind == .notTrusted, "\(mode): \(error?.description ?? "")")
        }
    }

    @Test(.enabled(if: Certificates.canMake, "openssl is not installed"))
    func `verify-ca takes any host of the authority, verify-identity only the one that the certificate names`() async throws {
        let certificates = try await Certificates(in: scratch)
        let server = try await MariaDBServer([
            "--ssl-cert=\(certificates.certificate)", "--ssl-key=\(certificates.key)", "--ssl-ca=\(certificates.authority)",
        ])
        try await server.start()
        let plain = try await address(on: server)
        func head(_ mode: MySQLAddress.TLS, _ authority: String, host: String) async -> StorageError.Kind? {
            let address = MySQLAddress(
                hosts: [.init(name: host, port: server.port)], user: plain.user, password: plain.password, name: plain.name, tls: mode,
                authorities: authority)
            do {
                let connection = MySQLConnection(address)
                let rows = try await connection.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'", [])
                #expect((rows.first?.last != .text("")) == (mode != .disabled))
                return nil
            } catch { return (error as StorageError).kind }
        }
        // The certificate names "localhost" and nothing else.
        #expect(await head(.disabled, certificates.authority, host: "127.0.0.1") == nil)
        #expect(await head(.required, certificates.other, host: "127.0.0.1") == nil)
        #expect(await head(.verifyCA, certificates.authority, host: "127.0.0.1") == nil)
        #expect(await head(.verifyCA, certificates.other, host: "127.0.0.1") == .notTrusted)
        #expect(await head(.verifyIdentity, certificates.authority, host: "localhost") == nil)
        #expect(await head(.verifyIdentity, certificates.authority, host: "127.0.0.1") == .notTrusted)
        #expect(await head(.verifyIdentity, certificates.other, host: "localhost") == .notTrusted)
    }
}
#endif
