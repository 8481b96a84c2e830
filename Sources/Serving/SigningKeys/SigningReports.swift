import Control
import Signing
import Steering

/// The keys that sign links, as `status` and metrics show them: names, times and fingerprints, never a key.
enum SigningReports {
    static func document(_ files: SigningKeyFiles, _ table: RoutingTable) async -> Document {
        .object([
            .init("folder", (files.folder?.path).map(Document.string) ?? .null),
            .init("error", await files.trouble.map(Document.string) ?? .null),
            .init("keys", .array(await files.reports.map(document))),
            .init(
                "leftOut",
                .array(
                    table.unsigned.map {
                        .object([.init("target", .string($0.target)), .init("reason", .string($0.reason))])
                    })),
            .init("warnings", .array(table.catalog.signingWarnings.map(Document.string))),
        ])
    }

    private static func document(_ report: SigningKeyFiles.Report) -> Document {
        let key = report.key
        return .object([
            .init("name", .string(report.name)),
            .init("fingerprint", key.map { .string(SigningKey.fingerprint($0.current)) } ?? .null),
            .init("next", key?.next.map { .string(SigningKey.fingerprint($0)) } ?? .null),
            .init("switches", key?.next == nil ? .null : .string(BalancerNode.time(Int64(key?.switches ?? 0) * 1000))),
            .init("loaded", report.loaded.map { .string(BalancerNode.time($0)) } ?? .null),
            .init("openToAll", .bool(report.isOpenToAll)),
            .init("error", report.trouble.map(Document.string) ?? .null),
        ])
    }

    static func metrics(_ table: RoutingTable, _ files: SigningKeyFiles) async -> [MetricFamily] {
        let unsigned = Set(table.unsigned.map(\.target))
        let troubled = await files.reports.count { $0.trouble != nil } + (await files.trouble == nil ? 0 : 1)
        return [
            Metric.targetSigns.family(table.catalog.signings.map { ([$0.target], unsigned.contains($0.target) ? 0 : 1) }),
            Metric.signingKeyTroubles.family(Double(troubled)),
        ]
    }
}
