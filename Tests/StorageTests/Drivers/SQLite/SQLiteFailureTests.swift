import Foundation
import GRDB
import Testing

@testable import Storage

/// What an operator meets at night: each failure has its own kind, keeps what was stored, and goes away with its cause.
@Suite struct SQLiteFailureTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func append(_ store: SQLStore, _ expecting: Int, cdns: Int = 2) async throws -> Revision {
        try await store.append(Sample.catalog(expecting + 1, cdns: cdns), expecting: expecting, author: "ann", comment: "")
    }

    private func failure(_ body: () async throws -> Void) async -> StorageError? {
        await #expect(throws: StorageError.self) { try await body() }
    }

    @Test func `the writer keeps a WAL, syncs fully, checks foreign keys and waits 5 s`() async throws {
        let store = try await scratch.store()
        // Written by the writer, since each connection has its own settings.
        try await store.connection.execute(
            """
            CREATE TABLE probe AS SELECT journal_mode, synchronous, foreign_keys, timeout \
            FROM pragma_journal_mode, pragma_synchronous, pragma_foreign_keys, pragma_busy_timeout
            """, [])
        let rows = try await store.connection.query("SELECT * FROM probe", [])
        #expect(rows == [[.text("wal"), .integer(2), .integer(1), .integer(5000)]])
    }

    @Test func `a locked database refuses edits, is still read, and takes edits when it is free`() async throws {
        let store = try await scratch.store(busyTimeout: .milliseconds(1))
        let first = try await append(store, 0)
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: scratch.path("balancer.db"), configuration: configuration)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }

        let error = await failure { _ = try await append(store, 1) }
        #expect(error?.kind == .locked)
        #expect(error?.place == scratch.path("balancer.db"))
        #expect(try await store.load() == first)
        #expect(try await store.migrator().up() == [])
        let second = try await SQLStore.open(path: scratch.path("balancer.db"), busyTimeout: .milliseconds(1))
        #expect(try await second.head()?.revision == 1)

        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        #expect(try await append(store, 1).id == 2)
    }

    @Test func `a read-only database refuses edits and is still read`() async throws {
        let store = try await scratch.store()
        let first = try await append(store, 0)
        try await store.connection.execute("PRAGMA query_only = ON", [])
        let error = await failure { _ = try await append(store, 1) }
        #expect(error?.kind == .readOnly)
        #expect(try await store.load() == first)
        #expect(try await store.migrator().up() == [])
        try await store.connection.execute("PRAGMA query_only = OFF", [])
        #expect(try await append(store, 1).id == 2)
    }

    @Test func `a database that may only be read is not opened, and says why`() async throws {
        var bytes = try await scratch.databaseBytes(revisions: 1)
        // Offset 18 is the version needed to write; from 3 on SQLite only reads (https://www.sqlite.org/fileformat2.html §1.3.3).
        bytes[18] = 3
        try scratch.write(bytes, to: "read-only.db")
        let error = await failure { _ = try await SQLStore.open(path: scratch.path("read-only.db")) }
        #expect(error?.kind == .readOnly)
    }

    @Test(arguments: [Duration.seconds(-1), .zero, .seconds(1 << 40)]) func `any busy timeout is accepted`(_ timeout: Duration) async throws
    {
        #expect(try await append(try await scratch.store(busyTimeout: timeout), 0).id == 1)
    }

    @Test func `a full database refuses edits, keeps the last, and takes edits when there is space`() async throws {
        let store = try await scratch.store()
        let first = try await append(store, 0)
        try await store.connection.execute("PRAGMA max_page_count = 20", [])
        let error = await failure { for id in 1...50 { _ = try await append(store, id, cdns: 100) } }
        #expect(error?.kind == .full)
        let last = try #require(try await store.load())
        #expect(last.id < 50)
        #expect(try await store.revision(1) == first)
        try await store.connection.execute("PRAGMA max_page_count = 100000", [])
        #expect(try await append(store, last.id, cdns: 100).id == last.id + 1)
    }

    @Test func `a file of random bytes is no database`() async throws {
        var generator = SeededGenerator(seed: 2)
        try scratch.write((0..<20_000).map { _ in .random(in: 0...255, using: &generator) }, to: "random.db")
        let error = await failure { _ = try await SQLStore.open(path: scratch.path("random.db")) }
        #expect(error?.kind == .notADatabase)
    }

    @Test func `a folder, a missing folder and a folder that takes no files are told apart`() async throws {
        let folder = await failure { _ = try await SQLStore.open(path: scratch.folder) }
        #expect(folder?.kind == .cannotOpen && folder?.detail.contains("it is a folder") == true)
        let missing = await failure { _ = try await SQLStore.open(path: scratch.path("no/such/b.db")) }
        #expect(missing?.kind == .cannotOpen && missing?.detail == "the folder \(scratch.path("no/such")) does not exist")
        let refused = await failure { _ = try await SQLStore.open(path: "/proc/balancer.db") }
        #expect(refused?.kind == .cannotOpen)
    }

    @Test func `a removed file takes no edits`() async throws {
        let store = try await scratch.store()
        _ = try await append(store, 0)
        try scratch.move("balancer.db", to: "away.db")
        let error = await failure { _ = try await append(store, 1) }
        #expect(error?.kind == .missing)
        #expect(await failure { _ = try await store.head() }?.kind == .missing)
        try scratch.move("away.db", to: "balancer.db")
        #expect(try await append(store, 1).id == 2)
    }

    @Test func `a backup that is moved into place is what is read next`() async throws {
        let backup = try await scratch.databaseBytes(revisions: 2)
        let store = try await scratch.store()
        for id in 0..<5 { _ = try await append(store, id) }
        let before = try await store.head()
        try scratch.write(backup, to: "backup.db")
        for name in ["balancer.db", "balancer.db-wal", "balancer.db-shm"] { try scratch.remove(name) }
        try scratch.move("backup.db", to: "balancer.db")
        let after = try await store.head()
        #expect(before?.revision == 5 && after?.revision == 2 && before?.databaseID != after?.databaseID)
        #expect(try await append(store, 2).id == 3)
    }

    @Test func `a newest revision without the database's identity is damage, not a first start`() async throws {
        let store = try await scratch.store()
        _ = try await append(store, 0)
        try await store.connection.execute("DELETE FROM balancer_identity", [])
        #expect(await failure { _ = try await store.head() }?.kind == .corrupt)
    }

    @Test(arguments: [
        "id, x'00ff', author, comment, created, checksum", "id, catalog, 1.5, comment, created, checksum",
        "id, catalog, author, comment, 'now', checksum",
    ])
    func `a column of a foreign kind is an error`(_ columns: String) async throws {
        let store = try await scratch.store()
        _ = try await append(store, 0)
        // A table without declared kinds, as damage would make the columns.
        try await store.connection.execute("CREATE TABLE copy AS SELECT \(columns) FROM balancer_revisions", [])
        try await store.connection.execute("DROP TABLE balancer_revisions", [])
        try await store.connection.execute(
            "CREATE VIEW balancer_revisions (id, catalog, author, comment, created, checksum) AS SELECT * FROM copy", [])
        #expect(await failure { _ = try await store.load() }?.kind == .unreadableRevision(1))
    }

    @Test func `a damaged file gives an error or a catalog that was stored, never a crash or another`() async throws {
        let whole = try await scratch.databaseBytes(revisions: 6)
        let known = try (1...6).map { try Sample.catalog($0) }
        var generator = SeededGenerator(seed: 3)
        var errors = 0
        for round in 0..<150 {
            var bytes = whole
            switch round % 3 {
            case 0:
                for _ in 0..<40 {
                    bytes[.random(in: 100..<bytes.count, using: &generator)] ^= 1 << Int.random(in: 0...7, using: &generator)
                }
            case 1:
                let page = Int.random(in: 0..<bytes.count / 4096, using: &generator) * 4096
                for index in max(page, 100)..<page + 4096 { bytes[index] = .random(in: 0...255, using: &generator) }
            default: bytes.removeLast(.random(in: 1..<bytes.count, using: &generator))
            }
            try scratch.write(bytes, to: "damaged-\(round).db")
            do {
                let store = try await SQLStore.open(path: scratch.path("damaged-\(round).db"))
                if let loaded = try await store.load() { #expect(known.contains(loaded.catalog)) }
                for revision in try await store.revisions(before: nil, limit: 10) {
                    if let revision = try await store.revision(revision.id) { #expect(known.contains(revision.catalog)) }
                }
                _ = try await store.head()
                _ = try await store.migrator().up()
            } catch {
                errors += 1
                #expect((error as? StorageError)?.description.contains("\n") == false)
            }
        }
        #expect(errors > 50)
    }
}
