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
