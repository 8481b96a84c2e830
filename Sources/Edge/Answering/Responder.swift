import NIOCore
import Playlist
import Steering

/// Answers requests: asks the router what a path is, and Steering where a video goes, records the answer and writes it. Each of a
/// worker's two threads has one, and uses it alone.
///
/// It knows nothing of connections: a head and bytes in, bytes out.
struct Responder {
    private(set) var table: RoutingTable
    /// The second from which on it has been live.
    var tableSince: Int
    private(set) var sequences: SequenceSet
    var record: AnswerRecord
    var writer: HTTP1Writer
    /// Whether the node is being taken out: `/readyz` says 503.
    var isDraining = false
    let clientSource: ClientSource
    let rate: ClientRate?
    /// The connection's handshake has taken the token of its next request.
    var isPrepaid = false
    private let router: Router
    private let pages: [EdgePage]
    var decoded: [UInt8] = []
    /// Where manifests are fetched; nil where none can be.
    var upstream: (any Upstream)?
    /// What the answer that waits is made of, while it is made.
    var fetched: UpstreamContent?
    /// The manifest that an answer says.
    var made: [UInt8] = []
    /// Bytes of manifests that clients have not taken, of all connections; and those that were taken of it for the last answer.
    let manifests: BodyMemory
    var manifestBytes = 0
    /// Up to where the fast path may fill the writer with manifests for the connection that is answered.
    var answersEnd = 0
    /// Links to some targets cannot be written for the request that is answered.
    var areLinksScarce = false
    /// Signs beside the loops; nil: links that nobody has asked for are not signed.
    let signing: SigningQueue?
    /// What has to be fetched, after `needsUpstream`.
    var wanted: UpstreamRequest?
    private let clock: () -> Int
    /// Nanoseconds of a clock that nobody sets.
    private let uptime: () -> UInt64
    /// Of all workers; nil: every request is taken for a reload.
    let links: LinkMemory?

    /// What the connection does next.
    enum Outcome: Equatable {
        /// The answer is written.
        case answered
        /// The video is in the body: read it and call `respond(toBody:of:fields:from:)`.
        case needsBody
        /// Have what is `wanted` fetched, and call `respond(toUpstream:of:_:from:closes:)`.
        case needsUpstream
        /// The fast path does not answer this: let the slow one have it.
        case needsSlowPath
    }

    /// - Parameters:
    ///   - router: nil for the paths of the data plane and its pages.
    ///   - clock: seconds since 1970, for the Date field.
    init(
        table: RoutingTable, sequences: SequenceSet, clientSource: ClientSource = ClientSource(), rate: ClientRate? = nil,
        credentialOrigins: [String] = [], log: AccessLog? = nil, pages: [EdgePage] = [], router: Router? = nil,
        manifests: BodyMemory = BodyMemory(limit: Limits.manifestBytes), links: LinkMemory? = nil, signing: SigningQueue? = nil,
        uptime: @escaping () -> UInt64 = FastLoop.nanoseconds,
        clock: @escaping () -> Int = DateField.now
    ) {
        self.clientSource = clientSource
        self.rate = rate
        self.table = table
        self.sequences = sequences
        self.pages = pages
        self.manifests = manifests
        self.links = links
        self.signing = signing
        self.uptime = uptime
        self.router = router ?? Router(pages: pages)
        self.clock = clock
        tableSince = clock()
        record = AnswerRecord(table, log: log)
        writer = HTTP1Writer(credentialOrigins: credentialOrigins)
    }

    /// Takes over a new table with the sequences made for it.
    ///
    /// - Returns: what was counted with the old one.
    @discardableResult
    mutating func replaceTable(_ table: RoutingTable, _ sequences: SequenceSet) -> TrafficCounts {
        defer {
            self.table = table
            self.sequences = sequences
            tableSince = clock()
        }
        return record.replaceTable(by: table)
    }

    /// What is counted of connections, beside what `record` counts of answers.
    var counters: Counters {
        get { record.counters }
        _modify { yield &record.counters }
    }

    /// All that was counted so far.
    var total: Counters { record.total }

