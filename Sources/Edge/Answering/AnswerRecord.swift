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

/// What a responder keeps of the answers it has given: counters, the history of traffic, the access log. The one place that is told of them.
struct AnswerRecord {
    /// Without what the two below count; `total` has it.
    var counters = Counters()
    /// Answers by status code, then redirects by reason, then moves of steered players by reason: one array, since each array is asked whether it may be written.
    private var tally = [UInt64](repeating: 0, count: moves + SteeringMove.allCases.count)
    /// Redirects and steering answers by target are added up from it.
    private var traffic: TrafficCounts
    /// Of nothing without `failover.passive`.
    private var reports: PlayerReports
    /// What carries the requests that are recorded now.
    var transport = TransportNote.plain
    /// They come by HTTP/2.
    var isHTTP2 = false
    /// Nil when no access log is kept.
    private var log: AccessLines?

    /// Codes end before it.
    private static let statuses = 600
    /// Reasons end before it.
    private static let moves = statuses + Decision.Reason.allCases.count

    init(_ table: RoutingTable, log: AccessLog?) {
        self.log = log.map { AccessLines($0) }
        traffic = TrafficCounts(table)
        reports = PlayerReports(table)
    }

    /// Records one answer.
    ///
    /// - Parameters:
    ///   - target: the request's, for the log; empty when no request could be read.
    ///   - table: by which the answer was made.
    ///   - second: seconds since 1970, UTC.
    mutating func record(
        _ answer: Answer, to method: RequestHead.Method, _ target: HeadRange, of bytes: borrowing Span<UInt8>,
        from client: ClientAddress, _ table: RoutingTable, second: Int
    ) {
        if case .redirect(let redirect) = answer {
            return record(redirect, to: method, target, of: bytes, from: client, table, second: second)
        }
        if let problem = answer.problem {
            counters.countRefusal(problem.status, problem.name)
            traffic.countRefusal(problem.status)
        } else if case .steering(let steering) = answer {
            record(steering, from: client)
        } else if case .manifest(let manifest) = answer {
            if manifest.isMedia {
                counters.mediaPlaylists += 1
            } else {
                traffic.countManifest(manifest.list[0], server: manifest.server)
            }
        } else {
            counters.otherAnswers += 1
        }
        tally[answer.status] += 1
        log?.add(answer, to: method, target, of: bytes, from: client, over: transport, isHTTP2: isHTTP2, table, now: second)
    }

    private mutating func record(_ steering: Answer.Steering, from client: ClientAddress) {
        if let move = steering.move { tally[AnswerRecord.moves + move.rawValue] += 1 }
        counters.steeringParametersIgnored += UInt64(steering.ignored)
        traffic.countSteering(steering.list[0])
        if let left = steering.left { traffic.countLeft(left, avoids: steering.avoids) }
        if reports.isOn { reports.note(steering.list[0], left: steering.left, by: client) }
    }

    /// Records a redirect or its document: the same as any answer, without taking it for one.
    mutating func record(
        _ redirect: borrowing Answer.Redirect, to method: RequestHead.Method, _ target: HeadRange, of bytes: borrowing Span<UInt8>,
        from client: ClientAddress, _ table: RoutingTable, second: Int
    ) {
        var tally = tally.mutableSpan
        tally[redirect.status] += 1
        tally[AnswerRecord.statuses + Int(redirect.decision.reason.rawValue)] += 1
        traffic.countRedirect(redirect.decision.target, status: redirect.decision.status, server: redirect.video.server)
        if let avoided = redirect.avoided { traffic.countLeft(avoided, avoids: true) }
        if reports.isOn { reports.note(redirect.decision.target, left: redirect.avoided, by: client) }
        if log != nil {
            log?.add(
                .redirect(copy redirect), to: method, target, of: bytes, from: client, over: transport, isHTTP2: isHTTP2, table,
                now: second)
        }
    }

    /// Begins to record by a new table.
    ///
    /// - Returns: traffic that was counted with the last one.
    mutating func replaceTable(by table: RoutingTable) -> TrafficCounts {
        defer { traffic = TrafficCounts(table) }
        traffic.add(to: &counters)
        reports.begin(table)
        return traffic
    }

    /// What players' networks have reported since the last time.
    mutating func takeReports() -> PlayerReports { reports.take() }

    /// What was counted for the history of traffic since the last time.
    mutating func takeTraffic() -> TrafficCounts {
        traffic.add(to: &counters)
        return traffic.take()
    }

    /// Hands over what is to be logged.
    mutating func flushLog() { log?.flush() }

    /// All that was counted so far.
    var total: Counters {
        var total = counters
        traffic.add(to: &total)
        for (status, count) in tally[..<AnswerRecord.statuses].enumerated() where count > 0 { total.answers[status] = count }
        total.reasons = Array(tally[AnswerRecord.statuses..<AnswerRecord.moves])
        total.steeringMoves = Array(tally[AnswerRecord.moves...])
        return total
    }
}
