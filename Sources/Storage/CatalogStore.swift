public import Steering

/// The history of catalogs in a database: each accepted change is a new, immutable revision.
///
/// All calls may be made from any task and at once. They wait for the database on its own threads. The tables are made by
/// `Migrator`; before that every call throws `.unprepared`.
public protocol CatalogStore: Sendable {
    /// Which revision is the newest, without reading its catalog: cheap enough to ask every second.
    ///
    /// - Returns: nil when no revision was stored yet.
    func head() async throws -> Head?

    /// The newest revision, its catalog not read yet; nil when none was stored yet.
    func newest() async throws -> StoredRevision?

    /// One revision of the past, its catalog not read yet; nil when there is none of this id.
    func stored(_ id: Int) async throws -> StoredRevision?

    /// Stores the successor of the revision that the draft expects; returns when it is durable.
    ///
    /// Its id, one more, is the primary key: of several writers who expect the same the database itself accepts one.
    ///
    /// - Throws: `.conflict(current:)` when the draft does not expect the newest revision; `.refused` for a text that is too long or has
    ///   a NUL.
    func append(_ draft: RevisionDraft) async throws -> Revision

    /// Revisions older than `before`, or the newest ones, without their catalogs; newest first.
    ///
    /// - Parameter limit: at most 1000 are read at once.
    func revisions(before: Int?, limit: Int) async throws -> [RevisionSummary]

    /// The ids of the databases that this one succeeds, oldest first: whoever followed one of them may follow this one.
    func predecessors() async throws -> [String]

    /// Notes the id of a database that this one succeeds; a second time it changes nothing. Of more than 100 the oldest is forgotten.
    ///
    /// - Throws: `.refused` for what is no database's id: 32 hexadecimal digits.
    func adopt(predecessor id: String) async throws
}

extension CatalogStore {
    /// The newest revision; nil when none was stored yet. Reads it where it is called.
    ///
    /// - Throws: `.unreadableRevision` when its text fails its checksum or is no valid catalog.
    public func load() async throws -> Revision? {
        guard let stored = try await newest() else { return nil }
        return try stored.read()
    }

    /// One revision of the past, as `load` has the newest.
    public func revision(_ id: Int) async throws -> Revision? {
        guard let stored = try await stored(id) else { return nil }
        return try stored.read()
    }

    /// Stores a catalog whose changes are found out later, or which is the first.
    public func append(_ catalog: Catalog, expecting: Int, author: String, comment: String) async throws -> Revision {
        try await append(RevisionDraft(catalog, replacing: nil, expecting: expecting, author: author, comment: comment))
    }
}
