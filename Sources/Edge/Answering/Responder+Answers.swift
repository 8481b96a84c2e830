import Steering

/// What requests are answered with: nothing is recorded and written here.
extension Responder {
    /// What a head is answered with. Takes the redirect's number; records and writes nothing.
    ///
    /// - Parameters:
    ///   - question: where the target's `?` stands, or its end.
    ///   - second: seconds since 1970, UTC.
    @inline(__always)
    mutating func answer(
        to head: RequestHead, _ bytes: borrowing Span<UInt8>, by route: Router.Route, _ question: Int, from client: ClientAddress,
        second: Int,
        isFast: Bool = false
    ) -> Answer {
        if head.method == .other { return .fault(.unknownMethod) }
        // Of a path that names no video no method is known either.
        if route.resource == .video { return redirectByPath(head, bytes, from: client, second: second, isFast: isFast) }
        if case .steering(let format) = route.resource {
            return steer(head, bytes, question, format, from: client, second: second, isFast: isFast)
        }
        guard route.methods.contains(head.method) else { return .methodNotAllowed(route.methods) }
        switch route.resource {
        case .livez: return .health(isWell: true)
        case .readyz: return .health(isWell: !isDraining)
        case .page(let page): return .page(page)
        case .upstream:
            wanted = UpstreamRequest(target: bytes.bytes(head.target))
            return .needsUpstream
        case .session: return followSession(head, bytes, from: client, second: second, isFast: isFast)
        case .redirect, .redirectByBody, .video, .steering: break
        }
        if head.method == .options { return options(route.methods, head, bytes) }
        let end = head.target.range.upperBound
        let query = HeadRange(min(question + 1, end)..<end)
        return redirectByQuery(
            head, bytes, query, from: client, mayBeInBody: route.resource == .redirectByBody, second: second, isFast: isFast)
    }

    @inline(__always)
    private mutating func redirectByQuery(
        _ head: RequestHead, _ bytes: borrowing Span<UInt8>, _ query: HeadRange, from client: ClientAddress, mayBeInBody: Bool,
        second: Int, isFast: Bool
    ) -> Answer {
        var parameters = Query()
        var fault: Refusal?
        do throws(Refusal) { parameters = try Query(bytes, query.range) } catch { fault = error }
        if parameters.wantsDocument, isFast { return .needsTime }
        guard admits(client) else { return .fault(.tooManyRequests) }
        do throws(Refusal) {
            if let fault { throw fault }
            guard let value = parameters.video else {
                return head.body != .none && mayBeInBody && head.method != .head ? .needsBody : .refusal(.missingVideo)
            }
            var avoided: Int?
            if let name = parameters.avoid { avoided = table.cdn(named: name, of: bytes) }
            let asker = Asker(client: client, second: second, avoided: avoided, fields: head.fields, query: query)
            return redirect(
                to: value, of: bytes, asker, bytes, wantsJSON: head.wantsJSON, isDocument: parameters.wantsDocument,
                isByHTTPS: isByHTTPS(head, head.fields, of: bytes), head: head, isFast: isFast)
        } catch {
            return .refusal(error)
        }
    }

    @inline(__always)
    mutating func redirectByPath(
        _ head: RequestHead, _ bytes: borrowing Span<UInt8>, from client: ClientAddress, second: Int, isFast: Bool
    ) -> Answer {
        guard admits(client) else { return .fault(.tooManyRequests) }
        do throws(Refusal) {
            var video = try table.video(atPath: head.target.range, of: bytes)
            switch head.method {
            case .get, .head: break
            case .options: return options(.reading, head, bytes)
            default: return .methodNotAllowed(.reading)
            }
            video.isAskedByHTTPS = isByHTTPS(head, head.fields, of: bytes)
            let asker = Asker(client: client, second: second, fields: head.fields)
            if table.deliversManifests, let answer = try deliver(video, of: bytes, asker, head, bytes, isFast: isFast) { return answer }
            if table.signsSlowly, let answer = awaitLinks(to: video, of: bytes, asker, bytes, isFast: isFast) { return answer }
            var decision = try table.decide(video, of: bytes, asker, head: bytes, sequences: sequences)
            if table.signsSlowly { decision = try reachable(decision, video, of: bytes, asker, bytes) }
            return .redirect(.init(decision: decision, video: video, avoided: nil, query: asker.query, wantsJSON: head.wantsJSON))
        } catch {
            return .refusal(error)
        }
    }

