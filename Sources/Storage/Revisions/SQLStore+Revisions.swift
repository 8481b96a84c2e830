public import Steering

/// The history of catalogs: each accepted change is a new, immutable revision.
extension SQLStore {
    /// Which revision is the newest, without reading its catalog: cheap enough to ask every second.
    ///
    /// - Returns: nil when no revision was stored yet.
    public func head() async throws -> Head? { try await read { try await RevisionTable(connection: $0).head() } }

    /// The newest revision, its catalog not read yet; nil when none was stored yet.
    public func newest() async throws -> StoredRevision? { try await read { try await RevisionTable(connection: $0).newest() } }

    /// One revision of the past, its catalog not read yet; nil when there is none of this id.
    public func stored(_ id: Int) async throws -> StoredRevision? { try await read { try await RevisionTable(connection: $0).stored(id) } }

    /// Revisions older than `before`, or the newest ones, without their catalogs; newest first.
    ///
    /// - Parameter limit: at most 1000 are read at once.
    public func revisions(before: Int?, limit: Int) async throws -> [RevisionSummary] {
        try await read { try await RevisionTable(connection: $0).revisions(before: before, limit: limit) }
    }

    /// Stores the successor of the revision that the draft expects; returns when it is durable.
    ///
    /// Its id, one more, is the primary key: of several writers who expect the same the database itself accepts one.
    ///
    /// - Throws: `.conflict(current:)` when the draft does not expect the newest revision; `.refused` for a text that is too long or has
    ///   a NUL.
    public func append(_ draft: RevisionDraft) async throws -> Revision {
        try await write { [now] in try await RevisionTable(connection: $0).append(draft, at: now()) }
    }

    /// Stores a catalog whose changes are found out later, or which is the first.
    public func append(_ catalog: Catalog, expecting: Int, author: String, comment: String) async throws -> Revision {
        try await append(RevisionDraft(catalog, replacing: nil, expecting: expecting, author: author, comment: comment))
    }

    /// The ids of the databases that this one succeeds, oldest first: whoever followed one of them may follow this one.
    public func predecessors() async throws -> [String] { try await read { try await IdentityTable(connection: $0).predecessors() } }

    /// Notes the id of a database that this one succeeds; a second time it changes nothing. Of more than 100 the oldest is forgotten.
    ///
    /// - Throws: `.refused` for what is no database's id: 32 hexadecimal digits.
    public func adopt(predecessor id: String) async throws {
        try await write { try await IdentityTable(connection: $0).adopt(predecessor: id) }
    }
}
