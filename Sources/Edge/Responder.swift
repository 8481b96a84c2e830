import NIOCore
import Steering

/// Answers requests: which path, which method, which video; asks Steering; writes. One per worker, used by its thread alone.
///
/// It knows nothing of connections: a head and bytes in, bytes out.
struct Responder {
    private(set) var table: RoutingTable
    private(set) var sequences: SequenceSet
    /// Without the redirects to CDNs of the present table; `total` has them.
    var counters = Counters()
    /// Answers by status code.
    private var answers = [UInt64](repeating: 0, count: 600)
    /// Redirects by CDN of the present table.
    private var redirectsToCDN: [UInt64]
    /// For the history of traffic.
    private var traffic: TrafficCounts
    var writer = ResponseWriter()
    /// Whether the node is being taken out: `/readyz` says 503.
    var isDraining = false
    /// Body bytes that follow what is in the writer, shared by all who ask for the page; the owner sends and clears it.
    var attachment: ByteBuffer?
    let clientSource: ClientSource
    private let rate: ClientRate?
    /// Origins whose pages may send credentials.
    private let credentialOrigins: [String]
    /// Nil when no access log is kept.
    private var log: AccessLines?
    /// What was answered last, for the log.
    private var last = AccessLines.Answer()
    /// Documentation by path.
    private let pages: [EdgePage]
    private var decoded: [UInt8] = []
    /// Of the present answer, in order of preference.
    private var targets: [Decision.Target] = []
    /// Targets that `Location` and `Link` name together: a priority has one digit.
    private static let mostLinks = 8
    private var date = DateField()
    private var redirectStart = RedirectStart()
    private let redirectEnd = Array("\r\nContent-Length: 0\r\n\r\n".utf8)
    private let clock: () -> Int

    /// What the connection does next.
    enum Outcome: Equatable {
        /// The answer is written.
        case answered
        /// The video is in the body: read it and call `respond(toBody:of:fields:from:)`.
        case needsBody
        /// A page of the documentation is asked for: call `show(_:to:closes:)`.
        case needsPage(Int)
        /// A document is asked for, which takes longer than a redirect: ask again with `mayTakeLong`. Nothing was counted.
        case needsTime
    }

    /// - Parameter clock: seconds since 1970, for the Date field.
    init(
        table: RoutingTable, sequences: SequenceSet, clientSource: ClientSource = ClientSource(), rate: ClientRate? = nil,
        credentialOrigins: [String] = [], log: AccessLog? = nil, pages: [EdgePage] = [], clock: @escaping () -> Int = DateField.now
    ) {
        self.credentialOrigins = credentialOrigins
        self.clientSource = clientSource
        self.rate = rate
        self.log = log.map { AccessLines($0) }
        self.table = table
        self.sequences = sequences
        redirectsToCDN = [UInt64](repeating: 0, count: table.catalog.cdns.count)
        traffic = TrafficCounts(table)
        self.pages = pages
        self.clock = clock
    }

    /// Takes over a new table with the sequences made for it.
    ///
    /// - Returns: what was counted with the old one.
    @discardableResult
    mutating func replaceTable(_ table: RoutingTable, _ sequences: SequenceSet) -> TrafficCounts {
        counters = total
        defer { traffic = TrafficCounts(table) }
        redirectsToCDN = [UInt64](repeating: 0, count: table.catalog.cdns.count)
        self.table = table
        self.sequences = sequences
        return traffic
    }

    /// What was counted for the history of traffic since the last time.
    mutating func takeTraffic() -> TrafficCounts { traffic.take() }

    /// All that was counted so far.
    var total: Counters {
        var total = counters
        for (cdn, count) in zip(table.catalog.cdns, redirectsToCDN) where count > 0 { total.redirectsToCDN[cdn.name, default: 0] += count }
        for (status, count) in answers.enumerated() where count > 0 { total.answers[status] = count }
        return total
    }

