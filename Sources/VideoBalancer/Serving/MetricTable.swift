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
            MetricFamily(
                "balancer_answers_total", .counter, "Answers by HTTP status.",
                counters.answers.sorted { $0.key < $1.key }.map { .init(Double($0.value), labels: [("status", "\($0.key)")]) }),
            MetricFamily(
                "balancer_hand_overs_total", .counter, "Connections that left the fast path, by reason.",
                counters.handOvers.sorted { $0.key < $1.key }.map { .init(Double($0.value), labels: [("reason", $0.key)]) }),
            MetricFamily(
                "balancer_received_bytes_total", .counter, "Bytes read from clients.", [.init(Double(counters.bytesReceived))]),
            MetricFamily(
                "balancer_sent_bytes_total", .counter, "Bytes given to the kernel for clients.", [.init(Double(counters.bytesSent))]),
            MetricFamily(
                "balancer_proxy_headers_refused_total", .counter, "Connections closed at their PROXY header.",
                [.init(Double(counters.proxyHeadersRefused))]),
            loopTurns(counters.loopTurns),
            MetricFamily(
                "balancer_loop_turn_longest_seconds", .gauge, "The longest turn of a fast loop since the start.",
                [.init(Double(counters.loopTurns.longest) / 1e9)]),
            MetricFamily("balancer_catalog_revision", .gauge, "Revision of the catalog in use.", [.init(Double(current.revision))]),
            MetricFamily(
                "balancer_degraded", .gauge, "1 while the database does not answer and the last good catalog is used.",
                [.init(isDegraded ? 1 : 0)]),
        ]
    }

    private static func loopTurns(_ turns: LoopTurns) -> MetricFamily {
        var below: UInt64 = 0
        var samples: [MetricFamily.Sample] = []
        for (count, bound) in zip(turns.buckets, LoopTurns.bounds.map { "\(Double($0) / 1e9)" } + ["+Inf"]) {
            below += count
            samples.append(.init(Double(below), suffix: "_bucket", labels: [("le", bound)]))
        }
        samples.append(.init(Double(turns.total) / 1e9, suffix: "_sum"))
        samples.append(.init(Double(below), suffix: "_count"))
        return MetricFamily(
            "balancer_loop_turn_seconds", .histogram, "Time from one wait for events to the next on the fast loops.", samples)
    }

    static func accessLog(_ totals: AccessLog.Totals) -> [MetricFamily] {
        [
            MetricFamily("balancer_access_log_lines_total", .counter, "Lines written to the access log.", [.init(Double(totals.written))]),
            MetricFamily(
                "balancer_access_log_dropped_lines_total", .counter, "Lines that the access log lost: its disk was too slow or full.",
                [.init(Double(totals.dropped))]),
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
