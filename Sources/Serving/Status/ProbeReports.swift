import Control
import Logging
import Probing
import Steering

/// What the probes found, as `status` and metrics show it.
enum ProbeReports {
    /// - Parameter now: milliseconds since 1970-01-01 UTC.
    static func document(_ reports: [Prober.Report], _ table: RoutingTable, at now: Int64) -> Document {
        .object([
            .init("targets", .array(reports.map { document($0, at: now) })),
            // Whoever ignores health says so where health is shown.
            .init("panicking", .array(table.panics.map(Document.string))),
            .init("failingOver", .array(table.failovers.map(Document.string))),
            .init("left", .array(table.health.leftCDNs.sorted().map(Document.string))),
        ])
    }

    /// One line a change.
    static func log(_ change: Prober.Change, _ logger: Logger) {
        let target = "\(change.subject.kind) \(change.subject.name)"
        logger.log(
            level: change.isUp ? .notice : .error,
            change.isUp ? "\(target) works again" : "\(target) does not work; nothing new goes there",
            metadata: ["reason": "\(change.reason)"])
    }

    private static func document(_ report: Prober.Report, at now: Int64) -> Document {
        .object([
            .init("kind", .string(report.subject.kind)),
            .init("name", .string(report.subject.name)),
            .init("state", .string(!report.isKnown ? "unknown" : report.window.isUp ? "up" : "down")),
            .init("reason", report.last.map { .string($0.reason) } ?? .null),
            .init("addresses", .array(report.addresses.map(document))),
            .init("latencyMilliseconds", report.latency.map { .integer(milliseconds($0)) } ?? .null),
            .init("unchangedSeconds", .integer(milliseconds(report.unchangedFor) / 1000)),
            // The newest first: + is good.
            .init("verdicts", .string(String(report.window.verdicts.map { $0 ? "+" : "-" }))),
            // How many probes could not be made, for reasons of this machine.
            .init("unknown", .integer(Int(clamping: report.unknown))),
            .init(
                "certificate",
                report.certificate.map { .object(CertificateReports.members(CertificateLife($0), at: now / 1000)) } ?? .null),
        ])
    }

    /// A line for each target whose certificate is ending, once a day.
    ///
    /// - Parameter now: milliseconds since 1970-01-01 UTC.
    static func remind(
        of reports: [Prober.Report], by reminder: inout CertificateReminder<ProbeTarget.Subject>, at now: Int64, _ logger: Logger
    ) {
        let now = now / 1000
        for report in reports {
            guard let life = report.certificate.map({ CertificateLife($0) }), reminder.isDue(report.subject, life, at: now) else {
                continue
            }
            let target = "\(report.subject.kind) \(report.subject.name)"
            logger.warning(
                life.state(at: now) == .expired
                    ? "the certificate of \(target) has expired: players by HTTPS refuse it; have it renewed there"
                    : "the certificate of \(target) expires in \(life.daysLeft(at: now)) days: have it renewed there before its probes fail",
                metadata: ["expires": "\(BalancerNode.time(life.until * 1000))"])
        }
        reminder.keep(reports.map(\.subject))
    }

    private static func document(_ found: Prober.Report.Address) -> Document {
        .object([
            .init("address", .string(found.address.description)),
            .init("verdict", .string(found.verdict.outcome.rawValue)),
            .init("reason", .string(found.verdict.reason)),
        ])
    }

    static func metrics(_ reports: [Prober.Report]) -> [MetricFamily] {
        let labels = { (report: Prober.Report) in [report.subject.kind, report.subject.name] }
        return [
            Metric.targetUp.family(reports.map { (labels($0), $0.window.isUp ? 1 : 0) }),
            Metric.probes.family(
                reports.flatMap { report in
                    [("good", report.good), ("bad", report.bad), ("unknown", report.unknown)].map {
                        (labels(report) + [$0.0], Double($0.1))
                    }
                }),
            Metric.probeDuration.family(
                reports.compactMap { report in report.latency.map { (labels(report), Double(milliseconds($0)) / 1000) } }),
            Metric.targetCertificateExpiry.family(
                reports.compactMap { report in report.certificate.map { (labels(report), Double($0.validUntil)) } }),
        ]
    }

    private static func milliseconds(_ duration: Duration) -> Int {
        let parts = duration.components
        return Int(clamping: parts.seconds) * 1000 + Int(parts.attoseconds / 1_000_000_000_000_000)
    }
}

extension CertificateLife {
    init(_ certificate: ProbeCertificate) { self.init(from: certificate.validFrom, until: certificate.validUntil) }
}