    /// Answers a head.
    ///
    /// - Parameters:
    ///   - bytes: what the head's offsets count in.
    ///   - peer: the connection's, or what a PROXY header says.
    ///   - closes: whether the connection ends after this answer.
    ///   - mayTakeLong: whether nobody else waits for this thread meanwhile.
    mutating func respond(
        to head: RequestHead, _ bytes: borrowing Span<UInt8>, from peer: ClientAddress, closes: Bool, mayTakeLong: Bool = true
    ) -> Outcome {
        let client = clientSource.client(of: head, bytes, peer: peer)
        let outcome = answer(head, bytes, from: client, closes: closes, mayTakeLong: mayTakeLong)
        if log != nil, outcome == .answered { addLine(head.method, head.target, of: bytes, client) }
        return outcome
    }

    /// Hands over what is to be logged.
    mutating func flushLog() { log?.flush() }

    private mutating func addLine(
        _ method: RequestHead.Method, _ target: Range<Int>, of bytes: borrowing Span<UInt8>, _ client: ClientAddress
    ) {
        log?.add(last, to: method, target, of: bytes, from: client, table, now: clock())
        last = AccessLines.Answer()
    }

    private mutating func addLine(_ method: RequestHead.Method, _ target: String, _ client: ClientAddress) {
        guard log != nil else { return }
        let bytes = Array(target.utf8)
        addLine(method, 0..<bytes.count, of: bytes.span, client)
    }

    private mutating func answer(
        _ head: RequestHead, _ bytes: borrowing Span<UInt8>, from client: ClientAddress, closes: Bool, mayTakeLong: Bool
    ) -> Outcome {
        var framing = ResponseWriter.Framing(head, closes: closes)
        if !credentialOrigins.isEmpty { framing.allowedOrigin = allowedOrigin(head.fields, of: bytes) }
        if head.method == .other { return refuse(.unknownMethod, framing) }
        if head.form == .authority { return refuseMethod(allow: Allow.redirect, framing) }
        if head.form == .asterisk { return options(allow: Allow.redirect, head, bytes, framing) }
        let question = bytes.firstIndex(of: UInt8(ascii: "?"), in: head.target)
        let path = head.target.lowerBound..<question
        let query = min(question + 1, head.target.upperBound)..<head.target.upperBound
        if path.isEmpty || bytes.equals("/", in: path) {
            return redirectByQuery(head, bytes, query, from: client, allow: Allow.redirect, framing, mayTakeLong)
        }
        if bytes.equals("/origin", in: path) || bytes.equals("/origin/", in: path) {
            return redirectByQuery(head, bytes, query, from: client, allow: Allow.origin, framing, mayTakeLong)
        }
        if bytes.equals("/livez", in: path) { return health(head, isWell: true, framing) }
        if bytes.equals("/readyz", in: path) { return health(head, isWell: !isDraining, framing) }
        for page in pages.indices where bytes.equals(pages[page].path, in: path) { return .needsPage(page) }
        return redirectByPath(head, bytes, from: client, framing)
    }

    /// Answers with a page; its body is in `attachment` then.
    mutating func show(_ page: Int, to head: RequestHead, from client: ClientAddress, closes: Bool) {
        let framing = ResponseWriter.Framing(head, closes: closes)
        defer { addLine(head.method, pages[page].path, client) }
        guard head.method == .get || head.method == .head else {
            _ = refuseMethod(allow: Allow.page, framing)
            return
        }
        let page = pages[page]
        begin(200, framing)
        writer.field("Content-Security-Policy", page.policy ?? "default-src 'none'; frame-ancestors 'none'")
        writer.field("X-Content-Type-Options", "nosniff")
        writer.field("Content-Type", page.type)
        writer.field("Content-Length", String(page.body.readableBytes))
        writer.endWithoutContent()
        if !framing.omitsBody { attachment = page.body }
        counters.otherAnswers += 1
    }

    /// Answers a request whose video stands in its JSON body. The connection closes after it.
    ///
    /// - Parameter fields: the head's field lines.
    mutating func respond(toBody body: [UInt8], of head: RequestHead, fields: [UInt8], from client: ClientAddress) {
        var framing = ResponseWriter.Framing(head, closes: true)
        if !credentialOrigins.isEmpty { framing.allowedOrigin = allowedOrigin(0..<fields.count, of: fields.span) }
        defer { addLine(head.method, "/origin", client) }
        let url: [UInt8]
        do throws(OriginBody.Fault) {
            url = try OriginBody.video(in: body)
        } catch {
            let (status, name, _) = HTTPFault.body.table
            return problem(status, name, error.detail, framing, field: nil)
        }
        do throws(Refusal) {
            let video = try table.video(in: 0..<url.count, of: url.span, decodedInto: &decoded)
            let asker = Asker(client: client, second: clock(), fields: 0..<fields.count)
            try redirect(to: video, of: url.span, asker, fields.span, head, framing)
        } catch {
            refuse(error, framing)
        }
    }

