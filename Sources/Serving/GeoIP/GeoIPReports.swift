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
            Metric.geoIPLoads.family(
                reports.flatMap { report in
                    [("accepted", report.accepted), ("refused", report.refused)].map { ([report.kind.rawValue, $0.0], Double($0.1)) }
                }),
            Metric.geoIPBuilt.family(
                reports.compactMap { report in report.database.map { ([report.kind.rawValue], Double($0.built)) } }),
        ]
    }
}
