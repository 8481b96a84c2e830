import Steering

/// The catalog's history as a table, in statements that every SQL backend runs.
struct RevisionTable: Sendable {
    let connection: any SQLConnection

    static let maximumAuthor = 255
    static let maximumComment = 4096
    static let maximumPage = 1000

    private static let columns = "id, author, comment, created, checksum, catalog"

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

    func newest() async throws(StorageError) -> StoredRevision? {
        try await fetch("SELECT \(RevisionTable.columns) FROM balancer_revisions ORDER BY id DESC LIMIT 1", [], lane: .poll)
    }

    func stored(_ id: Int) async throws(StorageError) -> StoredRevision? {
        try await fetch("SELECT \(RevisionTable.columns) FROM balancer_revisions WHERE id = ?", [.integer(Int64(id))])
    }

    func revisions(before: Int?, limit: Int) async throws(StorageError) -> [RevisionSummary] {
        let limit = Int64(min(max(limit, 0), RevisionTable.maximumPage))
        let rows = try await connection.query(
            """
            SELECT r.id, r.author, r.comment, r.created, r.checksum, c.total, c.changes FROM balancer_revisions AS r \
            LEFT JOIN balancer_revision_changes AS c ON c.id = r.id AND c.checksum = r.checksum \
            WHERE r.id < ? ORDER BY r.id DESC LIMIT ?
            """, [.integer(before.map(Int64.init) ?? Int64.max), .integer(limit)])
        var summaries: [RevisionSummary] = []
        for row in rows {
            var changes: RevisionChanges?
            if row.count == 7, case .integer(let total) = row[5], case .text(let text) = row[6] {
                changes = RevisionChanges(count: total, text: text)
            }
            summaries.append(try summary(row, changes))
        }
        return summaries
    }

    /// - Parameter now: milliseconds since 1970-01-01 UTC.
    func append(_ draft: RevisionDraft, at now: Int64) async throws(StorageError) -> Revision {
        try check(draft.author, "author", maximum: RevisionTable.maximumAuthor)
        try check(draft.comment, "comment", maximum: RevisionTable.maximumComment)
        let (id, overflow) = draft.expecting.addingReportingOverflow(1)
        let revision = Revision(
            id: id, catalog: draft.catalog, author: draft.author, comment: draft.comment, created: now, checksum: draft.checksum)
        guard !overflow, try await insert(revision, text: draft.text) else {
            throw StorageError(
                .conflict(current: try await newestID()), at: connection.place, "the change was made to revision \(draft.expecting)")
        }
        if let changes = draft.changes { await keep(changes, of: revision) }
        return revision
    }

    /// After the revision, so that a writer who comes second leaves nothing. The revision is stored: what fails here is not told, as the
    /// changes can be found out from the catalogs.
    private func keep(_ changes: RevisionChanges, of revision: Revision) async {
        _ = try? await connection.execute(
            "REPLACE INTO balancer_revision_changes (id, checksum, total, changes) VALUES (?, ?, ?, ?)",
            [.integer(Int64(revision.id)), .text(revision.checksum), .integer(Int64(changes.count)), .text(changes.text)])
    }

    /// The primary key refuses a second successor of one revision; the condition refuses the successor of one that does not exist.
    private func insert(_ revision: Revision, text: String) async throws(StorageError) -> Bool {
        let values: [SQLValue] = [
            .integer(Int64(revision.id)), .text(revision.author), .text(revision.comment), .integer(revision.created),
            .text(revision.checksum), .text(text), .integer(Int64(revision.id - 1)),
        ]
        // Another writer's row differs in at least one: the author, the moment, or what was written.
        let proof = SQLQuery(
            sql: """
                SELECT 1 FROM balancer_revisions WHERE id = ? AND checksum = ? AND author = ? AND comment = ? AND created = ?
                """,
            arguments: [values[0], values[4], values[1], values[2], values[3]])
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

    private func newestID() async throws(StorageError) -> Int {
        let rows = try await connection.query("SELECT COALESCE(MAX(id), 0) FROM balancer_revisions", [])
        guard case .integer(let id)? = rows.first?.first else {
            throw StorageError(.corrupt, at: connection.place, "the newest revision's id is no number")
        }
        return Int(id)
    }

    private func check(_ text: String, _ name: String, maximum: Int) throws(StorageError) {
        guard text.utf8.count <= maximum else {
            throw StorageError(.refused, at: connection.place, "the \(name) has \(text.utf8.count) bytes; at most \(maximum) are stored")
        }
        // SQLite and C clients end a text at the first NUL.
        guard !text.utf8.contains(0) else { throw StorageError(.refused, at: connection.place, "the \(name) contains a NUL character") }
    }

    private func fetch(
        _ sql: String, _ arguments: [SQLValue], lane: SQLLane = .read
    ) async throws(StorageError) -> StoredRevision? {
        guard let row = try await connection.query(sql, arguments, lane: lane).first else { return nil }
        let summary = try summary(row, nil)
        guard row.count == 6, case .text(let text) = row[5] else { throw unreadable(summary.id) }
        return StoredRevision(summary: summary, text: text, place: connection.place)
    }

    /// Of a row that begins with id, author, comment, moment and checksum.
    private func summary(_ row: [SQLValue], _ changes: RevisionChanges?) throws(StorageError) -> RevisionSummary {
        guard row.count >= 5, case .integer(let id) = row[0] else {
            throw StorageError(.corrupt, at: connection.place, "a revision's id is no number")
        }
        guard case .text(let author) = row[1], case .text(let comment) = row[2], case .integer(let created) = row[3],
            case .text(let checksum) = row[4]
        else { throw unreadable(Int(id)) }
        return RevisionSummary(id: Int(id), author: author, comment: comment, created: created, checksum: checksum, changes: changes)
    }

    private func unreadable(_ id: Int) -> StorageError {
        StorageError(.unreadableRevision(id), at: connection.place, "a column is not of the kind it was stored as")
    }
}
