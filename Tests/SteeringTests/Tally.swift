@testable import Steering

/// How many of a run of decisions went where.
struct Tally: Equatable {
    var origin = 0
    var cdns: [Int]
}

extension RoutingTable {
    /// Decides `count` times and counts the targets.
    func tally(_ count: Int, server: Int = 0, avoiding avoided: Int? = nil, _ sequences: SequenceSet) throws(Refusal) -> Tally {
        var tally = Tally(cdns: catalog.cdns.map { _ in 0 })
        for _ in 0..<count {
            switch try decide(server: server, avoiding: avoided, sequences: sequences).target {
            case .origin: tally.origin += 1
            case .cdn(let cdn): tally.cdns[cdn] += 1
            }
        }
        return tally
    }

    /// The targets of the next decisions, in order.
    func targets(_ count: Int, server: Int = 0, avoiding avoided: Int? = nil, _ sequences: SequenceSet) throws(Refusal) -> [Decision.Target]
    {
        var targets: [Decision.Target] = []
        for _ in 0..<count { targets.append(try decide(server: server, avoiding: avoided, sequences: sequences).target) }
        return targets
    }
}
