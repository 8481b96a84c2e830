import Steering

/// The catalog's history as a table, in statements that every SQL backend runs.
struct RevisionTable: Sendable {
    let connection: any SQLConnection
    /// Milliseconds since 1970-01-01 UTC.
    let now: @Sendable () -> Int64

    static let longestAuthor = 255
    static let longestComment = 4096
    static let longestPage = 1000

    private static let columns = "id, catalog, author, comment, created, checksum"

    func head() async throws(StorageError) -> Head? {
        // The outer join keeps a lost identity row from looking like an empty database.
        let rows = try await connection.query(
            """
            SELECT i.value, r.id, r.checksum FROM balancer_revisions AS r \
            LEFT JOIN balancer_identity AS i ON i.id = 1 ORDER BY r.id DESC LIMIT 1
            """, [], lane: .poll)
        guard let row = rows.first else { return nil }
        guard row.count == 3, case .text(let databaseID) = row[0], case .integer(let id) = row[1], case .text(let checksum) = row[2] else {
            throw StorageError(
                .corrupt, at: connection.place, "the newest revision or the database's id is not of the kind it was stored as")
        }
        return Head(databaseID: databaseID, revision: Int(id), checksum: checksum)
    }

    func load() async throws(StorageError) -> Revision? {
        let sql = "SELECT \(RevisionTable.columns) FROM balancer_revisions ORDER BY id DESC LIMIT 1"
        return try await read(sql, [], lane: .poll).first
    }

    func revision(_ id: Int) async throws(StorageError) -> Revision? {
        let sql = "SELECT \(RevisionTable.columns) FROM balancer_revisions WHERE id = ?"
        return try await read(sql, [.integer(Int64(id))]).first
    }

    func revisions(before: Int?, limit: Int) async throws(StorageError) -> [Revision] {
        let limit = Int64(min(max(limit, 0), RevisionTable.longestPage))
        let sql = "SELECT \(RevisionTable.columns) FROM balancer_revisions WHERE id < ? ORDER BY id DESC LIMIT ?"
        return try await read(sql, [.integer(before.map(Int64.init) ?? Int64.max), .integer(limit)])
    }

    func append(_ catalog: Catalog, expecting: Int, author: String, comment: String) async throws(StorageError) -> Revision {
        try check(author, "author", longest: RevisionTable.longestAuthor)
        try check(comment, "comment", longest: RevisionTable.longestComment)
        let text = catalog.document.json
        let (id, overflow) = expecting.addingReportingOverflow(1)
        let revision = Revision(
            id: id, catalog: catalog, author: author, comment: comment, created: now(), checksum: Checksum.sha256(of: text))
        guard !overflow, try await insert(revision, text: text) else {
            throw StorageError(.conflict(current: try await newest()), at: connection.place, "the change was made to revision \(expecting)")
        }
        return revision
    }

    /// The primary key refuses a second successor of one revision; the condition refuses the successor of one that does not exist.
    private func insert(_ revision: Revision, text: String) async throws(StorageError) -> Bool {
        let values: [SQLValue] = [
            .integer(Int64(revision.id)), .text(text), .text(revision.author), .text(revision.comment), .integer(revision.created),
            .text(revision.checksum), .integer(Int64(revision.id - 1)),
        ]
        // Another writer's row differs in at least one: the author, the moment, or what was written.
        let proof = SQLQuery(
            sql: """
                SELECT 1 FROM balancer_revisions WHERE id = ? AND checksum = ? AND author = ? AND comment = ? AND created = ?
                """,
            arguments: [values[0], values[5], values[2], values[3], values[4]])
        do {
            return try await connection.execute(
                """
                INSERT INTO balancer_revisions (\(RevisionTable.columns)) SELECT ?, ?, ?, ?, ?, ? \
                FROM (SELECT COALESCE(MAX(id), 0) AS newest FROM balancer_revisions) AS state WHERE state.newest = ?
                """, values, proof: proof) == 1
        } catch  where error.kind == .duplicate {
            return false
        }
    }

    private func newest() async throws(StorageError) -> Int {
        let rows = try await connection.query("SELECT COALESCE(MAX(id), 0) FROM balancer_revisions", [])
        guard case .integer(let id)? = rows.first?.first else {
            throw StorageError(.corrupt, at: connection.place, "the newest revision's id is no number")
        }
        return Int(id)
    }

    private func check(_ text: String, _ name: String, longest: Int) throws(StorageError) {
        guard text.utf8.count <= longest else {
            throw StorageError(.refused, at: connection.place, "the \(name) has \(text.utf8.count) bytes; at most \(longest) are stored")
        }
        // SQLite and C clients end a text at the first NUL.
        guard !text.utf8.contains(0) else { throw StorageError(.refused, at: connection.place, "the \(name) contains a NUL character") }
    }

    private func read(_ sql: String, _ arguments: [SQLValue], lane: SQLLane = .read) async throws(StorageError) -> [Revision] {
        var revisions: [Revision] = []
        for row in try await connection.query(sql, arguments, lane: lane) { revisions.append(try decode(row)) }
        return revisions
    }

    private func decode(_ row: [SQLValue]) throws(StorageError) -> Revision {
        guard row.count == 6, case .integer(let id) = row[0] else {
            throw StorageError(.corrupt, at: connection.place, "a revision's id is no number")
        }
        func unreadable(_ reason: String) -> StorageError { StorageError(.unreadableRevision(Int(id)), at: connection.place, reason) }
        guard case .text(let text) = row[1], case .text(let author) = row[2], case .text(let comment) = row[3],
            case .integer(let created) = row[4], case .text(let checksum) = row[5]
        else { throw unreadable("a column is not of the kind it was stored as") }
        let actual = Checksum.sha256(of: text)
        guard actual == checksum else { throw unreadable("its text has SHA-256 \(actual), stored was \(checksum)") }
        do {
            let catalog = try Catalog(Document(json: Array(text.utf8)))
            return Revision(id: Int(id), catalog: catalog, author: author, comment: comment, created: created, checksum: checksum)
        } catch let faults as CatalogFaults {
            throw unreadable(faults.faults.map(\.description).joined(separator: "; "))
        } catch {
            throw unreadable("\(error)")
        }
    }
}
