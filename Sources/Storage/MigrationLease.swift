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

    let connection: any SQLConnection
    let clock: MigrationClock
    let owner: String

    /// Waits until the lease is free, and takes it.
    ///
    /// - Throws: `.migrating` when it is not free within `patience` or the task is cancelled.
    func take() async throws(StorageError) {
        try await makeRow()
        let start = clock.now()
        var seen: (holder: Holder, at: Int64)?
        while true {
            let now = clock.now()
            let holder = try await current()
            if seen?.holder != holder { seen = (holder, now) }
            let end = min(holder.expires, (seen?.at ?? now) &+ MigrationLease.length)
            if holder.owner.isEmpty || holder.owner == owner || end <= now {
                if try await replace(holder) { return }
            } else if now &- start >= MigrationLease.patience || Task.isCancelled {
                throw StorageError(.migrating, at: connection.place, "\(holder.owner) holds the lease for \(end &- now) ms more")
            } else {
                await clock.pause(.milliseconds(min(250, end &- now)))
            }
        }
    }

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
