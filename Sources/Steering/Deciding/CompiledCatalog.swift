/// What of a routing table depends on the catalog and on where clients are, but not on health or caps.
///
/// Compiling it is the long part; a verdict makes a new `RoutingTable` of the same compiled catalog.
public final class CompiledCatalog: Sendable {
    public let catalog: Catalog
    public let geography: Geography
    let zones: TimeZones
    let signers: Signers
    let tokens: LinkTokens
    let rules: RuleIndex?
    /// Whether any player is steered.
    let steers: Bool
    /// Whether a rule goes by the time.
    let hasHours: Bool
    /// The statuses that redirects may have.
    let statuses: [Int]
    /// The names of the scopes that count apart, by scope index.
    let scopeNames: [String]
    /// A hash of each server's label.
    let serverHashes: [UInt64]
    let servers: ByteTable
    let domains: ByteTable
    let cdnNames: ByteTable
    let locationPrefixes: ByteStrings
    let passedNames: ByteStrings
    let cdnBases: [RoutingTable.CDNBase]
    /// What policies choose from; rules that have the same share one.
    let pools: [Pool]
    let plans: [Plan]
    private let draws: Draws
    /// By policy, how manifests are answered.
    let deliveries: [Catalog.Delivery]
    /// By policy, what is in the way of manifests whose targets want their links signed.
    let obstacles: [DeliveryObstacles]
    /// By policy, where players reach the balancers; nil: where their requests say.
    let publicURLs: [BaseURL?]
    /// By policy, the first of its scopes for sessions that begin, as the policy's own; nil where none begin.
    let sessionScopes: [Int?]

    /// What some policies choose from, and what is chosen while everything works.
    struct Pool: Sendable {
        let selection: Catalog.Selection
        /// In the order of the catalog.
        let shares: [(cdn: Int, weight: Int)]
        let whole: Policy.Pool
    }

    /// A policy before health is known.
    struct Plan: Sendable {
        /// Nil where the rule denies.
        let pool: Int?
        /// As it is while everything works.
        let whole: Policy
    }

    /// - Parameters:
    ///   - geography: what is known of clients; without it rules by country and autonomous system match nobody.
    ///   - zones: what is known of the catalog's time zones; rules by hours of another zone match nobody.
    ///   - signers: what signs links; targets whose links it cannot sign are left out.
    public init(
        _ catalog: Catalog, geography: Geography = Geography(), zones: TimeZones = TimeZones(), signers: Signers = .none
    ) {
        self.catalog = catalog
        self.geography = geography
        self.zones = zones
        self.signers = signers
        tokens = LinkTokens(catalog)
        var policies = Policies(catalog, signers)
        policies.compile()
        (pools, plans, draws) = (policies.pools, policies.plans, policies.draws)
        steers = policies.steers
        deliveries = [catalog.delivery] + catalog.rules.map { $0.delivery ?? catalog.delivery }
        (sessionScopes, scopeNames) = CompiledCatalog.sessionScopes(plans, deliveries, policies.scopes, catalog.origin.labels.count)
        obstacles = CompiledCatalog.obstacles(catalog, plans, pools)
        publicURLs =
            [catalog.steering.publicURL]
            + catalog.rules.map { rule in
                guard case .steer(let own) = rule.then else { return nil }
                return own.steering?.publicURL ?? catalog.steering.publicURL
            }
        hasHours = catalog.rules.contains { $0.when.hours != nil }
        statuses = Set(plans.filter { !$0.whole.denies }.map(\.whole.status)).sorted()
        rules = catalog.rules.isEmpty ? nil : RuleIndex(catalog.rules, labels: catalog.origin.labels, geography, zones)
        serverHashes = catalog.origin.labels.map { label in
            let bytes = Array(label.utf8)
            return Rendezvous.hash(bytes.span, 0..<bytes.count, Rendezvous.start)
        }
        servers = ByteTable(catalog.origin.labels)
        domains = ByteTable(catalog.origin.domains)
        cdnNames = ByteTable(catalog.cdns.map { $0.name.lowercased() })
        locationPrefixes = ByteStrings(
            catalog.origin.locationPrefixes + catalog.cdns.flatMap { ["\($0.url.text)/", "\($0.secureURL.text)/"] })
        passedNames = ByteStrings(catalog.redirect.passParameters)
        cdnBases = catalog.cdns
            .flatMap { [$0.url] + ($0.httpsURL.map { [$0] } ?? []) }
            .map { RoutingTable.CDNBase(authority: Array($0.authority.utf8), prefix: Array($0.prefix.utf8)) }
            .sorted { $0.prefix.count > $1.prefix.count }
    }

    /// Sessions count apart from redirects, so that every N-th of them is the origin's whatever else is asked for.
    private static func sessionScopes(
        _ plans: [Plan], _ deliveries: [Catalog.Delivery], _ scopes: [String], _ servers: Int
    ) -> (first: [Int?], all: [String]) {
        var all = scopes
        var known: [Int: Int] = [:]
        let first: [Int?] = zip(plans, deliveries).map { plan, delivery in
            guard delivery != .redirect, !plan.whole.denies else { return nil }
            if let scope = known[plan.whole.sequence] { return scope }
            let own = plan.whole.sequence..<plan.whole.sequence + (plan.whole.countsByServer ? servers : 1)
            known[plan.whole.sequence] = all.count
            all += scopes[own].map { "sessions/\($0)" }
            return known[plan.whole.sequence]
        }
        return (first, all)
    }

