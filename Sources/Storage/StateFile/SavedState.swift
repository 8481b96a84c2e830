public import Steering

/// What the balancer needs to go on where it stopped, without a database.
public struct SavedState: Sendable, Equatable {
    /// Of the database the catalog came from.
    public let databaseID: String
    /// The revision the catalog is.
    public let revision: Int
    public let catalog: Catalog
    public let sequences: [SavedSequence]
    /// The id of the node whose state this is; nil in a file of a version that knew no fleets.
    public let node: String?
    /// Probed targets that were down.
    public let verdicts: [SavedVerdict]

    public init(
        databaseID: String, revision: Int, catalog: Catalog, sequences: [SavedSequence], node: String? = nil,
        verdicts: [SavedVerdict] = []
    ) {
        self.node = node
        self.verdicts = verdicts
        self.databaseID = databaseID
        self.revision = revision
        self.catalog = catalog
        self.sequences = sequences
    }
}

/// How far one scope has counted.
public struct SavedSequence: Sendable, Equatable {
    /// The scope's name.
    public let name: String
    public let redirects: UInt64
    public let cdnBound: UInt64

    public init(name: String, redirects: UInt64, cdnBound: UInt64) {
        self.name = name
        self.redirects = redirects
        self.cdnBound = cdnBound
    }
}

/// A probed target that was down.
public struct SavedVerdict: Sendable, Equatable {
    /// `cdn` or `server`.
    public let kind: String
    public let name: String
    public let reason: String
    /// Whether its probe had been good before.
    public let hasBeenGood: Bool
    /// When a probe last found it down: milliseconds since 1970, UTC.
    public let judged: Int

    public init(kind: String, name: String, reason: String, hasBeenGood: Bool, judged: Int) {
        self.kind = kind
        self.name = name
        self.reason = reason
        self.hasBeenGood = hasBeenGood
        self.judged = judged
    }
}