    /// What was counted for the history of traffic since the last time.
    mutating func takeTraffic() -> TrafficCounts { record.takeTraffic() }

    /// What players' networks have reported of their CDNs since the last time.
    mutating func takeReports() -> PlayerReports { record.takeReports() }

    /// Hands over what is to be logged.
    mutating func flushLog() { record.flushLog() }

    /// Seconds since 1970, UTC.
    var now: Int { clock() }

    /// Milliseconds of a clock that nobody sets.
    var instant: UInt64 { uptime() / 1_000_000 }

    // MARK: What connections ask

    /// Answers a head.
    ///
    /// - Parameters:
    ///   - bytes: what the head's offsets count in.
    ///   - peer: the connection's, or what a PROXY header says.
    ///   - closes: whether the connection ends after this answer.
    ///   - isFast: asked by the fast path.
    ///   - now: seconds since 1970, UTC; nil asks the clock.
    mutating func respond(
        to head: RequestHead, _ bytes: borrowing Span<UInt8>, from peer: ClientAddress, closes: Bool, isFast: Bool = false,
        now: Int? = nil
    ) -> Outcome {
        let question = bytes.firstIndex(of: UInt8(ascii: "?"), in: head.target.range)
        let route = router.route(of: head, bytes, to: question)
        if isFast, !route.isFast { return .needsSlowPath }
        let client = clientSource.client(of: head, bytes, peer: peer)
        let second = now ?? clock()
        let answer = answer(to: head, bytes, by: route, question, from: client, second: second, isFast: isFast)
        switch answer {
        case .redirect(let redirect):
            let framing = writer.framing(head, head.fields, of: bytes, closes: closes)
            give(redirect, source: bytes, to: head.method, head.target, of: bytes, from: client, framing, second: second)
        case .needsBody: return .needsBody
        case .needsUpstream: return .needsUpstream
        case .needsTime: return .needsSlowPath
        case .page:
            // Pages are the same for every origin, and log without their query.
            let framing = HTTP1Writer.Framing(head, closes: closes)
            give(
                answer, to: head.method, HeadRange(head.target.range.lowerBound..<question), of: bytes, from: client, framing,
                second: second)
        default:
            let framing = writer.framing(head, head.fields, of: bytes, closes: closes)
            give(answer, to: head.method, head.target, of: bytes, from: client, framing, second: second)
        }
        return .answered
    }

    /// Answers a request whose video stands in its JSON body. The connection closes after it.
    ///
    /// - Parameters:
    ///   - fields: the head's field lines.
    ///   - content: what the answer has waited for, when it had to.
    @discardableResult
    mutating func respond(
        toBody body: [UInt8], of head: RequestHead, fields: [UInt8], from client: ClientAddress, after content: UpstreamContent? = nil
    ) -> Outcome {
        fetched = content
        defer { fetched = nil }
        let second = clock()
        let framing = writer.framing(head, HeadRange(0..<fields.count), of: fields.span, closes: true)
        let answer: Answer
        var url: [UInt8] = []
        var supplement = Supplement.none
        do throws(OriginBody.Fault) {
            url = try OriginBody.video(in: body)
            let asker = Asker(client: client, second: second, fields: HeadRange(0..<fields.count))
            answer = redirect(
                to: 0..<url.count, of: url.span, asker, fields.span, wantsJSON: head.wantsJSON,
                isByHTTPS: isByHTTPS(head, asker.fields, of: fields.span))
        } catch {
            answer = .fault(.body)
            supplement = .detail(error.detail)
        }
        if answer == .needsUpstream { return .needsUpstream }
        give(
            answer, supplement, source: url.span, to: head.method, HeadRange(0..<Responder.bodyPath.count), of: Responder.bodyPath.span,
            from: client,
            framing, second: second)
        return .answered
    }

    /// Logged for a request with a body: its head is gone by then.
    private static let bodyPath = Array("/origin".utf8)

