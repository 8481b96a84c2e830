import Control
import Steering

/// One certificate of this balancer's own, as `status` and metrics show it.
struct CertificateReport: Sendable {
    let file: String
    /// DNS names; empty when nothing is loaded.
    let names: [String]
    /// Nil when nothing is loaded.
    let life: CertificateLife?
    /// Why the newest files are not in use.
    let trouble: String?
}

enum CertificateReports {
    /// - Parameters:
    ///   - reports: by the port that shows them, `players` or `admin`.
    ///   - now: milliseconds since 1970-01-01 UTC.
    static func document(_ reports: [(port: String, reports: [CertificateReport])], at now: Int64) -> Document {
        .array(reports.flatMap { port, reports in reports.map { document($0, port, at: now / 1000) } })
    }

    /// When a certificate expires and how many days are left.
    static func members(_ life: CertificateLife?, at now: Int64) -> [Document.Member] {
        [
            .init("state", life.map { .string($0.state(at: now).rawValue) } ?? .string("missing")),
            .init("expires", life.map { .string(BalancerNode.time($0.until * 1000)) } ?? .null),
            .init("daysLeft", life.map { .integer($0.daysLeft(at: now)) } ?? .null),
        ]
    }

    private static func document(_ report: CertificateReport, _ port: String, at now: Int64) -> Document {
        .object(
            [
                .init("port", .string(port)),
                .init("file", .string(report.file)),
                .init("names", .array(report.names.prefix(16).map(Document.string))),
            ] + members(report.life, at: now) + [.init("trouble", report.trouble.map(Document.string) ?? .null)])
    }

    /// By the first name, when each expires.
    static func expiries(_ reports: [CertificateReport]) -> MetricFamily {
        let named = reports.compactMap { report in report.life.map { (report.names.first ?? "", Double($0.until)) } }
        // Of several for one name the soonest.
        return Metric.certificateExpiry.family(
            Dictionary(named, uniquingKeysWith: min).sorted { $0.key < $1.key }.map { ([$0.key], $0.value) })
    }
}
