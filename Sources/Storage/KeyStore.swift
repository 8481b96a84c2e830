/// Where the keys of the API are kept.
public protocol KeyStore: Sendable {
    /// All keys, by name.
    func keys() async throws -> [APIKey]

    /// - Throws: `.duplicate` when the name is taken.
    func addKey(_ key: APIKey) async throws

    /// - Returns: false when there is no such key.
    func removeKey(named name: String) async throws -> Bool
}

/// The keys as a table, in statements that every SQL backend runs.
struct KeyTable: Sendable {
    let connection: any SQLConnection

    func keys() async throws(StorageError) -> [APIKey] {
        var keys: [APIKey] = []
        for row in try await connection.query("SELECT name, role, hash, created, expires FROM balancer_keys ORDER BY name", []) {
            guard row.count == 5, case .text(let name) = row[0], case .text(let role) = row[1], case .text(let hash) = row[2],
                case .integer(let created) = row[3], let role = Role(rawValue: role)
            else { throw StorageError(.corrupt, at: connection.place, "a key is not of the kind it was stored as") }
            var expires: Int64?
            if case .integer(let time) = row[4] { expires = time }
            keys.append(APIKey(name: name, role: role, hash: hash, created: created, expires: expires))
        }
        return keys
    }

    func add(_ key: APIKey) async throws(StorageError) {
        try await connection.execute(
            "INSERT INTO balancer_keys (name, role, hash, created, expires) VALUES (?, ?, ?, ?, ?)",
            [.text(key.name), .text(key.role.rawValue), .text(key.hash), .integer(key.created), key.expires.map(SQLValue.integer) ?? .null])
    }

    func remove(named name: String) async throws(StorageError) -> Bool {
        try await connection.execute("DELETE FROM balancer_keys WHERE name = ?", [.text(name)]) > 0
    }
}

extension SQLiteStore: KeyStore {
    public func keys() async throws(StorageError) -> [APIKey] { try await KeyTable(connection: connection).keys() }
    public func addKey(_ key: APIKey) async throws(StorageError) { try await KeyTable(connection: connection).add(key) }
    public func removeKey(named name: String) async throws(StorageError) -> Bool {
        try await KeyTable(connection: connection).remove(named: name)
    }
}