    /// Answers a request for which an upstream was asked.
    ///
    /// - Parameters:
    ///   - content: nil when the upstream has failed or took too long.
    ///   - bytes: the whole head.
    mutating func respond(
        toUpstream content: UpstreamContent?, of head: RequestHead, _ bytes: [UInt8], from client: ClientAddress, closes: Bool
    ) {
        let second = clock()
        let question = bytes.span.firstIndex(of: UInt8(ascii: "?"), in: head.target.range)
        let route = router.route(of: head, bytes.span, to: question)
        guard route.resource == .upstream else {
            // The catalog may be another by now: it is decided anew.
            fetched = content ?? .nothing
            let answer = answer(to: head, bytes.span, by: route, question, from: client, second: second)
            give(answer, of: head, bytes.span, from: client, closes: closes, second: second)
            fetched = nil
            return
        }
        let framing = writer.framing(head, head.fields, of: bytes.span, closes: closes)
        guard case .page(let page)? = content else {
            return give(.refusal(.noTarget), to: head.method, head.target, of: bytes.span, from: client, framing, second: second)
        }
        give(
            .upstream, .content(page), source: bytes.span, to: head.method, head.target, of: bytes.span, from: client, framing,
            second: second)
    }

    /// Answers what is wrong as HTTP. The connection closes after it.
    mutating func refuse(_ fault: HTTPFault, method: RequestHead.Method = .get, from client: ClientAddress) {
        let nothing: [UInt8] = []
        let framing = HTTP1Writer.Framing(method: method, closes: true)
        give(.fault(fault), to: method, .empty, of: nothing.span, from: client, framing, second: clock())
    }

    // MARK: Giving an answer

    private mutating func give(
        _ answer: Answer, of head: RequestHead, _ bytes: borrowing Span<UInt8>, from client: ClientAddress, closes: Bool, second: Int
    ) {
        let framing = writer.framing(head, head.fields, of: bytes, closes: closes)
        give(answer, .none, source: bytes, to: head.method, head.target, of: bytes, from: client, framing, second: second)
    }

    /// - Parameter bytes: what the answer's and the target's offsets count in.
    private mutating func give(
        _ answer: Answer, to method: RequestHead.Method, _ target: HeadRange, of bytes: borrowing Span<UInt8>,
        from client: ClientAddress, _ framing: HTTP1Writer.Framing, second: Int
    ) {
        give(answer, .none, source: bytes, to: method, target, of: bytes, from: client, framing, second: second)
    }

    /// - Parameter source: what the video's offsets count in, unless it is decoded.
    private mutating func give(
        _ answer: Answer, _ supplement: Supplement, source: borrowing Span<UInt8>, to method: RequestHead.Method, _ target: HeadRange,
        of bytes: borrowing Span<UInt8>, from client: ClientAddress, _ framing: HTTP1Writer.Framing, second: Int
    ) {
        if case .redirect(let redirect) = answer {
            return give(redirect, source: source, to: method, target, of: bytes, from: client, framing, second: second)
        }
        record.record(answer, to: method, target, of: bytes, from: client, table, second: second)
        switch answer {
        case .page(let page): writer.write(pages[page], framing, second: second)
        case .steering(let steering): writer.write(steering, table, framing, second: second)
        case .manifest(let manifest):
            writer.write(made, of: manifest.format, framing, second: second)
            made = []
        default: writer.write(answer, supplement, of: bytes, framing, second: second)
        }
    }

    /// Of most answers: it is not wrapped and unwrapped for each who looks at it.
    private mutating func give(
        _ redirect: borrowing Answer.Redirect, source: borrowing Span<UInt8>, to method: RequestHead.Method, _ target: HeadRange,
        of bytes: borrowing Span<UInt8>, from client: ClientAddress, _ framing: HTTP1Writer.Framing, second: Int
    ) {
        record.record(redirect, to: method, target, of: bytes, from: client, table, second: second)
        if redirect.video.isDecoded {
            // Taken out for the call: a copy would take a reference.
            var text: [UInt8] = []
            swap(&text, &decoded)
            writer.write(redirect, of: text.span, request: bytes, table, sequences, client, framing, second: second)
            swap(&text, &decoded)
        } else {
            writer.write(redirect, of: source, request: bytes, table, sequences, client, framing, second: second)
        }
    }
}