    /// Answers what is wrong as HTTP. The connection closes after it.
    mutating func refuse(_ fault: HTTPFault, method: RequestHead.Method = .get, from client: ClientAddress) {
        let field = fault == .bodiesTooLarge ? Responder.retryAfter : nil
        _ = refuse(fault, ResponseWriter.Framing(method: method, closes: true), field: field)
        addLine(method, "", client)
    }
}

// MARK: - Redirects

extension Responder {
    private mutating func redirectByQuery(
        _ head: RequestHead, _ bytes: borrowing Span<UInt8>, _ query: Range<Int>, from client: ClientAddress, allow: String,
        _ framing: ResponseWriter.Framing, _ mayTakeLong: Bool
    ) -> Outcome {
        switch head.method {
        case .get, .head: break
        case .post where allow == Allow.origin: break
        case .options: return options(allow: allow, head, bytes, framing)
        default: return refuseMethod(allow: allow, framing)
        }
        var parameters = Query()
        var fault: Refusal?
        do throws(Refusal) { parameters = try Query(bytes, query) } catch { fault = error }
        if parameters.wantsDocument, !mayTakeLong { return .needsTime }
        guard admits(client) else { return refuse(.tooManyRequests, framing, field: Responder.retryAfter) }
        do throws(Refusal) {
            if let fault { throw fault }
            guard let value = parameters.video else {
                if head.body != .none, allow == Allow.origin, head.method != .head { return .needsBody }
                throw .missingVideo
            }
            let video = try table.video(in: value, of: bytes, decodedInto: &decoded)
            var avoided: Int?
            if let name = parameters.avoid { avoided = table.cdn(named: name, of: bytes) }
            let asker = Asker(client: client, second: clock(), avoided: avoided, fields: head.fields, query: query)
            try redirect(to: video, of: bytes, asker, bytes, head, framing, isSeen: !parameters.wantsDocument)
        } catch {
            refuse(error, framing)
        }
        return .answered
    }

    private static let retryAfter = ("Retry-After", "1")

    private func admits(_ client: ClientAddress) -> Bool { rate.map { $0.admits(client, now: FastLoop.nanoseconds()) } ?? true }

    private mutating func redirectByPath(
        _ head: RequestHead, _ bytes: borrowing Span<UInt8>, from client: ClientAddress, _ framing: ResponseWriter.Framing
    ) -> Outcome {
        guard admits(client) else { return refuse(.tooManyRequests, framing, field: Responder.retryAfter) }
        do throws(Refusal) {
            let video = try table.video(atPath: head.target, of: bytes)
            switch head.method {
            case .get, .head:
                try redirect(to: video, of: bytes, Asker(client: client, second: clock(), fields: head.fields), bytes, head, framing)
            case .options: return options(allow: Allow.redirect, head, bytes, framing)
            default: return refuseMethod(allow: Allow.redirect, framing)
            }
        } catch {
            refuse(error, framing)
        }
        return .answered
    }

    /// - Parameters:
    ///   - source: what the video's offsets count in, unless it is decoded.
    ///   - bytes: what the asker's offsets count in.
    ///   - isSeen: false answers with the decision alone, for who cannot see a redirect.
    private mutating func redirect(
        to video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, _ bytes: borrowing Span<UInt8>,
        _ head: RequestHead, _ framing: ResponseWriter.Framing, isSeen: Bool = true
    ) throws(Refusal) {
        if video.isDecoded {
            let decoded = decoded
            try redirect(toRead: video, of: decoded.span, asker, bytes, head, framing, isSeen)
        } else {
            try redirect(toRead: video, of: source, asker, bytes, head, framing, isSeen)
        }
    }

