public import Steering

/// A catalog ready to be stored: all that has to be computed of it is.
public struct RevisionDraft: Sendable {
    public let catalog: Catalog
    public let document: Document
    let text: String
    let checksum: String
    let changes: RevisionChanges?
    /// The revision the change was made to; 0 for the first.
    let expecting: Int
    /// Who made it, at most 255 bytes.
    let author: String
    /// Why, at most 4096 bytes; may be empty.
    let comment: String

    /// - Parameter previous: the document of revision `expecting`; nil when it is not known, for then its changes are found out later.
    public init(_ catalog: Catalog, replacing previous: Document?, expecting: Int, author: String, comment: String) {
        self.catalog = catalog
        self.expecting = expecting
        self.author = author
        self.comment = comment
        document = catalog.document
        text = document.json
        checksum = Checksum.sha256(of: text)
        changes = expecting == 0 ? RevisionChanges.none : previous.map { [document] in RevisionChanges(from: $0, to: document) }
    }
}
