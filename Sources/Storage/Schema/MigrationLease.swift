/// A row that says who may migrate, and until when.
///
/// `GET_LOCK` of MySQL is local to a Galera node and SQLite has nothing like it, so the lock is one row changed by compare-and-set.
/// The lease of a killed process ends by itself. One that ends later than a whole lease after it was first seen comes from a clock
/// that runs ahead, and is not believed. Steps are idempotent, so a clock behind can cost a step's time but no data.
struct MigrationLease: Sendable {
    /// Milliseconds. Renewed before each step, so it must outlast the longest one.
    static let length: Int64 = 30_000
    /// Milliseconds to wait for a process that renews its lease again and again.
    static let patience: Int64 = 300_000
    /// Milliseconds between two lines of whoever waits.
    static let reportPace: Int64 = 5000

    let connection: any SQLConnection
    let clock: MigrationClock
    let owner: String
    /// Told one line when it begins to wait, and more while it does.
    var report: @Sendable (String) -> Void = { _ in }

    /// Waits until the lease is free, and takes it.
    ///
    /// How long it waits is counted by the steady clock; the wall clock only tells a lease that ended before.
    ///
    /// - Throws: `.migrating` when it is not free within `patience`, or at once when the task is cancelled.
    func take() async throws(StorageError) {
        try await makeRow()
        let start = clock.uptime()
        var seen: (holder: Holder, at: Duration)?
        var reported: Duration?
        while true {
            let holder = try await current()
            let uptime = clock.uptime()
            if seen?.holder != holder { seen = (holder, uptime) }
            let now = clock.now()
            let left = min(
                holder.expires <= now ? 0 : holder.expires &- now,
                MigrationLease.length - MigrationLease.milliseconds(uptime - (seen?.at ?? uptime)))
            if holder.owner.isEmpty || holder.owner == owner || left <= 0 {
                if try await replace(holder) { return }
                continue
            }
            if uptime - start >= .milliseconds(MigrationLease.patience) { throw held(holder, left) }
            if reported.map({ uptime - $0 >= .milliseconds(MigrationLease.reportPace) }) ?? true {
                reported = uptime
                report(
                    "\(connection.place): another process migrates it, or was killed at it: waiting for its lease, \(left / 1000 + 1) s at most"
                )
            }
            if !Task.isCancelled { await clock.pause(.milliseconds(min(250, left))) }
            if Task.isCancelled { throw held(holder, left) }
        }
    }

    private func held(_ holder: Holder, _ left: Int64) -> StorageError {
        StorageError(.migrating, at: connection.place, "\(holder.owner) holds the lease for \(left) ms more")
    }

    private static func milliseconds(_ duration: Duration) -> Int64 { Int64(duration / .milliseconds(1)) }

    /// - Throws: `.leaseLost` when another process took it after it ran out.
    func renew() async throws(StorageError) {
        let mine = try await connection.execute(
            "UPDATE balancer_lease SET expires = ? WHERE id = 1 AND owner = ?",
            [.integer(clock.now() &+ MigrationLease.length), .text(owner)])
        guard mine == 1 else { throw StorageError(.leaseLost, at: connection.place, "the lease of \(owner) ran out") }
    }

    func release() async throws(StorageError) {
        try await connection.execute("UPDATE balancer_lease SET owner = '', expires = 0 WHERE id = 1 AND owner = ?", [.text(owner)])
    }

    private struct Holder: Equatable {
        let owner: String
        let expires: Int64
    }

    private func makeRow() async throws(StorageError) {
        do {
            try await connection.execute(
                """
                INSERT INTO balancer_lease (id, owner, expires) SELECT 1, '', 0 \
                FROM (SELECT COUNT(*) AS known FROM balancer_lease WHERE id = 1) AS state WHERE state.known = 0
                """, [])
        } catch  where error.kind == .duplicate {
            // Another process made it at the same moment.
        }
    }

    private func current() async throws(StorageError) -> Holder {
        let rows = try await connection.query("SELECT owner, expires FROM balancer_lease WHERE id = 1", [])
        guard let row = rows.first, row.count == 2, case .text(let owner) = row[0], case .integer(let expires) = row[1] else {
            throw StorageError(.corrupt, at: connection.place, "the row of balancer_lease is not as it was stored")
        }
        return Holder(owner: owner, expires: expires)
    }

    private func replace(_ holder: Holder) async throws(StorageError) -> Bool {
        try await connection.execute(
            "UPDATE balancer_lease SET owner = ?, expires = ? WHERE id = 1 AND owner = ? AND expires = ?",
            [.text(owner), .integer(clock.now() &+ MigrationLease.length), .text(holder.owner), .integer(holder.expires)]) == 1
    }
}