    private mutating func redirect(
        toRead video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, _ bytes: borrowing Span<UInt8>,
        _ head: RequestHead, _ framing: ResponseWriter.Framing, _ isSeen: Bool
    ) throws(Refusal) {
        let decision = try table.decide(video, of: source, asker, head: bytes, sequences: sequences)
        switch decision.target {
        case .origin: counters.redirectsToOrigin += 1
        case .cdn(let cdn): redirectsToCDN[cdn] += 1
        }
        counters.reasons[Int(decision.reason.rawValue)] += 1
        if log != nil { last = AccessLines.Answer(reason: decision.reason.name, decision: decision) }
        traffic.countRedirect(decision.target, status: decision.status, server: video.server)
        guard isSeen else { return show(decision, video, source, asker, bytes, framing) }
        beginRedirect(decision.status, second: asker.second, framing)
        let start = writer.bytes.count
        table.appendLocation(decision.target, video, of: source, passing: asker.query, of: bytes, to: &writer.bytes)
        let location = start..<writer.bytes.count
        if head.wantsJSON || table.catalog.redirect.links { table.rank(decision, avoiding: asker.avoided, into: &targets) }
        if table.catalog.redirect.links { appendLinks(video, source, asker.query, bytes) }
        if head.wantsJSON {
            writer.append("\r\n")
            // A Location has no byte that a JSON string would escape.
            let text = String(decoding: writer.bytes[location], as: UTF8.self)
            let document = table.document(of: decision, location: text, targets, video, source, asker, bytes)
            writer.end(body: Array((document.json + "\n").utf8), type: "application/json", framing)
        } else {
            writer.append(redirectEnd)
        }
    }

    /// The decision without a redirect.
    private mutating func show(
        _ decision: Decision, _ video: VideoReference, _ source: borrowing Span<UInt8>, _ asker: Asker, _ bytes: borrowing Span<UInt8>,
        _ framing: ResponseWriter.Framing
    ) {
        table.rank(decision, avoiding: asker.avoided, into: &targets)
        var location: [UInt8] = []
        table.appendLocation(decision.target, video, of: source, passing: asker.query, of: bytes, to: &location)
        let text = String(decoding: location, as: UTF8.self)
        let document = table.document(of: decision, location: text, targets, video, source, asker, bytes)
        begin(200, framing)
        writer.end(body: Array((document.json + "\n").utf8), type: "application/json", framing)
    }

    /// Other places of the same film, the next choice first (RFC 6249 §3).
    private mutating func appendLinks(
        _ video: VideoReference, _ source: borrowing Span<UInt8>, _ query: Range<Int>, _ bytes: borrowing Span<UInt8>
    ) {
        for (index, target) in targets.prefix(Responder.mostLinks).enumerated() where index > 0 {
            writer.append(index == 1 ? "\r\nLink: <" : ", <")
            table.appendLocation(target, video, of: source, passing: query, of: bytes, to: &writer.bytes)
            writer.append(">; rel=duplicate; pri=")
            writer.bytes.append(UInt8(ascii: "0") + UInt8(index))
        }
    }

    /// Writes everything before the Location.
    private mutating func beginRedirect(_ status: Int, second now: Int, _ framing: ResponseWriter.Framing) {
        if redirectStart.second != now || redirectStart.status != status {
            date.refresh(now: now)
            redirectStart.rewrite(second: now, status: status, date: date.bytes)
        }
        if framing.keepsAliveHTTP10 || framing.allowedOrigin != .any {
            begin(status, framing)
            writer.append("Location: ")
        } else {
            note(status)
            // A choice by `?:` would take a reference.
            if framing.closes { writer.append(redirectStart.closing) } else { writer.append(redirectStart.keepingAlive) }
        }
    }
}

// MARK: - Other answers

extension Responder {
    /// The values of `Allow`.
    private enum Allow {
        static let redirect = "GET, HEAD, OPTIONS"
        static let origin = "GET, HEAD, POST, OPTIONS"
        static let health = "GET, HEAD, OPTIONS"
        static let page = "GET, HEAD"
    }

    private mutating func note(_ status: Int) {
        answers[status] += 1
        last.status = status
    }