    /// The policies by index: the first holds where no rule does, then comes one for each rule. Those that health changes are made anew.
    func policies(_ health: Health) -> [Policy] {
        let isDown = catalog.cdns.map { health.downCDNs.contains($0.name) || health.leftCDNs.contains($0.name) }
        guard isDown.contains(true) else { return plans.map(\.whole) }
        let failed = health.downCDNs.subtracting(health.unprovenCDNs)
        let isFailed = catalog.cdns.map { failed.contains($0.name) }
        let originWorks = catalog.origin.labels.contains { !health.downServers.contains($0) }
        let changed = pools.map { pool in
            pool.shares.contains { isDown[$0.cdn] }
                ? Policy.Pool(catalog, pool.selection, pool.shares, isDown: isDown, isFailed: isFailed, steers: steers, draws: draws)
                : nil
        }
        return plans.map { plan in
            plan.pool.flatMap { changed[$0] }.map { plan.whole.choosing(from: $0, originWorks: originWorks) } ?? plan.whole
        }
    }
}

extension Catalog.Origin {
    /// What a `Location` at the origin begins with: for a video without a scheme, with `http`, with `https`.
    fileprivate var locationPrefixes: [String] {
        [scheme, keepsScheme ? .http : scheme, keepsScheme ? .https : scheme].map { "\($0.rawValue)://" }
    }
}

extension CompiledCatalog {
    /// Compiles the policies of a catalog; a ring is compiled once, as many rules have the same pool.
    private struct Policies {
        let catalog: Catalog
        let signers: Signers
        private(set) var pools: [Pool] = []
        private(set) var plans: [Plan] = []
        private(set) var scopes: [String]
        private var known: [PoolKey: Int] = [:]
        private let countsByServer: Bool
        let steers: Bool
        let draws: Draws
        private let all: [(cdn: Int, weight: Int)]

        private struct PoolKey: Hashable {
            let selection: Catalog.Selection
            /// CDN and weight in turn; nil for all as the catalog has them.
            let shares: [Int]?
        }

        init(_ catalog: Catalog, _ signers: Signers) {
            self.catalog = catalog
            self.signers = signers
            countsByServer = catalog.origin.scope == .server
            steers = catalog.steersAnything
            draws = Draws(names: catalog.cdns.map(\.name))
            scopes = countsByServer ? catalog.origin.labels.map { "server/\($0)" } : ["all"]
            all = catalog.cdns.indices.map { (cdn: $0, weight: catalog.cdns[$0].weight) }
        }

        mutating func compile() {
            let positions = Dictionary(uniqueKeysWithValues: catalog.cdns.enumerated().map { ($0.element.name, $0.offset) })
            let usual = pool(catalog.selection, nil)
            let policy = Policy(
                pools[usual].whole, every: catalog.origin.every, status: catalog.redirect.status, sequence: 0,
                countsByServer: countsByServer, originWorks: true, asking: Policy.Asking(catalog.steering))
            plans.append(Plan(pool: usual, whole: policy))
            for rule in catalog.rules {
                guard case .steer(let steering) = rule.then else {
                    plans.append(Plan(pool: nil, whole: .denying(asking: Policy.Asking(catalog.steering))))
                    continue
                }
                let shares = steering.cdns?.compactMap { share in positions[share.cdn].map { (cdn: $0, weight: share.weight) } }
                append(rule, steering, pool(steering.selection ?? catalog.selection, shares))
            }
        }

        private mutating func append(_ rule: Rule, _ steering: Rule.Overrides, _ pool: Int) {
            if steering.countsForItself { scopes.append("rule/\(rule.name)") }
            let policy = Policy(
                pools[pool].whole, every: steering.every ?? catalog.origin.every, status: steering.status ?? catalog.redirect.status,
                sequence: steering.countsForItself ? scopes.count - 1 : 0,
                countsByServer: countsByServer && !steering.countsForItself, originWorks: true,
                asking: Policy.Asking(catalog.steering.overridden(by: steering.steering)))
            plans.append(Plan(pool: pool, whole: policy))
        }

        private mutating func pool(_ selection: Catalog.Selection, _ shares: [(cdn: Int, weight: Int)]?) -> Int {
            let key = PoolKey(selection: selection, shares: shares?.flatMap { [$0.cdn, $0.weight] })
            if let index = known[key] { return index }
            let shares = (shares ?? all).filter { signers.missing(.cdn($0.cdn)) == nil }
            let isDown = [Bool](repeating: false, count: catalog.cdns.count)
            let whole = Policy.Pool(catalog, selection, shares, isDown: isDown, isFailed: isDown, steers: steers, draws: draws)
            pools.append(Pool(selection: selection, shares: shares, whole: whole))
            known[key] = pools.count - 1
            return pools.count - 1
        }
    }
}
