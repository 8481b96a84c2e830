import Testing

@testable import Storage

@Suite struct MigratorTests {
    let scratch: Scratch
    let clock = ManualClock()

    init() throws { scratch = try Scratch() }

    private func migrator(_ connection: any SQLConnection, owner: String = "test") -> Migrator {
        Migrator(connection, clock: clock.migrationClock(), owner: owner)
    }

    @Test(arguments: Backend.all) func `an empty database has every step pending and is only read for that`(_ backend: Backend) async throws
    {
        let store = try await backend.openEmpty(scratch)
        #expect(try await store.migrator().status().allSatisfy { $0.state == .pending })
        #expect(try await backend.tables(store) == [])
    }

    @Test(arguments: Backend.all) func `before the migration every call says what to run`(_ backend: Backend) async throws {
        let store = try await backend.openEmpty(scratch)
        for call in [
            { _ = try await store.head() }, { _ = try await store.append(Sample.catalog(1), expecting: 0, author: "", comment: "") },
        ] {
            let error = await #expect(throws: StorageError.self) { try await call() }
            #expect(error?.kind == .unprepared)
            #expect(error?.description.contains("migrate up") == true)
        }
    }

    @Test(arguments: Backend.all) func `up runs every step once, in order`(_ backend: Backend) async throws {
        let store = try await backend.openEmpty(scratch)
        #expect(try await store.migrator().up().map(\.id) == Migrations.all.map(\.id))
        #expect(try await store.migrator().up() == [])
        #expect(try await store.migrator().status().allSatisfy { $0.state == .applied })
    }

    @Test func `steps are numbered without gaps and no name is used twice`() {
        #expect(Migrations.all.map(\.id) == Array(1...Migrations.all.count))
        #expect(Set(Migrations.all.map(\.name)).count == Migrations.all.count)
        #expect(Migrations.all.allSatisfy { ($0.up + $0.down).contains(Migrations.tablePrefix) })
    }

