import Steering
import TLS

/// What the access log says of a connection.
enum TransportNote {
    case plain
    case tls(TLSSession.Version, isResumed: Bool)

    init(_ session: TLSSession?) {
        if let session, session.isEstablished {
            self = .tls(session.version, isResumed: session.isResumed)
        } else {
            self = .plain
        }
    }
}

/// What a worker keeps of the answers it has given: counters, the history of traffic, the access log. The one place that is told of them.
struct AnswerRecord {
    /// Without the answers by status and the redirects to CDNs of the present table; `total` has them.
    var counters = Counters()
    /// By status code.
    private var answers = [UInt64](repeating: 0, count: 600)
    /// Redirects by CDN of the present table.
    private var redirectsToCDN: [UInt64] = []
    private var traffic: TrafficCounts
    /// What carries the requests that are recorded now.
    var transport = TransportNote.plain
    /// Nil when no access log is kept.
    private var log: AccessLines?

    init(_ table: RoutingTable, log: AccessLog?) {
        self.log = log.map { AccessLines($0) }
        traffic = TrafficCounts(table)
        redirectsToCDN = [UInt64](repeating: 0, count: table.catalog.cdns.count)
    }

    /// Records one answer.
    ///
    /// - Parameters:
    ///   - target: the request's, for the log; empty when no request could be read.
    ///   - table: by which the answer was made.
    ///   - second: seconds since 1970, UTC.
    mutating func record(
        _ answer: Answer, to method: RequestHead.Method, _ target: Range<Int>, of bytes: borrowing Span<UInt8>,
        from client: ClientAddress, _ table: RoutingTable, second: Int
    ) {
        if case .redirect(let redirect) = answer {
            let decision = redirect.decision
            switch decision.target {
            case .origin: counters.redirectsToOrigin += 1
            case .cdn(let cdn): redirectsToCDN[cdn] += 1
            }
            counters.reasons[Int(decision.reason.rawValue)] += 1
            answers[redirect.status] += 1
            traffic.countRedirect(decision.target, status: decision.status, server: redirect.video.server)
        } else {
            recordOther(answer)
        }
        log?.add(answer, to: method, target, of: bytes, from: client, over: transport, table, now: second)
    }

    private mutating func recordOther(_ answer: Answer) {
        if let problem = answer.problem {
            counters.countRefusal(problem.status, problem.name)
            traffic.countRefusal(problem.status)
        } else {
            counters.otherAnswers += 1
        }
        answers[answer.status] += 1
    }

    /// Begins to record by a new table.
    ///
    /// - Parameter last: the table so far.
    /// - Returns: traffic that was counted with it.
    mutating func replaceTable(_ last: RoutingTable, by table: RoutingTable) -> TrafficCounts {
        addRedirects(to: &counters, last)
        defer { traffic = TrafficCounts(table) }
        redirectsToCDN = [UInt64](repeating: 0, count: table.catalog.cdns.count)
        return traffic
    }

    /// What was counted for the history of traffic since the last time.
    mutating func takeTraffic() -> TrafficCounts { traffic.take() }

    /// Hands over what is to be logged.
    mutating func flushLog() { log?.flush() }

    /// All that was counted so far.
    ///
    /// - Parameter table: the present one.
    func total(_ table: RoutingTable) -> Counters {
        var total = counters
        addRedirects(to: &total, table)
        for (status, count) in answers.enumerated() where count > 0 { total.answers[status] = count }
        return total
    }

    private func addRedirects(to counters: inout Counters, _ table: RoutingTable) {
        for (cdn, count) in zip(table.catalog.cdns, redirectsToCDN) where count > 0 {
            counters.redirectsToCDN[cdn.name, default: 0] += count
        }
    }
}
