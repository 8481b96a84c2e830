import Steering
import Storage

/// The catalog that this balancer answers from, and which revision of which database it is.
struct Published: Sendable {
    /// Without an id where the database is not known, without a checksum where the catalog is from the state file.
    let head: Head
    let catalog: Catalog

    init(head: Head, catalog: Catalog) {
        self.head = head
        self.catalog = catalog
    }

    init(_ revision: Revision, databaseID: String) {
        head = Head(databaseID: databaseID, revision: revision.id, checksum: revision.checksum)
        catalog = revision.catalog
    }

    var databaseID: String { head.databaseID }
    var revision: Int { head.revision }
    var checksum: String { head.checksum }
}
