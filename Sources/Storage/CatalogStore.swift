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

    /// The newest revision; nil when none was stored yet.
    ///
    /// - Throws: `.unreadableRevision` when its text fails its checksum or is no valid catalog.
    func load() async throws -> Revision?

    /// Stores the successor of revision `expecting`; returns when it is durable.
    ///
    /// Its id, `expecting + 1`, is the primary key: of several writers who expect the same the database itself accepts one.
    ///
    /// - Parameters:
    ///   - expecting: the revision the change was made to; 0 for the first.
    ///   - author: who made it, at most 255 bytes.
    ///   - comment: why, at most 4096 bytes; may be empty.
    /// - Throws: `.conflict(current:)` when `expecting` is not the newest revision; `.refused` for a text that is too long or has a NUL.
    func append(_ catalog: Catalog, expecting: Int, author: String, comment: String) async throws -> Revision

    /// One revision of the past; nil when there is none of this id.
    func revision(_ id: Int) async throws -> Revision?

    /// Revisions older than `before`, or the newest ones; newest first.
    ///
    /// - Parameter limit: at most 1000 are read at once.
    func revisions(before: Int?, limit: Int) async throws -> [Revision]

    /// The ids of the databases that this one succeeds, oldest first: whoever followed one of them may follow this one.
    func predecessors() async throws -> [String]

    /// Notes the id of a database that this one succeeds; a second time it changes nothing. Of more than 100 the oldest is forgotten.
    ///
    /// - Throws: `.refused` for what is no database's id: 32 hexadecimal digits.
    func adopt(predecessor id: String) async throws
}