    /// Steers the player of the video that the path names behind its beginning. What is too often is told so by a longer TTL: after a 429
    /// hls.js asks no more.
    private mutating func steer(
        _ head: RequestHead, _ bytes: borrowing Span<UInt8>, _ question: Int, _ format: SteeringFormat, from client: ClientAddress,
        second: Int, isFast: Bool
    ) -> Answer {
        guard table.steers else { return redirectByPath(head, bytes, from: client, second: second, isFast: isFast) }
        do throws(Refusal) {
            let target = head.target.range
            let start = target.lowerBound + format.path.utf8CodeUnitCount - 1
            let video = try table.video(atPath: start..<question, of: bytes)
            switch head.method {
            case .get, .head: break
            case .options: return options(.reading, head, bytes)
            default: return .methodNotAllowed(.reading)
            }
            // Here the query is the balancer's own.
            let query = HeadRange(min(question + 1, target.upperBound)..<target.upperBound)
            let parameters = try SteeringQuery(bytes, query.range, format)
            let asker = table.asker(parameters, in: query, of: bytes, client: client, second: second, fields: head.fields)
            let isHurried = !admits(client)
            let list = try table.steer(
                video, of: bytes, asker, head: bytes, session: parameters.session, isHurried: isHurried, sequences: sequences,
                ranking: &writer.targets)
            guard let list else {
                if !isHurried { rate?.giveBack(client) }
                return redirectByPath(head, bytes, from: client, second: second, isFast: isFast)
            }
            return .steering(
                .init(
                    list: list, format: format, ignored: parameters.ignored, move: table.move(of: asker, to: list),
                    left: table.left(by: asker, list, since: tableSince), avoids: asker.avoided != nil))
        } catch {
            return .refusal(error)
        }
    }

    /// - Parameters:
    ///   - value: the video's URL in `source`.
    ///   - bytes: what the asker's offsets count in.
    @inline(__always)
    mutating func redirect(
        to value: Range<Int>, of source: borrowing Span<UInt8>, _ asker: Asker, _ bytes: borrowing Span<UInt8>, wantsJSON: Bool,
        isDocument: Bool = false, isByHTTPS: Bool, head: RequestHead? = nil, isFast: Bool = false
    ) -> Answer {
        do throws(Refusal) {
            var video = try table.video(in: value, of: source, decodedInto: &decoded)
            video.isAskedByHTTPS = isByHTTPS
            if table.deliversManifests, !isDocument, let head,
                let answer = try deliverNamed(video, of: source, asker, head, bytes, isFast: isFast)
            {
                return answer
            }
            if table.signsSlowly, let answer = awaitLinks(to: video, of: source, asker, bytes, isFast: isFast) { return answer }
            var decision =
                video.isDecoded
                ? try table.decide(video, of: decoded.span, asker, head: bytes, sequences: sequences)
                : try table.decide(video, of: source, asker, head: bytes, sequences: sequences)
            if table.signsSlowly { decision = try reachable(decision, video, of: source, asker, bytes) }
            return .redirect(
                .init(
                    decision: decision, video: video, avoided: asker.avoided, query: asker.query, wantsJSON: wantsJSON,
                    isDocument: isDocument))
        } catch {
            return .refusal(error)
        }
    }

    /// Whether the request came by HTTPS, to this balancer or to a proxy before it that says so.
    @inline(__always)
    func isByHTTPS(_ head: RequestHead, _ fields: HeadRange, of bytes: borrowing Span<UInt8>) -> Bool {
        if case .tls = record.transport { return true }
        return head.isForwarded && clientSource.saysHTTPS(fields.range, of: bytes)
    }

    /// The same for a video that may stand in the decoded text.
    private mutating func deliverNamed(
        _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, _ head: RequestHead, _ bytes: borrowing Span<UInt8>,
        isFast: Bool
    ) throws(Refusal) -> Answer? {
        guard video.isDecoded else { return try deliver(video, of: source, asker, head, bytes, isFast: isFast) }
        let text = decoded
        return try deliver(video, of: text.span, asker, head, bytes, isFast: isFast)
    }

    /// An answer that waited was let in when it was asked for, and the first one after a handshake with that.
    mutating func admits(_ client: ClientAddress) -> Bool {
        guard let rate, fetched == nil else { return true }
        if isPrepaid {
            isPrepaid = false
            return true
        }
        return rate.admits(client, now: FastLoop.nanoseconds())
    }

    private static let requestedFieldsName = Array("access-control-request-headers".utf8)

    /// The answer to a preflight too (Fetch standard, "CORS-preflight fetch"): any header a player adds is fine, since none is read.
    func options(_ methods: Methods, _ head: RequestHead, _ bytes: borrowing Span<UInt8>) -> Answer {
        guard let asked = FieldLines.value(of: Responder.requestedFieldsName, in: head.fields.range, of: bytes),
            AllowedOrigin.isFieldList(bytes, asked)
        else { return .options(methods, requestedFields: nil) }
        return .options(methods, requestedFields: HeadRange(asked))
    }
}
