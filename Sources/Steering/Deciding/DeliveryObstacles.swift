/// What of a policy's targets keeps manifests from being served: tokens that what they name would not have.
struct DeliveryObstacles: Sendable, Equatable {
    /// The first target whose token is good for one file.
    private(set) var file: Decision.Target?
    /// The first whose token is good for one file, and made by a private key: too slow for each segment of a playlist.
    private(set) var slowFile: Decision.Target?
    /// The first whose token stands in the query.
    private(set) var query: Decision.Target?

    init() {}

    /// - Parameter targets: all that a policy may name.
    init(_ catalog: Catalog, _ targets: some Sequence<Decision.Target>) {
        for target in targets {
            guard let signing = catalog.signing(of: target) else { continue }
            if !signing.isShared {
                file = file ?? target
                if signing.isByPrivateKey { slowFile = slowFile ?? target }
            } else if !signing.isInPath {
                query = query ?? target
            }
        }
    }

    /// What is in the way of one way to serve.
    func first(_ delivery: Catalog.Delivery, _ format: SteeringFormat) -> ManifestDelivery.Obstacle? {
        switch format {
        // Segments get their token in media playlists that the balancer serves; at pathways it serves none.
        case .hls: (delivery.hasPathways ? file : slowFile).map { .file($0) }
        case .dash: file.map { .file($0) } ?? query.map { .query($0) }
        }
    }
}

extension CompiledCatalog {
    static func obstacles(_ catalog: Catalog, _ plans: [Plan], _ pools: [Pool]) -> [DeliveryObstacles] {
        guard !catalog.signings.isEmpty else { return plans.map { _ in DeliveryObstacles() } }
        let byPool = pools.map { pool in
            DeliveryObstacles(catalog, [.origin] + pool.shares.filter { $0.weight > 0 }.map { .cdn($0.cdn) })
        }
        return plans.map { $0.pool.map { byPool[$0] } ?? DeliveryObstacles() }
    }
}

extension Catalog {
    /// How links to a target are signed; nil: they are not.
    func signing(of target: Decision.Target) -> LinkSigning? {
        switch target {
        case .origin: origin.sign
        case .cdn(let cdn): cdns[cdn].sign
        }
    }

    /// What manifests that are served cannot do for signed targets: a sentence each.
    var deliveryWarnings: [String] {
        let ways = Set([delivery] + rules.compactMap(\.delivery)).subtracting([.redirect])
        if ways.isEmpty { return [] }
        return signings.compactMap { deliveryWarning($0.target, $0.signing, ways) } + boundWarnings
    }

    private func deliveryWarning(_ target: String, _ signing: LinkSigning, _ ways: Set<Delivery>) -> String? {
        if signing.isInherited { return nil }
        let links = ways.contains(where: \.hasLinks) ? "; behind links media playlists are served with a token on each segment" : ""
        guard signing.isShared else {
            if signing.isByPrivateKey {
                return
                    "a token of \(target) is good for one file (sign.covers), and a private key is too slow to sign each segment: all manifests "
                    + "are redirected (signed-file)"
            }
            let playlists = ways.contains(where: \.hasPathways) ? "manifests with pathways and " : ""
            return "a token of \(target) is good for one file (sign.covers, sign.expression): \(playlists)MPDs are redirected "
                + "(signed-file)\(links)"
        }
        let playlists =
            ways.contains(where: \.hasPathways)
            ? ", and of HLS with pathways the CDN has to remember it by a cookie or hand it on; else take placement path" : ""
        return
            "a token of \(target) stands in the query, which segments do not inherit: MPDs are redirected (signed-query)\(playlists)\(links)"
    }

    /// The balancer's own address is not the viewer's.
    private var boundWarnings: [String] {
        let asked = (origin.every == 0 ? [] : [origin.sign]) + cdns.filter(\.takesTraffic).map(\.sign)
        guard asked.allSatisfy({ $0?.needsAddress ?? false }) else { return [] }
        return [
            "all targets bind their tokens to the viewer's address: none can be asked for a manifest, so all are redirected (signed-address)"
        ]
    }
}
