import Edge
import Steering

/// What this node has answered since it started beside what the catalog asks for, as `status` shows it. Targets are named as in the
/// history of traffic.
enum Answered {
    static func documents(_ counters: Counters, _ table: RoutingTable) -> [Document] {
        let wanted = table.wantedShares
        let current = table.catalog.cdns.enumerated().map { (name: $0.element.name, wanted: wanted.cdns[$0.offset]) }
        // A CDN that was removed still has its count.
        let removed = Set(counters.redirectsToCDN.keys).subtracting(current.map(\.name)).sorted().map { (name: $0, wanted: 0.0) }
        return [document("origin", "", counters.redirectsToOrigin, wanted.origin)]
            + (current + removed).map { document("cdn", $0.name, counters.redirectsToCDN[$0.name] ?? 0, $0.wanted) }
            + [document("none", "", counters.refusals.values.reduce(0, &+), nil)]
    }

    /// What steered players were told; null where none is steered.
    static func steering(_ counters: Counters, _ table: RoutingTable) -> Document {
        guard table.steers else { return .null }
        let current = table.catalog.cdns.map(\.name)
        let names = current + Set(counters.steeringToCDN.keys).subtracting(current).sorted()
        let answers =
            [first("origin", "", counters.steeringToOrigin)] + names.map { first("cdn", $0, counters.steeringToCDN[$0] ?? 0) }
        return .object([
            .init("answers", .array(answers)),
            .init(
                "moves",
                .object(SteeringMove.allCases.map { .init($0.name, .integer(Int(clamping: counters.steeringMoves[$0.rawValue]))) })),
        ])
    }

    private static func first(_ target: String, _ cdn: String, _ answers: UInt64) -> Document {
        .object([.init("target", .string(target)), .init("cdn", .string(cdn)), .init("answers", .integer(Int(clamping: answers)))])
    }

    private static func document(_ target: String, _ cdn: String, _ requests: UInt64, _ wanted: Double?) -> Document {
        .object([
            .init("target", .string(target)),
            .init("cdn", .string(cdn)),
            .init("requests", .integer(Int(clamping: requests))),
            .init("wanted", wanted.map(Document.number) ?? .null),
        ])
    }
}
