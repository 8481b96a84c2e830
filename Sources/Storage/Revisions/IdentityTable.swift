/// Which database this is, and which ones it succeeds, in statements that every SQL backend runs.
///
/// Row 1 is the database's own id, made by the migration. Rows with a greater id are its predecessors', oldest first.
struct IdentityTable: Sendable {
    let connection: any SQLConnection

    /// More are never kept; the oldest goes first.
    static let maximumPredecessors = 100

    func predecessors() async throws(StorageError) -> [String] {
        var ids: [String] = []
        for row in try await connection.query("SELECT value FROM balancer_identity WHERE id > 1 ORDER BY id", []) {
            guard case .text(let id)? = row.first else {
                throw StorageError(.corrupt, at: connection.place, "a predecessor's id is not of the kind it was stored as")
            }
            ids.append(id)
        }
        return ids
    }

    func adopt(predecessor id: String) async throws(StorageError) {
        guard id.utf8.count == 32, id.utf8.allSatisfy(IdentityTable.isDigit) else {
            throw StorageError(.refused, at: connection.place, "a database's id has 32 hexadecimal digits, in lower case")
        }
        while true {
            do {
                return try await insert(id)
            } catch  where error.kind == .duplicate {
                // Another node took the number. Each round one of them succeeds, so this ends.
                if try await predecessors().contains(id) { return }
            }
        }
    }

    private func insert(_ id: String) async throws(StorageError) {
        try await connection.transaction([
            SQLStatement(
                """
                INSERT INTO balancer_identity (id, value) SELECT state.next, ? \
                FROM (SELECT MAX(id) + 1 AS next, COUNT(CASE WHEN value = ? THEN 1 END) AS known FROM balancer_identity) AS state \
                WHERE state.known = 0 AND state.next IS NOT NULL
                """, [.text(id), .text(id)]),
            SQLStatement(
                """
                DELETE FROM balancer_identity WHERE id > 1 \
                AND id <= (SELECT state.newest FROM (SELECT MAX(id) AS newest FROM balancer_identity) AS state) - ?
                """, [.integer(Int64(IdentityTable.maximumPredecessors))]),
        ])
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
