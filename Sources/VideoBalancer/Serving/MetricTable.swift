import Control
import Edge
import Steering

/// Every metric, declared once.
enum MetricTable {
    static func families(_ counters: Counters, _ current: Publisher.Published, isDegraded: Bool) -> [MetricFamily] {
        var redirects = [MetricFamily.Sample(Double(counters.redirectsToOrigin), labels: [("target", "origin"), ("cdn", "")])]
        let names = Set(current.catalog.cdns.map(\.name)).union(counters.redirectsToCDN.keys).sorted()
        redirects += names.map { name in
            .init(Double(counters.redirectsToCDN[name] ?? 0), labels: [("target", "cdn"), ("cdn", name)])
        }
        let refusals = counters.refusals.sorted { ($0.key.status, $0.key.reason) < ($1.key.status, $1.key.reason) }
        return [
            MetricFamily("balancer_redirects_total", .counter, "Redirects by target and CDN.", redirects),
            MetricFamily(
                "balancer_refusals_total", .counter, "Requests refused, by status and reason.",
                refusals.map { .init(Double($0.value), labels: [("status", "\($0.key.status)"), ("reason", $0.key.reason)]) }),
            MetricFamily(
                "balancer_other_answers_total", .counter, "Answers to health pages and OPTIONS.", [.init(Double(counters.otherAnswers))]),
            MetricFamily(
                "balancer_connections_accepted_total", .counter, "Connections accepted by the data plane.",
                [.init(Double(counters.connectionsAccepted))]),
            MetricFamily(
                "balancer_connections_open", .gauge, "Connections open on the data plane.", [.init(Double(counters.connectionsOpen))]),
            MetricFamily("balancer_catalog_revision", .gauge, "Revision of the catalog in use.", [.init(Double(current.revision))]),
            MetricFamily(
                "balancer_degraded", .gauge, "1 while the database does not answer and the last good catalog is used.",
                [.init(isDegraded ? 1 : 0)]),
        ]
    }
    /// Of the fleet and the history of traffic.
    static func fleet(nodesSeen: Int, minutesWaiting: Int, requestsLost: Int64, statements: UInt64) -> [MetricFamily] {
        [
            MetricFamily(
                "balancer_fleet_nodes", .gauge, "Balancers that have written themselves down in the database within the last minute.",
                [.init(Double(nodesSeen))]),
            MetricFamily(
                "balancer_traffic_backlog_minutes", .gauge, "Minutes of traffic that are not in the database yet.",
                [.init(Double(minutesWaiting))]),
            MetricFamily(
                "balancer_traffic_lost_requests_total", .counter,
                "Requests missing in the history of traffic: the database was away for hours, and nobody knows whether it has them.",
                [.init(Double(requestsLost))]),
            MetricFamily(
                "balancer_database_statements_total", .counter, "Statements sent to the database.", [.init(Double(statements))]),
        ]
    }
}
