/// The keys as a table, in statements that every SQL backend runs.
struct KeyTable: Sendable {
    let connection: any SQLConnection

    /// Columns of a key in a query that calls the table `k`.
    static let columns = "k.name, k.role, k.hash, k.created, k.expires"

    func keys() async throws(StorageError) -> [APIKey] {
        let sql = """
            SELECT \(KeyTable.columns), u.used FROM balancer_keys AS k LEFT JOIN balancer_key_uses AS u ON u.hash = k.hash ORDER BY k.name
            """
        var keys: [APIKey] = []
        for row in try await connection.query(sql, []) {
            guard row.count == 6 else { throw unreadable }
            keys.append(try key(row[..<5], used: row[5]))
        }
        return keys
    }

    /// - Parameter row: values of `columns`.
    func key(_ row: ArraySlice<SQLValue>, used: SQLValue = .null) throws(StorageError) -> APIKey {
        let row = Array(row)
        guard row.count == 5, case .text(let name) = row[0], case .text(let role) = row[1], case .text(let hash) = row[2],
            case .integer(let created) = row[3], let role = Role(rawValue: role)
        else { throw unreadable }
        return APIKey(name: name, role: role, hash: hash, created: created, expires: row[4].number, lastUsed: used.number)
    }

    private var unreadable: StorageError { StorageError(.corrupt, at: connection.place, "a key is not of the kind it was stored as") }

    func add(_ key: APIKey) async throws(StorageError) {
        try await connection.execute(
            "INSERT INTO balancer_keys (name, role, hash, created, expires) VALUES (?, ?, ?, ?, ?)",
            [
                .text(key.name), .text(key.role.rawValue), .text(key.hash), .integer(key.created),
                key.expires.map(SQLValue.integer) ?? .null,
            ],
            // Two tokens never have one hash.
            proof: SQLQuery(
                sql: "SELECT 1 FROM balancer_keys WHERE name = ? AND hash = ?", arguments: [.text(key.name), .text(key.hash)]))
    }

    func remove(named name: String) async throws(StorageError) -> Bool {
        try await connection.execute("DELETE FROM balancer_keys WHERE name = ?", [.text(name)]) > 0
    }

    func noteUses(_ uses: [String: Int64]) async throws(StorageError) {
        let uses = uses.sorted { $0.key < $1.key }.prefix(1000)
        guard !uses.isEmpty else { return }
        let marks = uses.map { _ in "?" }.joined(separator: ", ")
        let rows = uses.map { _ in "(?, ?)" }.joined(separator: ", ")
        try await connection.transaction([
            SQLStatement("DELETE FROM balancer_key_uses WHERE hash IN (\(marks))", uses.map { .text($0.key) }),
            SQLStatement(
                "INSERT INTO balancer_key_uses (hash, used) VALUES \(rows)", uses.flatMap { [.text($0.key), .integer($0.value)] }),
        ])
    }

    /// Uses of keys that are gone.
    func forgetUses() async throws(StorageError) {
        try await connection.execute("DELETE FROM balancer_key_uses WHERE hash NOT IN (SELECT hash FROM balancer_keys)", [])
    }
}
