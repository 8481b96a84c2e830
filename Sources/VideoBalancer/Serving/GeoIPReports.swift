import Control
import GeoIP
import Steering

/// The GeoIP databases, as `status` and metrics show them.
enum GeoIPReports {
    static func document(_ reports: [GeoIPFiles.Report], _ table: RoutingTable) -> Document {
        let databases = GeoIPDatabase.Kind.allCases.map { kind in
            Document.Member(kind.rawValue, reports.first { $0.kind == kind }.map(document) ?? .null)
        }
        return .object(databases + [.init("warnings", .array(table.blindRules.map(Document.string)))])
    }

    private static func document(_ report: GeoIPFiles.Report) -> Document {
        let database = report.database
        return .object([
            .init("file", .string(report.path)),
            .init("type", database.map { .string($0.type) } ?? .null),
            .init("built", database.map { .string(BalancerNode.time($0.built * 1000)) } ?? .null),
            .init("intervals", database.map { .integer($0.map.intervals) } ?? .null),
            .init("loaded", report.loaded.map { .string(BalancerNode.time($0)) } ?? .null),
            .init("error", report.trouble.map(Document.string) ?? .null),
        ])
    }

    static func metrics(_ reports: [GeoIPFiles.Report]) -> [MetricFamily] {
        [
            MetricFamily(
                "balancer_geoip_loads_total", .counter, "GeoIP databases read, by what became of them.",
                reports.flatMap { report in
                    [("accepted", report.accepted), ("refused", report.refused)].map {
                        .init(Double($0.1), labels: [("database", report.kind.rawValue), ("result", $0.0)])
                    }
                }),
            MetricFamily(
                "balancer_geoip_built_timestamp_seconds", .gauge, "When the GeoIP database in use was built, since 1970-01-01 UTC.",
                reports.compactMap { report in
                    report.database.map { .init(Double($0.built), labels: [("database", report.kind.rawValue)]) }
                }),
        ]
    }
}
