#if MySQL
import DatabaseServers
import Foundation
import Testing

@testable import Storage

/// Servers that are demoted, locked, configured by others, or that change their passwords, while they answer all the time.
@Suite(.enabled(if: MariaDBServer.isInstalled, "mariadb-server is not installed"))
struct MySQLDemotionTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func append(_ store: SQLStore, _ expecting: Int) async throws -> Revision {
        try await store.append(Sample.catalog(expecting + 1), expecting: expecting, author: "ann", comment: "")
    }

    private func server(_ options: [String] = []) async throws -> MariaDBServer {
        let server = try await MariaDBServer(options)
        try await server.start()
        return server
    }

    /// A user without privileges on the server itself.
    private func prepare(_ server: MariaDBServer) async throws {
        let name = scratch.id
        // The session of whoever prepares has the server's defaults too.
        let answer = try await server.ask(
            "SET SESSION TRANSACTION READ WRITE; SET max_statement_time = 0; CREATE DATABASE IF NOT EXISTS \(name); CREATE OR REPLACE USER \(name)@'%' IDENTIFIED BY 'right'; GRANT ALL ON \(name).* TO \(name)@'%'"
        )
        try #require(answer.code == 0, "\(answer.output)")
    }

    private func address(_ ports: [UInt16]) -> MySQLAddress {
        MySQLAddress(
            hosts: ports.map { .init(name: "127.0.0.1", port: $0) }, user: scratch.id, password: "right", name: scratch.id)
    }

    private func store(_ address: MySQLAddress, _ limits: MySQLLimits = MySQLLimits()) -> SQLStore {
        SQLStore(MySQLConnection(address, limits: limits))
    }

    /// A primary with two revisions and another server with one, which are told apart by that.
    private func pair() async throws -> (first: MariaDBServer, second: MariaDBServer) {
        let (first, second) = (try await server(), try await server())
        for (server, count) in [(first, 2), (second, 1)] {
            try await prepare(server)
            let store = store(address([server.port]))
            try await store.migrator().up()
            for id in 0..<count { _ = try await append(store, id) }
        }
        return (first, second)
    }

    /// Polls until changes can be stored again.
    private func untroubled(_ store: SQLStore) async throws {
        for _ in 0..<1500 where try await store.poll()?.writeTrouble != nil { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try await store.poll()?.writeTrouble == nil)
    }

    @Test func `behind one address a demoted server is left by the edit that it refuses, and by all sessions`() async throws {
        let (first, second) = try await pair()
        let proxy = try CuttingProxy(to: first.port)
        defer { proxy.end() }
        let store = store(address([proxy.port]))
        #expect(try await store.poll()?.head.revision == 2)
        #expect(try await store.revision(2) != nil)
        _ = try await append(store, 2)
        try await first.ask("SET GLOBAL read_only = 1")
        proxy.lead(to: second.port)
        #expect(try await append(store, 1).id == 2)
        #expect(try await store.poll()?.head.revision == 2)
        #expect(try await store.revision(3) == nil)
        #expect(try await store.poll()?.writeTrouble == nil)
    }

    @Test func `behind one address a demoted server is left by the poll alone, without any edit`() async throws {
        let (first, second) = try await pair()
        let proxy = try CuttingProxy(to: first.port)
        defer { proxy.end() }
        var limits = MySQLLimits()
        limits.recheck = .milliseconds(50)
        let store = store(address([proxy.port]), limits)
        _ = try await append(store, 2)
        #expect(try await store.poll()?.writeTrouble == nil)
        try await first.ask("SET GLOBAL read_only = 1")
        let trouble = try #require(try await store.poll()?.writeTrouble)
        #expect(trouble.contains("the server is read-only") && trouble.contains("read_only or innodb_read_only is on"))
        proxy.lead(to: second.port)
        try await untroubled(store)
        #expect(try await store.poll()?.head.revision == 1)
    }

    @Test func `of two addresses the writable one is used, whichever it becomes`() async throws {
        let (first, second) = try await pair()
        try await second.ask("SET GLOBAL read_only = 1")
        let store = store(address([second.port, first.port]))
        #expect(try await store.head()?.revision == 2)
        #expect(try await append(store, 2).id == 3)
        try await first.ask("SET GLOBAL read_only = 1")
        try await second.ask("SET GLOBAL read_only = 0")
        #expect(try await append(store, 1).id == 2)
        #expect(try await store.head()?.revision == 2)
        #expect(try await store.poll()?.writeTrouble == nil)
    }

    @Test func `an edit waits for a server that becomes writable within its patience`() async throws {
        let (first, _) = try await pair()
        let store = store(address([first.port]))
        _ = try await store.head()
        try await first.ask("SET GLOBAL read_only = 1")
        let edit = Task { try await append(store, 2) }
        try await Task.sleep(for: .milliseconds(300))
        try await first.ask("SET GLOBAL read_only = 0")
        #expect(try await edit.value.id == 3)
    }

    @Test func `with no writable server reads go on, and each poll says why edits fail`() async throws {
        let (first, second) = try await pair()
        for server in [first, second] { try await server.ask("SET GLOBAL read_only = 1") }
        let store = store(address([first.port, second.port]))
        #expect(try await store.load()?.id == 2)
        let error = await #expect(throws: StorageError.self) { try await append(store, 2) }
        #expect(error?.kind == .serverReadOnly)
        #expect(try await store.poll()?.writeTrouble != nil)
        #expect(store.writeTrouble != nil)
        try await first.ask("SET GLOBAL read_only = 0")
        try await untroubled(store)
        #expect(try await append(store, 2).id == 3)
    }

    @Test func `a user who may write to a read-only server is in no trouble`() async throws {
        let server = try await server()
        try await prepare(server)
        var root = address([server.port])
        root = MySQLAddress(hosts: root.hosts, user: "root", password: "", name: root.name)
        let store = store(root)
        try await store.migrator().up()
        try await server.ask("SET GLOBAL read_only = 1")
        #expect(try await append(store, 0).id == 1)
        #expect(try await store.poll() != nil)
        #expect(try await append(store, 1).id == 2)
        for _ in 0..<3 { #expect(try await store.poll()?.writeTrouble == nil) }
    }

    @Test func `edits behind a global read lock end in time, and the poll waits for none of them`() async throws {
        let server = try await server()
        try await prepare(server)
        var limits = MySQLLimits()
        limits.call = .seconds(5)
        let store = store(address([server.port]), limits)
        try await store.migrator().up()
        _ = try await append(store, 0)
        _ = try await store.poll()
        let locker = MySQLConnection(
            MySQLAddress(hosts: [.init(name: "127.0.0.1", port: server.port)], user: "root", password: "", name: "mysql"), threads: 1)
        try await locker.execute("FLUSH TABLES WITH READ LOCK", [])
        let ended = Counter()
        try await withThrowingTaskGroup(of: StorageError.Kind?.self) { group in
            for _ in 0..<5 {
                group.addTask {
                    let error = await #expect(throws: StorageError.self) { try await append(store, 1) }
                    ended.add()
                    return error?.kind
                }
            }
            #expect(try await store.poll()?.head.revision == 1)
            #expect(ended.value == 0)
            for try await kind in group { #expect(kind == .serverBusy || kind == .inDoubt || kind == .unreachable) }
        }
        #expect(try await store.poll()?.writeTrouble != nil)
        try await locker.execute("UNLOCK TABLES", [])
        for _ in 0..<100 where try await store.poll()?.writeTrouble != nil {
            _ = try? await append(store, try #require(await store.head()).revision)
        }
        #expect(try await store.poll()?.writeTrouble == nil)
        // What was in doubt is found out by reading; what was refused is not there.
        #expect(try #require(await store.head()).revision <= 3)
    }

    @Test func `a rotated password in a file is taken up by the next connection`() async throws {
        let server = try await server()
        try await prepare(server)
        try scratch.write(Array("right\n".utf8), to: "password")
        var address = address([server.port])
        address.password = ""
        address.passwordFile = scratch.path("password")
        let store = store(address)
        try await store.migrator().up()
        try scratch.write(Array("new".utf8), to: "password")
        let answer = try await server.ask("ALTER USER \(scratch.id)@'%' IDENTIFIED BY 'new'; KILL USER \(scratch.id)")
        try #require(answer.code == 0, "\(answer.output)")
        #expect(try await append(store, 0).id == 1)
        #expect(try await store.head()?.revision == 1)
        // A file that is being replaced is not there for a moment.
        address.password = "new"
        try scratch.remove("password")
        #expect(try await self.store(address).head()?.revision == 1)
    }

    @Test func `a server's own defaults decide nothing`() async throws {
        let server = try await server()
        for hostile in [
            "sql_safe_updates=1", "sql_mode='ANSI,TRADITIONAL,NO_BACKSLASH_ESCAPES'", "sql_mode=''", "time_zone='-11:00'", "autocommit=0",
            "completion_type=1", "completion_type=2", "sql_select_limit=0", "sql_select_limit=1",
            "sql_auto_is_null=1", "unique_checks=0", "foreign_key_checks=0", "tx_read_only=1", "tx_isolation='SERIALIZABLE'",
            "tx_isolation='READ-UNCOMMITTED'", "idle_transaction_timeout=1", "max_join_size=1", "sql_big_selects=0", "net_read_timeout=1",
            "lock_wait_timeout=0", "innodb_lock_wait_timeout=0", "character_set_results=latin1", "character_set_client=latin1",
            "collation_connection=latin1_swedish_ci", "lc_messages='ru_RU'", "max_sort_length=64", "wait_timeout=1", "big_tables=1",
            "init_connect='SET sql_safe_updates=1, autocommit=0, sql_select_limit=1'", "low_priority_updates=1",
            "group_concat_max_len=4", "div_precision_increment=0", "max_length_for_sort_data=4", "sql_buffer_result=1",
        ] {
            let name = String(hostile.prefix { $0 != "=" })
            let before = try await server.ask("SELECT QUOTE(@@global.\(name))").output.trimmingCharacters(in: .whitespacesAndNewlines)
            let answer = try await server.ask("SET GLOBAL \(hostile)")
            try #require(answer.code == 0, "\(hostile): \(answer.output)")
            do {
                try await expectEssentials(server)
            } catch {
                Issue.record("\(hostile): \(error)")
            }
            let number = before.dropFirst().dropLast()
            _ = try await server.ask("SET GLOBAL \(name) = \(Double(number) == nil ? before : String(number))")
        }
    }

    @Test func `no time limit of the server's cuts a statement short`() async throws {
        let server = try await server()
        try await prepare(server)
        try await server.ask("SET GLOBAL max_statement_time = 5, GLOBAL idle_transaction_timeout = 5")
        let rows = try await store(address([server.port])).connection.query(
            "SELECT CAST(@@max_statement_time AS SIGNED), @@idle_transaction_timeout", [])
        #expect(rows == [[.integer(0), .integer(0)]])
    }

    @Test func `changes logged as statements are no obstacle`() async throws {
        try await expectEssentials(try await server(["--log-bin", "--binlog-format=STATEMENT", "--server-id=1"]))
    }

    /// A bit of everything that is ever asked of a database.
    private func expectEssentials(_ server: MariaDBServer) async throws {
        try await prepare(server)
        let store = store(address([server.port]))
        try await store.migrator().up()
        let written = try await store.append(Sample.catalog(1), expecting: 0, author: "ann", comment: "für 🎬 \"a\" \\")
        #expect(try await append(store, 1).id == 2)
        #expect(try await store.revision(1) == written)
        await #expect(throws: StorageError.self) { try await append(store, 1) }
        #expect(try await store.revisions(before: nil, limit: 10).count == 2)
        let keys = ["ann", "bob", "Cid"].map { APIKey(name: $0, role: .viewer, hash: Token.hash($0), created: 0, expires: nil) }
        for key in keys { try await store.addKey(key) }
        try await store.noteUses([keys[0].hash: 1, keys[1].hash: 2])
        try await store.noteUses([keys[0].hash: 3])
        #expect(try await store.removeKey(named: "bob"))
        for seen in [1, 2] as [Int64] {
            for id in ["n1", "n2", "n3"] {
                try await store.register(
                    FleetNode(id: id, name: id, address: "a", version: "1", boot: "b", started: 0, revision: 1, checksum: "c", seen: seen))
            }
        }
        let polled = try #require(try await store.poll())
        #expect(polled.head.revision == 2 && Set(polled.keys.map(\.name)) == ["ann", "Cid"])
        #expect(try await store.nodes().count == 3)
        for minute in 0..<3 as Range<Int64> {
            let rows = ["s1", "s2"].map {
                TrafficBatch.Row(key: TrafficKey(target: .origin, cdn: "", server: $0, status: 301), requests: 5)
            }
            try await store.write(TrafficBatch(node: "n1", boot: "b", begins: 1_700_000_040 + minute * 60, rows: rows))
        }
        try await store.foldTraffic(of: "n1", now: 1_700_000_040 + 86_400)
        #expect(try await store.traffic(TrafficQuestion(from: 0, to: .max, by: [.server])).map(\.requests) == [15, 15])
        try await store.tidy(now: 1_700_000_000_000)
        try await store.adopt(predecessor: Checksum.randomID())
        // Nothing is left in a transaction that nobody ends.
        #expect(try await self.store(address([server.port])).head()?.revision == 2)
        try await store.migrator().down(to: 0)
    }
}
#endif
