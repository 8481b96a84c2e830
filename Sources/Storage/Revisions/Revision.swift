public import Steering

/// What tells one state of the database from another. A node applies what it finds whenever any of the three differs from what it
/// runs, backwards too: a restored database wins.
public struct Head: Sendable, Equatable {
    /// 128 random bits in hexadecimal, made with the database.
    public let databaseID: String
    public let revision: Int
    /// SHA-256 of the catalog's JSON text, in hexadecimal.
    public let checksum: String

    public init(databaseID: String, revision: Int, checksum: String) {
        self.databaseID = databaseID
        self.revision = revision
        self.checksum = checksum
    }
}

/// One accepted state of the catalog, with who made it, why and when.
public struct Revision: Sendable, Equatable {
    /// Counts up from 1.
    public let id: Int
    public let catalog: Catalog
    public let author: String
    public let comment: String
    /// Milliseconds since 1970-01-01 UTC, by the clock of the node that stored it.
    public let created: Int64
    /// SHA-256 of `catalog.document.json` as it was stored, in hexadecimal.
    public let checksum: String

    public init(id: Int, catalog: Catalog, author: String, comment: String, created: Int64, checksum: String) {
        self.id = id
        self.catalog = catalog
        self.author = author
        self.comment = comment
        self.created = created
        self.checksum = checksum
    }
}

/// A revision as lists show it, without its catalog.
public struct RevisionSummary: Sendable, Equatable {
    public let id: Int
    public let author: String
    public let comment: String
    /// Milliseconds since 1970-01-01 UTC, by the clock of the node that stored it.
    public let created: Int64
    /// SHA-256 of the catalog's JSON text, in hexadecimal.
    public let checksum: String
    /// What it changed; nil when that was not stored with it, as by an older release.
    public let changes: RevisionChanges?
}

/// A revision as the database has it: its catalog is text that nobody has checked or read yet.
///
/// Fetching waits for the database, reading computes; who serves many does the two in different places.
public struct StoredRevision: Sendable {
    public let summary: RevisionSummary
    /// JSON.
    let text: String
    /// For error messages.
    let place: String

    /// Bytes of the catalog's text.
    public var size: Int { text.utf8.count }

    /// Checks and reads the catalog.
    ///
    /// - Throws: `.unreadableRevision` when the text fails its checksum or is no valid catalog.
    public func read() throws(StorageError) -> Revision {
        func unreadable(_ reason: String) -> StorageError { StorageError(.unreadableRevision(summary.id), at: place, reason) }
        let bytes = Array(text.utf8)
        let actual = Checksum.sha256(of: bytes)
        guard actual == summary.checksum else { throw unreadable("its text has SHA-256 \(actual), stored was \(summary.checksum)") }
        do {
            return Revision(
                id: summary.id, catalog: try Catalog(Document(json: bytes)), author: summary.author, comment: summary.comment,
                created: summary.created, checksum: summary.checksum)
        } catch let faults as CatalogFaults {
            throw unreadable(faults.faults.map(\.description).joined(separator: "; "))
        } catch {
            throw unreadable("\(error)")
        }
    }
}
