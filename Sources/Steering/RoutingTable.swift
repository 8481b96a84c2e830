/// A catalog compiled for deciding: immutable, shared by all workers, replaced as a whole.
///
/// Nothing reachable from a table is ever written by a request.
public final class RoutingTable: Sendable {
    public let catalog: Catalog
    /// The revision the catalog is stored under; 0 when it is stored nowhere.
    public let revision: Int

    /// What it was compiled with.
    public let health: Health
    public let geography: Geography
    /// By index; the first holds where no rule does, then comes one for each rule.
    let policies: [Policy]
    let rules: RuleIndex?
    /// The statuses that redirects may have.
    public let statuses: [Int]
    /// The names of the scopes that count apart, by scope index.
    let scopeNames: [String]
    /// By server: whether health lets the origin be used.
    let serverIsUp: [Bool]
    /// A hash of each server's label.
    let serverHashes: [UInt64]
    /// Redirects a second that this node may send to each CDN; empty when no CDN has a cap.
    let caps: [Int]
    /// Redirects a second that this node may send to the origin for want of a CDN.
    let originLimit: Int?

    let servers: ByteTable
    let domains: ByteTable
    let cdnNames: ByteTable
    /// What stands before the server's label: at the origin its `scheme://`, then each CDN's URL with a slash at its end.
    let locationPrefixes: ByteStrings
    /// Longest prefix first: where CDNs share a host, the link belongs to the one that says most about it.
    let cdnBases: [CDNBase]
    /// A CDN's URL taken apart, to recognise its links.
    struct CDNBase: Sendable {
        let authority: [UInt8]
        let prefix: [UInt8]
    }

    /// - Parameters:
    ///   - revision: 0 when the catalog is stored nowhere.
    ///   - health: what does not work now.
    ///   - nodes: balancers that share the caps, at least 1.
    ///   - geography: what is known of clients; without it rules by country and autonomous system match nobody.
    public init(
        _ catalog: Catalog, revision: Int, health: Health = .allUp, nodes: Int = 1, geography: Geography = Geography()
    ) {
        self.catalog = catalog
        self.revision = revision
        self.health = health
        self.geography = geography
        (policies, scopeNames) = RoutingTable.policies(catalog, health)
        statuses = Set(policies.filter { !$0.denies }.map(\.status)).sorted()
        rules = catalog.rules.isEmpty ? nil : RuleIndex(catalog.rules, labels: catalog.origin.labels, geography)
        serverIsUp = catalog.origin.labels.map { !health.downServers.contains($0) }
        serverHashes = catalog.origin.labels.map { label in
            let bytes = Array(label.utf8)
            return Rendezvous.hash(bytes.span, 0..<bytes.count, Rendezvous.start)
        }
        let share = { (limit: Int) in max(1, limit / max(1, nodes)) }
        let hasCaps = catalog.cdns.contains { $0.maxPerSecond != nil }
        caps = hasCaps ? catalog.cdns.map { $0.maxPerSecond.map(share) ?? .max } : []
        originLimit = catalog.failover.originLimit.map(share)
        servers = ByteTable(catalog.origin.labels)
        domains = ByteTable(catalog.origin.domains)
        cdnNames = ByteTable(catalog.cdns.map { $0.name.lowercased() })
        locationPrefixes = ByteStrings(["\(catalog.origin.scheme.rawValue)://"] + catalog.cdns.map { "\($0.url.text)/" })
        cdnBases = catalog.cdns
            .map { CDNBase(authority: Array($0.url.authority.utf8), prefix: Array($0.url.prefix.utf8)) }
            .sorted { $0.prefix.count > $1.prefix.count }
    }

    /// What ignores health now: `default` or rules by name.
    public var panics: [String] { names { $0.isPanicking && $0.failing.isEmpty } }

    /// Where the origin takes the shares of CDNs that do not work: `default` or rules by name.
    public var failovers: [String] { names { !$0.failing.isEmpty } }

    private func names(_ isMeant: (Policy) -> Bool) -> [String] {
        policies.enumerated().filter { isMeant($0.element) }.map { $0.offset == 0 ? "default" : catalog.rules[$0.offset - 1].name }
    }

    /// Rules that match nobody, since the database they ask for is not there: a sentence for each database.
    public var blindRules: [String] {
        func sentence(_ database: String, _ map: AddressMap?, _ asks: (Rule.Condition) -> Bool) -> String? {
            guard map == nil, let rule = catalog.rules.first(where: { asks($0.when) }) else { return nil }
            return "rule \"\(rule.name)\" asks for the client's \(database), but no database of them is loaded: it matches nobody"
        }
        return [
            sentence("country", geography.countries) { !$0.countries.isEmpty },
            sentence("autonomous system", geography.asns) { !$0.asns.isEmpty },
        ].compactMap { $0 }
    }

    private static func policies(_ catalog: Catalog, _ health: Health) -> (policies: [Policy], scopes: [String]) {
        // Many rules have the same pool; a ring is compiled once.
        var pools: [PoolKey: Policy.Pool] = [:]
        func pool(_ selection: Catalog.Selection, _ shares: [(cdn: Int, weight: Int)]) -> Policy.Pool {
            let key = PoolKey(selection: selection, shares: shares.flatMap { [$0.cdn, $0.weight] })
            if let known = pools[key] { return known }
            let new = Policy.Pool(catalog, selection, shares, health)
            pools[key] = new
            return new
        }
        let all = catalog.cdns.indices.map { (cdn: $0, weight: catalog.cdns[$0].weight) }
        let positions = Dictionary(uniqueKeysWithValues: catalog.cdns.enumerated().map { ($0.element.name, $0.offset) })
        let byServer = catalog.origin.scope == .server
        var scopes = byServer ? catalog.origin.labels.map { "server/\($0)" } : ["all"]
        let originWorks = catalog.origin.labels.contains { !health.downServers.contains($0) }
        let usual = pool(catalog.selection, all)
        var policies = [
            Policy(
                usual, every: catalog.origin.every, status: catalog.redirect.status, sequence: 0, countsByServer: byServer,
                originWorks: originWorks)
        ]
        for rule in catalog.rules {
            guard case .steer(let steering) = rule.then else {
                policies.append(.denying())
                continue
            }
            let shares = steering.cdns?.compactMap { share in positions[share.cdn].map { (cdn: $0, weight: share.weight) } }
            if steering.countsForItself { scopes.append("rule/\(rule.name)") }
            policies.append(
                Policy(
                    pool(steering.selection ?? catalog.selection, shares ?? all), every: steering.every ?? catalog.origin.every,
                    status: steering.status ?? catalog.redirect.status,
                    sequence: steering.countsForItself ? scopes.count - 1 : 0,
                    countsByServer: byServer && !steering.countsForItself, originWorks: originWorks))
        }
        return (policies, scopes)
    }

    private struct PoolKey: Hashable {
        let selection: Catalog.Selection
        /// CDN and weight in turn.
        let shares: [Int]
    }
}