    @Test func `released steps keep their checksums`() {
        #expect(
            Migrations.all.map { $0.checksum(for: .sqlite) } == [
                "39c5eab89d104a19d2d468ef134fadf4ae2ccf1dd98fc236e250fb33a0f9c694",
                "d9e9dd9f579cbf34530cd52b70c78dc2196862508167946658c897acf205d2bb",
                "a52153f6a5f2d689bba1a26273184451f0e9ee328188462f5abb891c86787995",
                "fc6a778fc008d55ac2d33bb8e928db2ee48a22560f12e8139e7433154a5db1b6",
                "0dd780cb632535bfd9d98c44c4cbfc13b4524b0c7c1938f92bf7cbe349bdc889",
                "fec6be76ffae5bd77f297eb84d2444fa2a7a4a24fca1ffadf2a37e43f101f609",
                "03c043f8fad70a584b4b3c3c003fdde964d9623ba5e9129b965adc6f5ae24da6",
                "b5f62a08be6eba974a2cdd8dc2c3f78eb400d61c6e5e72cb84a3a37ad1b7b94f",
            ])
    }

    @Test(arguments: Backend.all) func `down and up again makes the same tables, with a new identity`(_ backend: Backend) async throws {
        let store = try await backend.openEmpty(scratch)
        try await store.migrator().up()
        let before = try await backend.schema(store)
        _ = try await store.append(Sample.catalog(1), expecting: 0, author: "ann", comment: "")
        let first = try await store.head()

        #expect(
            try await store.migrator().losses(downTo: 2) == [
                "when each API key was last used", "the history of traffic",
                "every API key: only tokens set in the environment work then",
                "every revision of the catalog, the newest included, with who made it and why",
            ])
        #expect(try await store.migrator().losses(downTo: 0).count == 5)
        #expect(try await store.migrator().losses(downTo: 7) == [])
        #expect(try await store.migrator().down(to: 0).map(\.id) == Migrations.all.map(\.id).reversed())
        #expect(try await backend.tables(store) == ["balancer_lease", "balancer_migrations"])
        #expect(try await store.migrator().down(to: 0) == [])

        try await store.migrator().up()
        #expect(try await backend.schema(store) == before)
        #expect(try await store.load() == nil)
        _ = try await store.append(Sample.catalog(1), expecting: 0, author: "ann", comment: "")
        let second = try await store.head()
        #expect(first?.databaseID != second?.databaseID && first?.checksum == second?.checksum)
    }

    @Test(arguments: Backend.all) func `down to a step keeps it and what is before it`(_ backend: Backend) async throws {
        let store = try await backend.openEmpty(scratch)
        try await store.migrator().up()
        let identity = try await store.connection.query("SELECT value FROM balancer_identity", [])
        #expect(try await store.migrator().down(to: 2).map(\.id) == Migrations.all.map(\.id).reversed().dropLast(2))
        #expect(try await store.migrator().status().map { $0.state == .applied } == Migrations.all.map { $0.id <= 2 })
        try await store.migrator().down(to: 1)
        try await store.migrator().up()
        #expect(try await store.connection.query("SELECT value FROM balancer_identity", []) == identity)
    }

    @Test(arguments: Backend.all, [-1, Migrations.all.count + 1, Int.max, Int.min])
    func `down to a step that does not exist is refused`(_ backend: Backend, _ target: Int) async throws {
        let store = try await backend.openEmpty(scratch)
        try await store.migrator().up()
        let error = await #expect(throws: StorageError.self) { try await store.migrator().down(to: target) }
        #expect(error?.kind == .refused)
        #expect(try await store.migrator().status().allSatisfy { $0.state == .applied })
    }

    @Test(arguments: Backend.all) func `a database of a newer program is refused with a sentence`(_ backend: Backend) async throws {
        let store = try await backend.openEmpty(scratch)
        try await store.migrator().up()
        try await store.connection.execute("INSERT INTO balancer_migrations VALUES (99, 'later', 'x', 'applied', 0)", [])
        try await store.connection.execute("INSERT INTO balancer_migrations VALUES (98, 'later', 'x', 'applied', 0)", [])
        let migrator = try await store.migrator()
        let place = try await store.connection.place
        for call in [{ _ = try await migrator.up() }, { _ = try await migrator.down(to: 0) }, { _ = try await migrator.status() }] {
            let error = await #expect(throws: StorageError.self) { try await call() }
            #expect(error?.kind == .newer(found: 99, known: Migrations.all.count))
            #expect(
                error?.description == """
                    \(place): is newer than this program: it is at migration step 99, the program knows steps up to \(Migrations.all.count); \
                    upgrade this program, or run the newer program's: video-balancer migrate down
                    """)
        }
        #expect(try await store.head() == nil)
    }

    @Test(arguments: Backend.all) func `a step recorded with another checksum is refused and named`(_ backend: Backend) async throws {
        let store = try await backend.openEmpty(scratch)
        try await store.migrator().up()
        try await store.connection.execute("UPDATE balancer_migrations SET checksum = 'f' WHERE id = 2", [])
        let error = await #expect(throws: StorageError.self) { try await store.migrator().up() }
        #expect(error?.kind == .alteredStep(2))
    }

    @Test(arguments: Backend.all) func `an unreadable record is an error`(_ backend: Backend) async throws {
        let store = try await backend.openEmpty(scratch)
        try await store.migrator().up()
        // MySQL turns other kinds into the column's own, SQLite keeps them.
        for damage in ["state = 'maybe'"] + (backend.keepsForeignKinds ? ["checksum = x'00'"] : []) {
            try await store.connection.execute("UPDATE balancer_migrations SET \(damage) WHERE id = 2", [])
            let error = await #expect(throws: StorageError.self) { try await store.migrator().up() }
            #expect(error?.kind == .corrupt)
        }
    }

    @Test(arguments: Backend.all) func `an up that is killed after any statement is finished by the next start`(_ backend: Backend)
        async throws
    {
        var killed = 0
        for statements in 0... {
            let store = try await backend.openEmpty(scratch, "up-\(statements)")
            let dying = DyingConnection(try await store.connection, after: statements)
            do {
                try await migrator(dying, owner: "killed").up()
                break
            } catch {
                killed += 1
            }
            try await migrator(store.connection).up()
            #expect(try await store.migrator().status().allSatisfy { $0.state == .applied })
            _ = try await store.append(Sample.catalog(1), expecting: 0, author: "ann", comment: "")
            #expect(try await store.head()?.databaseID.utf8.count == 32)
        }
        // 2 tables, 2 for the lease, 3 × (renew, record twice at first, statement, record) and the release.
        #expect(killed >= 3 * 4 + 4)
    }

    @Test(arguments: Backend.all, [true, false]) func `a down that is killed after any statement is finished by up or by down`(
        _ backend: Backend, _ forth: Bool
    )
        async throws
    {
        var killed = 0
        for statements in 0... {
            let store = try await backend.openEmpty(scratch, "down-\(statements)")
            try await store.migrator().up()
            let dying = DyingConnection(try await store.connection, after: statements)
            do {
                try await migrator(dying, owner: "killed").down(to: 0)
                break
            } catch {
                killed += 1
            }
            if forth {
                try await migrator(store.connection).up()
                #expect(try await store.migrator().status().allSatisfy { $0.state == .applied })
                _ = try await store.append(Sample.catalog(1), expecting: 0, author: "ann", comment: "")
                #expect(try await store.head()?.databaseID.utf8.count == 32)
            } else {
                try await migrator(store.connection).down(to: 0)
                #expect(try await backend.tables(store) == ["balancer_lease", "balancer_migrations"])
            }
        }
        #expect(killed >= 3 * Migrations.all.count)
    }

    @Test(arguments: Backend.all) func `a step that was interrupted shows in the status`(_ backend: Backend) async throws {
        let store = try await backend.openEmpty(scratch)
        // 2 tables, the lease's row, its taking, its renewal, the record; then the statement of step 1 does not run.
        let dying = DyingConnection(try await store.connection, after: 7)
        await #expect(throws: StorageError.self) { try await migrator(dying).up() }
        #expect(try await store.migrator().status().map { $0.state == .interrupted } == Migrations.all.map { $0.id == 1 })
    }

    @Test(arguments: Backend.all) func `of many processes that start at once one migrates and the others wait`(_ backend: Backend)
        async throws
    {
        let patient = MigrationClock(now: { 1_700_000_000_000 }, uptime: { .zero }, pause: { _ in await Task.yield() })
        var stores: [SQLStore] = []
        for _ in 0..<6 { stores.append(try await backend.openEmpty(scratch)) }
        let runs = try await withThrowingTaskGroup(of: [Int].self) { group in
            for store in stores {
                group.addTask { try await store.migrator(clock: patient).up().map(\.id) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(runs.count { $0 == Migrations.all.map(\.id) } == 1)
        #expect(runs.count { $0.isEmpty } == 5)
    }
}
