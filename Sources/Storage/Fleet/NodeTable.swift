/// The balancers of a fleet as a table, and the poll that each of them lives by, in statements that every SQL backend runs.
struct NodeTable: Sendable {
    let connection: any SQLConnection

    private static let columns = "id, name, address, version, boot, started, revision, checksum, seen"

    /// What one statement tells.
    struct Answer: Sendable {
        let head: Head
        let keys: [APIKey]
        /// When each node wrote its row, by its own clock, by its id.
        let seen: [String: Int64]
        let isServerReadOnly: Bool
    }

    /// The newest revision is joined with every key and followed by every node, so that one statement tells all, whoever changed it and how.
    func poll() async throws(StorageError) -> Answer? {
        let rows = try await connection.query(
            """
            SELECT i.value AS value, r.id AS revision, r.checksum AS checksum, \(connection.dialect.readOnlyColumns), \
            \(KeyTable.columns), NULL AS seen \
            FROM (SELECT id, checksum FROM balancer_revisions ORDER BY id DESC LIMIT 1) AS r \
            LEFT JOIN balancer_identity AS i ON i.id = 1 LEFT JOIN balancer_keys AS k ON 1 = 1 \
            UNION ALL SELECT n.id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, n.seen \
            FROM (SELECT id, seen FROM balancer_nodes LIMIT 1000) AS n ORDER BY 6
            """, [], lane: .poll)
        guard rows.allSatisfy({ $0.count == 11 }) else { throw unreadable }
        var seen: [String: Int64] = [:]
        for row in rows { if case (.text(let id), .integer(let time)) = (row[0], row[10]) { seen[id] = time } }
        let heads = rows.filter { $0[1] != .null }
        guard let first = heads.first else { return nil }
        guard case .text(let databaseID) = first[0], case .integer(let id) = first[1], case .text(let checksum) = first[2] else {
            throw unreadable
        }
        let table = KeyTable(connection: connection)
        var keys: [APIKey] = []
        for row in heads where row[5] != .null { keys.append(try table.key(row[5..<10])) }
        return Answer(
            head: Head(databaseID: databaseID, revision: Int(id), checksum: checksum), keys: keys, seen: seen,
            isServerReadOnly: first[3...4].contains(where: NodeTable.isOn))
    }

    private var unreadable: StorageError {
        StorageError(.corrupt, at: connection.place, "the newest revision or the database's id is not of the kind it was stored as")
    }

    /// MariaDB 12 answers with words.
    private static func isOn(_ value: SQLValue) -> Bool {
        switch value {
        case .integer(let number): number != 0
        case .text(let word): word != "OFF" && word != "0"
        case .null, .foreign: false
        }
    }

    func register(_ node: FleetNode) async throws(StorageError) {
        let values: [SQLValue] = [
            .text(NodeTable.cut(node.name)), .text(NodeTable.cut(node.address)), .text(node.version), .text(node.boot),
            .integer(node.started),
            .integer(Int64(node.revision)), .text(node.checksum), .integer(node.seen), .text(node.id),
        ]
        let changed = try await connection.execute(
            """
            UPDATE balancer_nodes SET name = ?, address = ?, version = ?, boot = ?, started = ?, revision = ?, checksum = ?, seen = ? \
            WHERE id = ?
            """, values)
        guard changed == 0 else { return }
        do {
            try await connection.execute(
                """
                INSERT INTO balancer_nodes (name, address, version, boot, started, revision, checksum, seen, id) \
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, values)
        } catch  where error.kind == .duplicate {
            // A statement whose answer was lost ran before.
        }
    }

    func deregister(_ id: String) async throws(StorageError) {
        try await connection.execute("DELETE FROM balancer_nodes WHERE id = ?", [.text(id)])
    }

    func forget(_ ids: [String]) async throws(StorageError) {
        guard !ids.isEmpty else { return }
        let marks = ids.map { _ in "?" }.joined(separator: ", ")
        try await connection.execute("DELETE FROM balancer_nodes WHERE id IN (\(marks))", ids.map { .text($0) })
    }

    func nodes() async throws(StorageError) -> [FleetNode] {
        var nodes: [FleetNode] = []
        for row in try await connection.query("SELECT \(NodeTable.columns) FROM balancer_nodes ORDER BY name, id LIMIT 1000", []) {
            guard row.count == 9, case .text(let id) = row[0], case .text(let name) = row[1], case .text(let address) = row[2],
                case .text(let version) = row[3], case .text(let boot) = row[4], case .integer(let started) = row[5],
                case .integer(let revision) = row[6], case .text(let checksum) = row[7], case .integer(let seen) = row[8]
            else { throw StorageError(.corrupt, at: connection.place, "a row of balancer_nodes is not of the kind it was stored as") }
            nodes.append(
                FleetNode(
                    id: id, name: name, address: address, version: version, boot: boot, started: started, revision: Int(revision),
                    checksum: checksum, seen: seen))
        }
        return nodes
    }

    /// At most 255 characters, as the columns hold.
    private static func cut(_ text: String) -> String { String(String.UnicodeScalarView(text.unicodeScalars.prefix(255))) }
}
