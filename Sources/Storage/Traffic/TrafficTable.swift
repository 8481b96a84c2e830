/// The history of traffic as a table, in statements that every SQL backend runs.
///
/// A row of a minute is written once, by the node that counted it, under a key with the node's boot: what is retried is refused by the
/// key, and what another run counted has another. Folding replaces rows by their sum in one transaction, under a boot of its own, so a
/// minute that comes late makes a second row of its hour instead of meeting the first.
struct TrafficTable: Sendable {
    let connection: any SQLConnection

    /// How long each length is kept, in seconds.
    static let minutesKept: Int64 = 6 * 3600
    static let hoursKept: Int64 = 14 * 86400
    static let daysKept: Int64 = 400 * 86400
    /// How much longer a node's rows wait for the node itself to fold them.
    static let patience: Int64 = 6 * 3600
    /// Periods folded by one call, each in a transaction of its own.
    private static let maximumFolds = 48

    private static let columns = "seconds, begins, node, boot, target, cdn, server, status, requests"

    func write(_ batch: TrafficBatch) async throws(StorageError) {
        guard !batch.rows.isEmpty else { return }
        let rows = batch.rows.map { _ in "(60, ?, ?, ?, ?, ?, ?, ?, ?)" }.joined(separator: ", ")
        let values: [SQLValue] = batch.rows.flatMap { row in
            [
                SQLValue.integer(batch.begins), .text(batch.node), .text(batch.boot), .text(row.key.target.rawValue), .text(row.key.cdn),
                .text(row.key.server), .integer(Int64(row.key.status)), .integer(row.requests),
            ]
        }
        do {
            try await connection.execute("INSERT INTO balancer_traffic (\(TrafficTable.columns)) VALUES \(rows)", values)
        } catch  where error.kind == .duplicate {
            // An attempt whose answer was lost had stored it. The statement is all or nothing, and nobody else has this boot.
        }
    }

    func fold(of node: String, now: Int64) async throws(StorageError) {
        try await fold(60, into: 3600, keeping: TrafficTable.minutesKept, of: node, now: now)
        try await fold(3600, into: 86400, keeping: TrafficTable.hoursKept, of: node, now: now)
        try await connection.execute(
            "DELETE FROM balancer_traffic WHERE seconds = 86400 AND begins < ?", [.integer(now - TrafficTable.daysKept)])
    }

    private func fold(_ short: Int64, into long: Int64, keeping kept: Int64, of node: String, now: Int64) async throws(StorageError) {
        // Whole long periods only.
        let end = (now - kept) / long * long
        let periods = try await connection.query(
            """
            SELECT DISTINCT begins - begins % \(long) AS period, node FROM balancer_traffic \
            WHERE seconds = \(short) AND begins < ? AND (node = ? OR begins < ?) ORDER BY period, node LIMIT \(TrafficTable.maximumFolds)
            """, [.integer(end), .text(node), .integer(end - TrafficTable.patience)])
        for row in periods {
            guard row.count == 2, case .integer(let period) = row[0], case .text(let node) = row[1] else { throw unreadable }
            let source = "FROM balancer_traffic WHERE seconds = \(short) AND begins >= ? AND begins < ? AND node = ?"
            let range: [SQLValue] = [.integer(period), .integer(period + long), .text(node)]
            try await connection.transaction([
                SQLStatement(
                    """
                    INSERT INTO balancer_traffic (\(TrafficTable.columns)) \
                    SELECT \(long), ?, node, ?, target, cdn, server, status, SUM(requests) \(source) \
                    GROUP BY node, target, cdn, server, status
                    """, [.integer(period), .text(Checksum.randomID())] + range),
                SQLStatement("DELETE \(source)", range),
            ])
        }
    }

    /// - Returns: the beginning of the third newest period; nil when there are fewer.
    func newest() async throws(StorageError) -> Int64? {
        try await connection.query("SELECT DISTINCT begins FROM balancer_traffic ORDER BY begins DESC LIMIT 1 OFFSET 2", [])
            .first?.first?.number
    }

    /// A folded period counts where its beginning, rounded down likewise, is asked for.
    func sums(_ question: TrafficQuestion) async throws(StorageError) -> [TrafficSum] {
        let names = question.by.map { dimension in
            dimension.seconds.map { "begins - begins % \($0)" } ?? dimension.rawValue
        }
        let selected = names.indices.map { "\(names[$0]) AS g\($0), " }.joined()
        let groups = names.indices.map { "g\($0)" }.joined(separator: ", ")
        let order = groups.isEmpty ? "" : "GROUP BY \(groups) ORDER BY \(groups) "
        let lengths: [Int64] = [60, 3600, 86400]
        let rows = try await connection.query(
            """
            SELECT \(selected)SUM(requests) FROM balancer_traffic \
            WHERE \(lengths.map { "(seconds = \($0) AND begins >= ? AND begins < ?)" }.joined(separator: " OR ")) \
            \(order)LIMIT \(TrafficQuestion.maximumSums)
            """, lengths.flatMap { [.integer(question.from / $0 * $0), .integer(question.to)] })
        var sums: [TrafficSum] = []
        for row in rows {
            guard row.count == names.count + 1, let last = row.last else { throw unreadable }
            // The sum over nothing.
            if last == .null { continue }
            guard case .integer(let requests) = last else { throw unreadable }
            var values: [TrafficSum.Value] = []
            for value in row.dropLast() {
                switch value {
                case .text(let text): values.append(.text(text))
                case .integer(let number): values.append(.number(number))
                default: throw unreadable
                }
            }
            sums.append(TrafficSum(values: values, requests: requests))
        }
        return sums
    }

    private var unreadable: StorageError {
        StorageError(.corrupt, at: connection.place, "a row of balancer_traffic is not of the kind it was stored as")
    }
}
