/// What the catalog asks for, in numbers to hold beside what was answered.
extension RoutingTable {
    /// The shares of redirects, 1 in sum, where no rule decides: the origin's, and each CDN's in the order of the catalog.
    ///
    /// Health is in it, caps are not. `hash` comes near its share over many films or viewers only.
    public var wantedShares: (origin: Double, cdns: [Double]) {
        let usual = policies[0]
        let parts: [(cdn: Int, part: Double)] =
            switch usual.choice {
            case .none: []
            case .ring(let slots), .rotation(let slots, _): slots.map { ($0, 1) }
            case .ordered(let cdns): [(cdns[0], 1)]
            case .rendezvous(let race, _, _): race.shares.map { ($0.cdn, Double($0.weight)) }
            }
        // What has no CDN to go to goes to the origin.
        let origin = parts.isEmpty ? 1 : usual.every == 0 ? 0 : 1 / Double(usual.every)
        let whole = parts.reduce(0) { $0 + $1.part }
        var cdns = [Double](repeating: 0, count: catalog.cdns.count)
        for (cdn, part) in parts { cdns[cdn] += part / whole * (1 - origin) }
        // The origin's limit is not in it either.
        let failing = cdns.indices.filter { !usual.failing.isEmpty && usual.failing[$0] }
        let taken = failing.reduce(0) { $0 + cdns[$1] }
        for cdn in failing { cdns[cdn] = 0 }
        return (origin + taken, cdns)
    }
}
