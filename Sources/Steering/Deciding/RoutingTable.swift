/// A catalog compiled for deciding: immutable, shared by all workers, replaced as a whole.
///
/// Nothing reachable from a table is ever written by a request.
public final class RoutingTable: Sendable {
    public let catalog: Catalog
    /// The revision the catalog is stored under; 0 when it is stored nowhere.
    public let revision: Int

    /// What it was made of; a table with another health is made of the same.
    public let compiled: CompiledCatalog
    public let health: Health
    public let geography: Geography
    /// By index; the first holds where no rule does, then comes one for each rule.
    let policies: [Policy]
    /// The same for sessions; empty when none is steered.
    let sessionPolicies: [Policy]
    /// Whether any player is steered: where none is, steering's paths are as any other.
    public var steers: Bool { !sessionPolicies.isEmpty }
    /// Whether some manifests are not just redirected.
    public let deliversManifests: Bool
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
    /// What stands before the server's label: at the origin `scheme://`, for a video without a scheme, with `http` and with `https`; then
    /// two of each CDN, for requests by HTTP and by HTTPS: its URL with a slash at its end.
    let locationPrefixes: ByteStrings
    /// The most bytes of a `Location` that are none of the request's.
    let locationStartCapacity: Int
    /// Names of parameters that go on to the target.
    let passedNames: ByteStrings
    /// Longest prefix first: where CDNs share a host, the link belongs to the one that says most about it.
    let cdnBases: [CDNBase]
    /// By target, the origin first; empty where nothing is signed.
    let signers: [Signers.Target]
    /// Those of them whose signatures take their time.
    let slowSigners: [Int]
    /// Whether some links are signed by private keys: then it is to be asked, before a request takes its number, whether they are ready.
    public var signsSlowly: Bool { !slowSigners.isEmpty }
    /// What links that come back may carry.
    let tokens: LinkTokens
    /// Whether the origin is what is left when nothing else is: unless health decides alone, or its links cannot be signed.
    let originIsLastResort: Bool
    /// A CDN's URL taken apart, to recognise its links.
    struct CDNBase: Sendable {
        let authority: [UInt8]
        let prefix: [UInt8]
    }

    /// - Parameters:
    ///   - revision: 0 when the catalog is stored nowhere.
    ///   - health: what does not work now.
    ///   - nodes: balancers that share the caps, at least 1.
    public init(_ compiled: CompiledCatalog, revision: Int, health: Health = .allUp, nodes: Int = 1) {
        let catalog = compiled.catalog
        self.compiled = compiled
        self.catalog = catalog
        self.revision = revision
        self.health = health
        geography = compiled.geography
        policies = compiled.policies(health)
        sessionPolicies = compiled.steers ? policies.map(\.forSessions) : []
        deliversManifests = compiled.steers && compiled.sessionScopes.contains { $0 != nil }
        rules = compiled.rules
        statuses = compiled.statuses
        scopeNames = compiled.scopeNames
        let originSigns = compiled.signers.missing(.origin) == nil
        serverIsUp = catalog.origin.labels.map { originSigns && !health.downServers.contains($0) }
        originIsLastResort = originSigns && catalog.failover.panicThreshold > 0
        serverHashes = compiled.serverHashes
        let share = { (limit: Int) in max(1, limit / max(1, nodes)) }
        let hasCaps = catalog.cdns.contains { $0.maxPerSecond != nil }
        caps = hasCaps ? catalog.cdns.map { $0.maxPerSecond.map(share) ?? .max } : []
        originLimit = catalog.failover.originLimit.map(share)
        servers = compiled.servers
        domains = compiled.domains
        cdnNames = compiled.cdnNames
        locationPrefixes = compiled.locationPrefixes
        // A dot after the server, the path's slash, a question mark.
        locationStartCapacity = locationPrefixes.longest + servers.keys.longest + domains.keys.longest + 3
        passedNames = compiled.passedNames
        cdnBases = compiled.cdnBases
        signers = compiled.signers.targets
        slowSigners = compiled.signers.targets.indices.filter { compiled.signers.targets[$0].signer?.isSlow == true }
        tokens = compiled.tokens
    }

    /// Compiles a catalog and takes it with this health.
    ///
    /// - Parameters:
    ///   - geography: what is known of clients; without it rules by country and autonomous system match nobody.
    ///   - zones: what is known of the catalog's time zones; rules by hours of another zone match nobody.
    ///   - signers: what signs links.
    public convenience init(
        _ catalog: Catalog, revision: Int, health: Health = .allUp, nodes: Int = 1, geography: Geography = Geography(),
        zones: TimeZones = TimeZones(), signers: Signers = .none
    ) {
        self.init(
            CompiledCatalog(catalog, geography: geography, zones: zones, signers: signers), revision: revision, health: health, nodes: nodes
        )
    }

    /// The same catalog with another health or another number of balancers; compiles nothing that neither changes.
    public func with(health: Health, nodes: Int) -> RoutingTable {
        RoutingTable(compiled, revision: revision, health: health, nodes: nodes)
    }

    /// What ignores health now: `default` or rules by name.
    public var panics: [String] { names { $0.isPanicking && $0.failing.isEmpty } }

    /// Where the origin takes the shares of CDNs that do not work: `default` or rules by name.
    public var failovers: [String] { names { !$0.failing.isEmpty } }

    private func names(_ isMeant: (Policy) -> Bool) -> [String] {
        policies.enumerated().filter { isMeant($0.element) }.map { $0.offset == 0 ? "default" : catalog.rules[$0.offset - 1].name }
    }

    /// Rules that match nobody, since their time zone is not known: a sentence for each zone.
    public var zoneWarnings: [String] { catalog.zoneWarnings(compiled.zones) }

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
}
