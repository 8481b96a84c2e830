/// What the database says of the steps it has seen.
///
/// A step is recorded before its statement runs and once more after it, so a kill in between is seen by the next start and by a
/// later way back alike.
struct MigrationRecord: Sendable {
    enum State: String { case applying, applied, reverting }

    let connection: any SQLConnection
    let steps: [Migration]

    /// - Returns: the state of each step the database knows; empty when it was never migrated.
    /// - Throws: `.newer` for a step that this program does not have, `.alteredStep` for one with another text.
    func states() async throws(StorageError) -> [Int: State] {
        let tables = try await connection.query(connection.dialect.countTables, [.text("balancer_migrations")])
        guard tables.first?.first == .integer(1) else { return [:] }
        var states: [Int: State] = [:]
        for row in try await connection.query("SELECT id, checksum, state FROM balancer_migrations ORDER BY id DESC", []) {
            guard row.count == 3, case .integer(let id) = row[0], case .text(let checksum) = row[1], case .text(let word) = row[2],
                let state = State(rawValue: word)
            else { throw StorageError(.corrupt, at: connection.place, "a row of balancer_migrations is not as it was stored") }
            guard let step = steps.first(where: { Int64($0.id) == id }) else {
                throw StorageError(.newer(found: Int(id), known: steps.last?.id ?? 0), at: connection.place, "")
            }
            let known = step.checksum(for: connection.dialect)
            guard known == checksum else {
                let detail = "\"\(step.name)\" has SHA-256 \(known), recorded is \(checksum)"
                throw StorageError(.alteredStep(step.id), at: connection.place, detail)
            }
            states[step.id] = state
        }
        return states
    }

    func note(_ step: Migration, _ state: State, at time: Int64) async throws(StorageError) {
        let changed = try await connection.execute(
            "UPDATE balancer_migrations SET state = ?, changed = ? WHERE id = ?",
            [.text(state.rawValue), .integer(time), .integer(Int64(step.id))])
        guard changed == 0 else { return }
        try await connection.execute(
            "INSERT INTO balancer_migrations (id, name, checksum, state, changed) VALUES (?, ?, ?, ?, ?)",
            [
                .integer(Int64(step.id)), .text(step.name), .text(step.checksum(for: connection.dialect)), .text(state.rawValue),
                .integer(time),
            ],
            // Only the holder of the lease writes here.
            proof: SQLQuery(sql: "SELECT 1 FROM balancer_migrations WHERE id = ?", arguments: [.integer(Int64(step.id))]))
    }

    func forget(_ step: Migration) async throws(StorageError) {
        try await connection.execute("DELETE FROM balancer_migrations WHERE id = ?", [.integer(Int64(step.id))])
    }
}
