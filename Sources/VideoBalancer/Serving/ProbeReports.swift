import Control
import Probing
import Steering

/// What the probes found, as `status` and metrics show it.
enum ProbeReports {
    static func document(_ reports: [Prober.Report], _ table: RoutingTable) -> Document {
        .object([
            .init("targets", .array(reports.map(document))),
            // Whoever ignores health says so where health is shown.
            .init("panicking", .array(table.panics.map(Document.string))),
        ])
    }

    private static func document(_ report: Prober.Report) -> Document {
        .object([
            .init("kind", .string(report.subject.kind)),
            .init("name", .string(report.subject.name)),
            .init("state", .string(report.last == nil ? "unknown" : report.window.isUp ? "up" : "down")),
            .init("reason", report.last.map { .string($0.reason) } ?? .null),
            .init("latencyMilliseconds", report.latency.map { .integer(milliseconds($0)) } ?? .null),
            .init("unchangedSeconds", .integer(milliseconds(report.unchangedFor) / 1000)),
            // The newest first: + is good.
            .init("verdicts", .string(String(report.window.verdicts.map { $0 ? "+" : "-" }))),
        ])
    }

    static func metrics(_ reports: [Prober.Report]) -> [MetricFamily] {
        let labels = { (report: Prober.Report) in [("kind", report.subject.kind), ("name", report.subject.name)] }
        return [
            MetricFamily(
                "balancer_target_up", .gauge, "1 while a probed CDN or origin server works.",
                reports.map { .init($0.window.isUp ? 1 : 0, labels: labels($0)) }),
            MetricFamily(
                "balancer_probes_total", .counter, "Probes by what they found.",
                reports.flatMap { report in
                    [("good", report.good), ("bad", report.bad)].map {
                        .init(Double($0.1), labels: labels(report) + [("verdict", $0.0)])
                    }
                }),
            MetricFamily(
                "balancer_probe_duration_seconds", .gauge, "How long the newest probe took.",
                reports.compactMap { report in report.latency.map { .init(Double(milliseconds($0)) / 1000, labels: labels(report)) } }),
        ]
    }

    private static func milliseconds(_ duration: Duration) -> Int {
        let parts = duration.components
        return Int(clamping: parts.seconds) * 1000 + Int(parts.attoseconds / 1_000_000_000_000_000)
    }
}