    private mutating func begin(_ status: Int, _ framing: ResponseWriter.Framing) {
        date.refresh(now: clock())
        note(status)
        writer.begin(status, framing, date: date.bytes)
        switch framing.allowedOrigin {
        case .any: break
        case .unlisted: writer.field("Vary", "Origin")
        case .listed(let index):
            writer.field("Access-Control-Allow-Origin", credentialOrigins[index])
            writer.field("Access-Control-Allow-Credentials", "true")
            writer.field("Vary", "Origin")
        }
    }

    private static let originName = Array("origin".utf8)
    private static let requestedFieldsName = Array("access-control-request-headers".utf8)

    private func allowedOrigin(_ fields: Range<Int>, of bytes: borrowing Span<UInt8>) -> AllowedOrigin {
        guard let origin = FieldLines.value(of: Responder.originName, in: fields, of: bytes) else { return .unlisted }
        for index in credentialOrigins.indices where bytes.equals(credentialOrigins[index], in: origin) { return .listed(index) }
        return .unlisted
    }

    /// The answer to a preflight too (Fetch standard, "CORS-preflight fetch"): any header a player adds is fine, since none is read.
    private mutating func options(
        allow: String, _ head: RequestHead, _ bytes: borrowing Span<UInt8>, _ framing: ResponseWriter.Framing
    ) -> Outcome {
        begin(204, framing)
        writer.field("Allow", allow)
        writer.field("Access-Control-Allow-Methods", allow)
        writer.append("Access-Control-Allow-Headers: ")
        if let asked = FieldLines.value(of: Responder.requestedFieldsName, in: head.fields, of: bytes),
            AllowedOrigin.isFieldList(bytes, asked)
        {
            for index in asked { writer.bytes.append(bytes[index]) }
        } else {
            writer.append("*, Authorization")
        }
        writer.append("\r\n")
        writer.field("Access-Control-Max-Age", "86400")
        writer.field("Vary", "Access-Control-Request-Headers")
        writer.endWithoutContent()
        counters.otherAnswers += 1
        return .answered
    }

    /// HAProxy's short `option httpchk` asks with OPTIONS.
    private mutating func health(_ head: RequestHead, isWell: Bool, _ framing: ResponseWriter.Framing) -> Outcome {
        guard [.get, .head, .options].contains(head.method) else { return refuseMethod(allow: Allow.health, framing) }
        begin(isWell ? 200 : 503, framing)
        writer.end(body: Array((isWell ? "ok\n" : "draining\n").utf8), type: "text/plain; charset=utf-8", framing)
        counters.otherAnswers += 1
        return .answered
    }

    private mutating func refuseMethod(allow: String, _ framing: ResponseWriter.Framing) -> Outcome {
        refuse(.methodNotAllowed, framing, field: ("Allow", allow))
    }

    private mutating func refuse(_ fault: HTTPFault, _ framing: ResponseWriter.Framing, field: (String, String)? = nil) -> Outcome {
        let (status, name, detail) = fault.table
        problem(status, name, detail, framing, field: field)
        return .answered
    }

    private mutating func refuse(_ refusal: Refusal, _ framing: ResponseWriter.Framing) {
        problem(refusal.status, refusal.name, refusal.detail, framing, field: refusal.status == 503 ? ("Retry-After", "5") : nil)
    }

    /// A problem document (RFC 9457). Nothing from the request goes into it.
    private mutating func problem(
        _ status: Int, _ name: String, _ detail: String, _ framing: ResponseWriter.Framing, field: (String, String)?
    ) {
        counters.countRefusal(status, name)
        traffic.countRefusal(status)
        last = AccessLines.Answer(reason: name)
        let document = Document.object([
            .init("type", .string("about:blank")),
            .init("title", .string(ResponseWriter.title(status))),
            .init("status", .integer(status)),
            .init("detail", .string(detail)),
            .init("reason", .string(name)),
        ])
        begin(status, framing)
        if let field { writer.field(field.0, field.1) }
        writer.field("Access-Control-Expose-Headers", "Allow, Date, Retry-After")
        writer.end(body: Array((document.json + "\n").utf8), type: "application/problem+json", framing)
    }
}
