/// One balancer of a fleet, as it has written itself down in the database that all share.
public struct FleetNode: Sendable, Equatable {
    /// 128 random bits in hexadecimal; kept in the node's state file, so it outlives restarts.
    public let id: String
    /// What people call it: by default the machine's name. At most 255 bytes.
    public let name: String
    /// Where its data plane listens.
    public let address: String
    /// Of the program.
    public let version: String
    /// 128 random bits in hexadecimal, new at each start.
    public let boot: String
    /// When it started: milliseconds since 1970, UTC, by its own clock.
    public let started: Int64
    /// The revision its workers answer from, and that revision's checksum.
    public let revision: Int
    public let checksum: String
    /// When it wrote this: milliseconds since 1970, UTC, by its own clock.
    public let seen: Int64
    /// Its row has not changed for `silentAfter`, as the balancer that read it saw: it is down, or cut off from the database.
    public var isSilent = false

    public init(
        id: String, name: String, address: String, version: String, boot: String, started: Int64, revision: Int, checksum: String,
        seen: Int64
    ) {
        self.id = id
        self.name = name
        self.address = address
        self.version = version
        self.boot = boot
        self.started = started
        self.revision = revision
        self.checksum = checksum
        self.seen = seen
    }

    /// An id for a node or for one start of it.
    public static func makeID() -> String { Checksum.randomID() }

    /// A node whose row does not change for so many milliseconds is silent.
    public static let silentAfter: Int64 = 60_000
    /// A silent node that was not seen for so many milliseconds is forgotten: one day.
    public static let forgottenAfter: Int64 = 86_400_000
}

/// What one poll of the database finds, in one statement: everything that a node must follow within a second.
public struct Polled: Sendable, Equatable {
    public let head: Head
    /// Without their last uses.
    public let keys: [APIKey]
    /// Nodes that are not silent, this one included.
    public let nodesSeen: Int
    /// Why changes cannot be stored, in one line: the last one failed, or the server says that it is read-only; nil while they can.
    public let writeTrouble: String?

    public init(head: Head, keys: [APIKey], nodesSeen: Int, writeTrouble: String? = nil) {
        self.head = head
        self.keys = keys
        self.nodesSeen = nodesSeen
        self.writeTrouble = writeTrouble
    }
}
