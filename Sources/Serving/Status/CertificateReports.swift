import Control
import Steering

/// One certificate of this balancer's own, as `status` and metrics show it.
struct CertificateReport: Sendable {
    let file: String
    /// DNS names and addresses, or what an authority is called; empty when nothing is loaded.
    var names: [String] = []
    /// Nil when nothing is loaded.
    var life: CertificateLife?
    /// Nil when no response lies beside it.
    var ocsp: OCSPReport?
    /// Why the newest files are not in use.
    var trouble: String?
    /// What is wrong with those that are.
    var warnings: [String] = []
}

/// An OCSP response beside a certificate.
struct OCSPReport: Sendable, Equatable {
    /// Seconds since 1970-01-01 UTC; nil when it is left out.
    var validFrom: Int64?
    /// Nil when it is left out, or ends never.
    var validUntil: Int64?
    /// Why clients are shown none.
    var trouble: String?
}

/// Ports, by what `status` calls them, and the certificates of each.
typealias CertificatesByPort = [(port: String, reports: [CertificateReport])]

enum CertificateReports {
    /// - Parameter now: milliseconds since 1970-01-01 UTC.
    static func document(_ ports: CertificatesByPort, at now: Int64) -> Document {
        .array(ports.flatMap { port, reports in reports.map { document($0, port, at: now / 1000) } })
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
            ] + members(report.life, at: now) + [
                .init("ocsp", report.ocsp.map(document) ?? .null),
                .init("trouble", report.trouble.map(Document.string) ?? .null),
                .init("warnings", .array(report.warnings.map(Document.string))),
            ])
    }

    private static func document(_ ocsp: OCSPReport) -> Document {
        .object([
            .init("shown", .bool(ocsp.trouble == nil)),
            .init("produced", ocsp.validFrom.map { .string(BalancerNode.time($0 * 1000)) } ?? .null),
            .init("expires", ocsp.validUntil.map { .string(BalancerNode.time($0 * 1000)) } ?? .null),
            .init("trouble", ocsp.trouble.map(Document.string) ?? .null),
        ])
    }

    /// Nil without TLS on the players' port.
    static func document(_ keys: TicketKeyReport?) -> Document {
        guard let keys else { return .null }
        return .object([
            .init("file", keys.file.map(Document.string) ?? .null),
            .init("generation", .string(keys.generation)),
            .init("count", .integer(keys.count)),
            .init("loaded", .string(BalancerNode.time(keys.loaded))),
            .init("trouble", keys.trouble.map(Document.string) ?? .null),
        ])
    }

    static func metrics(_ ports: CertificatesByPort, _ keys: TicketKeyReport?) -> [MetricFamily] {
        let reports = ports.flatMap(\.reports)
        let troubles = ports.filter { !$0.reports.isEmpty }.map { port, reports in
            ([port], Double(reports.count { $0.trouble != nil }))
        }
        let responses = reports.compactMap { report in report.ocsp.map { (name: name(of: report), ocsp: $0) } }
        let shown = responses.map { ($0.name, $0.ocsp.trouble == nil ? 1.0 : 0) }
        let produced = responses.compactMap { response in response.ocsp.validFrom.map { (response.name, Double($0)) } }
        let ends = responses.compactMap { response in response.ocsp.validUntil.map { (response.name, Double($0)) } }
        return [
            // Of several for one name the soonest.
            byName(.certificateExpiry, reports.compactMap { report in report.life.map { (name(of: report), Double($0.until)) } }),
            Metric.certificateTroubles.family(troubles),
            byName(.ocspShown, shown), byName(.ocspProduced, produced), byName(.ocspExpiry, ends),
            Metric.ticketKeysLoaded.family(keys.map { [([], Double($0.loaded) / 1000)] } ?? []),
            Metric.ticketKeysTrouble.family(keys.map { [([], $0.trouble == nil ? 0 : 1)] } ?? []),
            // Those of one process alone are its own affair.
            Metric.ticketKeyInfo.family(keys.flatMap { keys in keys.file.map { _ in [([keys.generation], 1)] } } ?? []),
        ]
    }

    private static func name(of report: CertificateReport) -> String { report.names.first ?? report.file }

    /// Of several for one name the smallest.
    private static func byName(_ metric: Metric, _ values: [(String, Double)]) -> MetricFamily {
        metric.family(Dictionary(values, uniquingKeysWith: min).sorted { $0.key < $1.key }.map { ([$0.key], $0.value) })
    }
}
