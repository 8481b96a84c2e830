import ArgumentParser
import Control
import Serving

/// `video-balancer metrics`: the table of metrics as Markdown, from which docs/metrics.md is made.
struct MetricsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Prints the table of metrics as Markdown.", shouldDisplay: false)

    func run() async throws { try await Exit.reporting { try printTable() } }

    private func printTable() throws {
        try StandardOutput.print(
            """
            # Metrics

            `GET /metrics` of the admin port, in the Prometheus text format; it needs no token. Units are seconds and bytes. Labels hold names of the catalog
            and of this program, never a URL or a client, so that their number is bounded. `make docs` writes this page.

            [deploy/prometheus](../deploy/prometheus) has a scrape configuration and alert rules, [deploy/grafana](../deploy/grafana) a dashboard.
            """)
        for (title, metrics) in Metric.sections {
            try StandardOutput.print("\n## \(title)\n\n| metric | kind | labels | meaning |\n| --- | --- | --- | --- |")
            for metric in metrics {
                let labels = metric.labels.map { "`\($0)`" }.joined(separator: ", ")
                try StandardOutput.print("| `\(metric.name)` | \(metric.kind.rawValue) | \(labels) | \(metric.help) |")
            }
        }
    }
}
