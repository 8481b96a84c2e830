/// The balancers of a fleet as a table, and the poll that each of them lives by, in statements that every SQL backend runs.
struct NodeTable: Sendable {
    let connection: any SQLConnection

    private static let columns = "id, name, address, version, boot, started, revision, checksum, seen"

    /// The newest revision is joined with every key, so that one statement tells all, whoever changed it and how.
    func poll(nodesSeenSince since: Int64) async throws(StorageError) -> Polled? {
        let rows = try await connection.query(
            """
            SELECT i.value, r.id, r.checksum, (SELECT COUNT(*) FROM balancer_nodes WHERE seen >= ?), \(KeyTable.columns) \
            FROM (SELECT id, checksum FROM balancer_revisions ORDER BY id DESC LIMIT 1) AS r \
            LEFT JOIN balancer_identity AS i ON i.id = 1 LEFT JOIN balancer_keys AS k ON 1 = 1 ORDER BY k.name
            """, [.integer(since)])
        guard let first = rows.first else { return nil }
        guard first.count == 9, case .text(let databaseID) = first[0], case .integer(let id) = first[1],
            case .text(let checksum) = first[2],
            case .integer(let nodes) = first[3]
        else {
            throw StorageError(
                .corrupt, at: connection.place, "the newest revision or the database's id is not of the kind it was stored as")
        }
        var keys: [APIKey] = []
        let table = KeyTable(connection: connection)
        for row in rows where row[4] != .null { keys.append(try table.key(row[4...])) }
        return Polled(
            head: Head(databaseID: databaseID, revision: Int(id), checksum: checksum), keys: keys, nodesSeen: Int(nodes))
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

    func forget(unseenSince time: Int64) async throws(StorageError) {
        try await connection.execute("DELETE FROM balancer_nodes WHERE seen < ?", [.integer(time)])
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

extension SQLStore: FleetStore {
    private var nodeTable: NodeTable { NodeTable(connection: connection) }
    private var trafficTable: TrafficTable { TrafficTable(connection: connection) }

    public func poll(nodesSeenSince since: Int64) async throws -> Polled? { try await nodeTable.poll(nodesSeenSince: since) }
    public func register(_ node: FleetNode) async throws { try await nodeTable.register(node) }
    public func deregister(_ id: String) async throws { try await nodeTable.deregister(id) }
    public func nodes() async throws -> [FleetNode] { try await nodeTable.nodes() }
    public func tidy(now: Int64) async throws {
        try await nodeTable.forget(unseenSince: now - FleetNode.forgottenAfter)
        try await KeyTable(connection: connection).forgetUses()
    }
    public func write(_ batch: TrafficBatch) async throws { try await trafficTable.write(batch) }
    public func foldTraffic(of node: String, now: Int64) async throws { try await trafficTable.fold(of: node, now: now) }
    public func traffic(_ question: TrafficQuestion) async throws -> [TrafficSum] { try await trafficTable.sums(question) }
}
