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

    private static func document(_ target: String, _ cdn: String, _ requests: UInt64, _ wanted: Double?) -> Document {
        .object([
            .init("target", .string(target)),
            .init("cdn", .string(cdn)),
            .init("requests", .integer(Int(clamping: requests))),
            .init("wanted", wanted.map(Document.number) ?? .null),
        ])
    }
}
