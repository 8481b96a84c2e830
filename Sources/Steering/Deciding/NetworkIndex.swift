/// Which rules a client's address satisfies: all networks of all rules cut into intervals that do not overlap, found by halving.
struct NetworkIndex: Sendable {
    private var places: IntervalMap<UInt128, Int>

    /// - Parameter base: rules that have no condition on clients.
    init(_ rules: [Rule], base: [UInt64], _ sets: inout RuleSets) {
        places = IntervalMap(all: sets.place(base))
        var members: [(network: Network, rule: Int)] = []
        for (rule, content) in rules.enumerated() { members += content.when.clients.map { ($0, rule) } }
        // A wider network before those inside it: two networks are either nested or apart.
        members.sort { ($0.network.first, $0.network.bits) < ($1.network.first, $1.network.bits) }
        var open: [(last: UInt128, set: [UInt64])] = []
        for (network, rule) in members {
            while let top = open.last, top.last < network.first { close(&open, base, &sets) }
            var set = open.last?.set ?? base
            set[rule / 64] |= 1 << UInt64(rule % 64)
            places.begin(network.first, sets.place(set))
            open.append((network.last, set))
        }
        while !open.isEmpty { close(&open, base, &sets) }
    }

    private mutating func close(_ open: inout [(last: UInt128, set: [UInt64])], _ base: [UInt64], _ sets: inout RuleSets) {
        let last = open.removeLast().last
        // Two that end together leave one boundary.
        if last < .max { places.begin(last + 1, sets.place(open.last?.set ?? base)) }
    }

    /// Where the set of the client's rules begins.
    func place(of client: ClientAddress) -> Int { places.value(at: client.number) }
}

extension ClientAddress {
    var number: UInt128 { UInt128(high) << 64 | UInt128(low) }
}

extension Network {
    fileprivate var first: UInt128 { address.number }
    fileprivate var last: UInt128 { bits >= 128 ? first : first | (UInt128.max >> UInt128(bits)) }
}
