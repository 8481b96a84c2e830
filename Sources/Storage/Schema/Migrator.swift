/// Makes and changes the tables of a database, the same way for every SQL backend.
///
/// Of several processes that start at once one migrates and the others wait for it. A process that is killed in the middle leaves a
/// state that the next start finishes. Statements run on the database's own threads.
public struct Migrator: Sendable {
    let connection: any SQLConnection
    let steps: [Migration]
    let clock: MigrationClock
    let owner: String

    init(
        _ connection: any SQLConnection, steps: [Migration] = Migrations.all, clock: MigrationClock,
        owner: String = Checksum.randomID()
    ) {
        self.connection = connection
        self.steps = steps
        self.clock = clock
        self.owner = owner
    }

    /// The step that a fully migrated database is at.
    public var newest: Int { steps.last?.id ?? 0 }

    /// How far the database is.
    ///
    /// - Throws: `.newer` when a newer program migrated it, `.alteredStep` when a step's recorded text is not this program's.
    public func status() async throws(StorageError) -> [MigrationStatus] {
        let states = try await record.states()
        return steps.map { step in
            let state: MigrationStatus.State =
                switch states[step.id] {
                case .applied: .applied
                case .applying, .reverting: .interrupted
                case nil: .pending
                }
            return MigrationStatus(id: step.id, name: step.name, state: state)
        }
    }

    /// Runs every step that is not applied, oldest first. A database that is up to date is only read, so it may be locked or read-only.
    ///
    /// - Parameter report: told one line when it begins to wait for another process's lease, and one every 5 s while it does.
    /// - Returns: the steps run now; empty when there was nothing to do.
    /// - Throws: as `status()`; `.migrating` when another process holds the lease for too long, and at once when the
    ///   task is cancelled while it waits; whatever a statement fails with.
    @discardableResult
    public func up(report: @escaping @Sendable (String) -> Void = { _ in }) async throws(StorageError) -> [MigrationStatus] {
        if try await status().allSatisfy({ $0.state == .applied }) { return [] }
        return try await holdingLease(report) { () async throws(StorageError) in
            // Whoever held the lease before may have done it all.
            let states = try await record.states()
            var done: [MigrationStatus] = []
            for step in steps where states[step.id] != .applied {
                try await lease.renew()
                try await apply(step)
                done.append(MigrationStatus(id: step.id, name: step.name, state: .applied))
            }
            return done
        }
    }

    /// What going back to step `target` would lose, a sentence each, newest first; empty when it loses nothing.
    public func losses(downTo target: Int) async throws(StorageError) -> [String] {
        let states = try await record.states()
        return steps.reversed().filter { $0.id > target && states[$0.id] != nil }.compactMap(\.loses)
    }

    /// Takes back every step after `target`, newest first. Loses data: ask `losses(downTo:)` and a person before.
    ///
    /// - Parameter target: the last step to keep; 0 takes back all.
    /// - Returns: the steps taken back.
    /// - Throws: `.refused` for a step that does not exist; else as `up()`.
    @discardableResult
    public func down(to target: Int) async throws(StorageError) -> [MigrationStatus] {
        guard (0...newest).contains(target) else {
            throw StorageError(.refused, at: connection.place, "there is no migration step \(target); give 0 to \(newest)")
        }
        if try await record.states().keys.allSatisfy({ $0 <= target }) { return [] }
        return try await holdingLease { () async throws(StorageError) in
            let states = try await record.states()
            var done: [MigrationStatus] = []
            for step in steps.reversed() where step.id > target && states[step.id] != nil {
                try await lease.renew()
                try await revert(step)
                done.append(MigrationStatus(id: step.id, name: step.name, state: .pending))
            }
            return done
        }
    }

    private var record: MigrationRecord { MigrationRecord(connection: connection, steps: steps) }
    private var lease: MigrationLease { MigrationLease(connection: connection, clock: clock, owner: owner) }

    private func apply(_ step: Migration) async throws(StorageError) {
        try await record.note(step, .applying, at: clock.now())
        let arguments: [SQLValue] = step.argument == .randomID ? [.text(Checksum.randomID())] : []
        try await connection.execute(step.text(step.up, for: connection.dialect), arguments)
        try await record.note(step, .applied, at: clock.now())
    }

    private func revert(_ step: Migration) async throws(StorageError) {
        try await record.note(step, .reverting, at: clock.now())
        try await connection.execute(step.text(step.down, for: connection.dialect), [])
        try await record.forget(step)
    }

    private func holdingLease<Value: Sendable>(
        _ report: @escaping @Sendable (String) -> Void = { _ in }, _ body: () async throws(StorageError) -> Value
    ) async throws(StorageError) -> Value {
        for table in [Migrations.record, Migrations.lease] {
            let sql = table.split(separator: "{options}", omittingEmptySubsequences: false).joined(
                separator: connection.dialect.tableOptions)
            try await connection.execute(sql, [])
        }
        var lease = lease
        lease.report = report
        try await lease.take()
        do {
            let value = try await body()
            try await lease.release()
            return value
        } catch {
            // The first error is the one to tell; a lease that cannot be given back ends by itself.
            try? await lease.release()
            throw error
        }
    }
}
