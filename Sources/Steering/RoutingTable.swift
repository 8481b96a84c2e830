/// A catalog compiled for deciding: immutable, shared by all workers, replaced as a whole.
///
/// Nothing reachable from a table is ever written by a request.
public final class RoutingTable: Sendable {
    public let catalog: Catalog
    /// The revision the catalog is stored under; 0 when it is stored nowhere.
    public let revision: Int

    /// The redirect's status.
    public let status: Int
    /// N, and whether each server counts for itself.
    let every: UInt64
    let countsByServer: Bool

    let servers: ByteTable
    let domains: ByteTable
    let cdnNames: ByteTable
    /// `scheme://`, before the server's label at the origin.
    let originScheme: [UInt8]
    /// Each domain's bytes with the dot before it.
    let domainSuffixes: [[UInt8]]
    let labels: [[UInt8]]
    /// Each CDN's URL, ended by the slash before the server's label.
    let cdnPrefixes: [[UInt8]]
    /// Longest prefix first: where CDNs share a host, the link belongs to the one that says most about it.
    let cdnBases: [CDNBase]
    let choice: Choice

    /// How the slot of a CDN-bound number is found.
    enum Choice: Sendable {
        /// No CDN takes traffic.
        case none
        /// Positions of CDNs; number modulo length.
        case ring([Int])
        /// Positions of CDNs; each in turn gets `every` numbers.
        case rotation([Int], every: UInt64)
    }

    /// A CDN's URL taken apart, to recognise its links.
    struct CDNBase: Sendable {
        let authority: [UInt8]
        let prefix: [UInt8]
    }

    public init(_ catalog: Catalog, revision: Int) {
        self.catalog = catalog
        self.revision = revision
        status = catalog.redirect.status
        every = UInt64(catalog.origin.every)
        countsByServer = catalog.origin.scope == .server
        servers = ByteTable(catalog.origin.labels)
        domains = ByteTable(catalog.origin.domains)
        cdnNames = ByteTable(catalog.cdns.map { $0.name.lowercased() })
        originScheme = Array("\(catalog.origin.scheme.rawValue)://".utf8)
        domainSuffixes = catalog.origin.domains.map { Array(".\($0)".utf8) }
        labels = catalog.origin.labels.map { Array($0.utf8) }
        cdnPrefixes = catalog.cdns.map { Array("\($0.url.text)/".utf8) }
        cdnBases = catalog.cdns
            .map { CDNBase(authority: Array($0.url.authority.utf8), prefix: Array($0.url.prefix.utf8)) }
            .sorted { $0.prefix.count > $1.prefix.count }
        choice = RoutingTable.choice(catalog)
    }

    private static func choice(_ catalog: Catalog) -> Choice {
        let taking = catalog.cdns.indices.filter { catalog.cdns[$0].takesTraffic }
        guard !taking.isEmpty else { return .none }
        switch catalog.selection {
        case .weighted:
            return .ring(Ring.slots(weights: taking.map { catalog.cdns[$0].weight }).map { taking[$0] })
        case .rotate(let every):
            return .rotation(taking, every: UInt64(every))
        }
    }

    /// The names of the scopes that count apart, by scope index.
    var scopeNames: [String] {
        switch catalog.origin.scope {
        case .all: ["all"]
        case .server: catalog.origin.labels.map { "server/\($0)" }
        }
    }
}
