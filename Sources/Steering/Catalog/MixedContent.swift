/// Which targets a request by HTTPS cannot be given by HTTPS. A browser refuses to load them into a page that came by HTTPS (W3C Mixed Content
/// §4), and says so in its console alone: the balancer sees a redirect like any other.
extension Catalog {
    /// The targets that take traffic and are reached by `http` alone, as the catalog names them: CDNs, then `origin`.
    public var targetsWithoutHTTPS: [String] {
        let used = cdnsOfRules
        let cdns = cdns.filter { cdn in
            cdn.secureURL.scheme == .http && (cdn.takesTraffic || (cdn.enabled && used.contains(cdn.name)))
        }
        return cdns.map(\.name) + (takesOriginTraffic && !origin.speaksHTTPS ? ["origin"] : [])
    }

    /// One sentence for them; nil when there are none, and of a catalog that has nothing by HTTPS: pages that came so are not its business, or
    /// the balancer that speaks HTTPS says so itself.
    public var mixedContentWarning: String? {
        let targets = targetsWithoutHTTPS
        guard !targets.isEmpty, knowsHTTPS else { return nil }
        let shown = targets.prefix(8).joined(separator: ", ") + (targets.count > 8 ? ", and \(targets.count - 8) more" : "")
        return "pages by HTTPS refuse redirects to \(shown), which the catalog has by http alone: "
            + "add httpsUrl to a CDN, keepScheme to the origin, where they speak HTTPS"
    }

    private var knowsHTTPS: Bool {
        let ofRules = rules.map { rule -> BaseURL? in if case .steer(let own) = rule.then { own.steering?.publicURL } else { nil } }
        let publicURLs = [steering.publicURL] + ofRules
        return origin.speaksHTTPS || cdns.contains { $0.secureURL.scheme == .https } || publicURLs.contains { $0?.scheme == .https }
    }

    /// CDNs to which a rule gives a weight of its own.
    private var cdnsOfRules: Set<String> {
        Set(
            rules.flatMap { rule -> [String] in
                guard case .steer(let steering) = rule.then else { return [] }
                return (steering.cdns ?? []).filter { $0.weight > 0 }.map(\.cdn)
            })
    }

    /// Whether any redirect may go to the origin: where N is 0 everywhere none does, whatever fails.
    private var takesOriginTraffic: Bool {
        origin.every > 0
            || rules.contains { rule in if case .steer(let steering) = rule.then { (steering.every ?? 0) > 0 } else { false } }
    }
}

extension Catalog.Origin {
    var speaksHTTPS: Bool { scheme == .https || keepsScheme }
}

extension RoutingTable {
    func isReachedByHTTPS(_ target: Decision.Target) -> Bool {
        switch target {
        case .origin: catalog.origin.speaksHTTPS
        case .cdn(let cdn): catalog.cdns[cdn].secureURL.scheme == .https
        }
    }
}
