/// Where the keys of the API are kept.
extension SQLStore {
    /// All keys with their last uses, by name.
    public func keys() async throws -> [APIKey] { try await read { try await KeyTable(connection: $0).keys() } }

    /// - Throws: `.duplicate` when the name is taken.
    public func addKey(_ key: APIKey) async throws { try await write { try await KeyTable(connection: $0).add(key) } }

    /// - Returns: false when there is no such key.
    public func removeKey(named name: String) async throws -> Bool {
        try await write { try await KeyTable(connection: $0).remove(named: name) }
    }

    /// Writes down when keys were last used.
    ///
    /// - Parameter uses: milliseconds since 1970, UTC, by the hash of the key's token; at most 1000 are written.
    public func noteUses(_ uses: [String: Int64]) async throws { try await write { try await KeyTable(connection: $0).noteUses(uses) } }
}
