import Steering

extension HTTP1Writer {
    /// Targets that `Location` and `Link` name together: a priority has one digit.
    private static let mostLinks = 8
    private static let redirectEnd = Array("\r\nContent-Length: 0\r\n\r\n".utf8)

    /// Writes a redirect.
    ///
    /// - Parameters:
    ///   - source: what the video's offsets count in.
    ///   - request: what its query counts in.
    ///   - table: by which it was decided, with `sequences`.
    ///   - second: seconds since 1970, UTC.
    mutating func write(
        _ redirect: Answer.Redirect, of source: borrowing Span<UInt8>, request: borrowing Span<UInt8>, _ table: RoutingTable,
        _ sequences: SequenceSet, _ client: ClientAddress, _ framing: Framing, second: Int
    ) {
        if redirect.isDocument {
            return writeDocument(redirect, of: source, request: request, table, sequences, client, framing, second: second)
        }
        beginRedirect(redirect.decision.status, second: second, framing)
        let start = bytes.count
        table.appendLocation(redirect.decision.target, redirect.video, of: source, passing: redirect.query, of: request, to: &bytes)
        let location = start..<bytes.count
        let hasLinks = table.catalog.redirect.links
        if redirect.wantsJSON || hasLinks {
            let asker = Asker(client: client, second: second, avoided: redirect.avoided)
            let limit = redirect.wantsJSON ? .max : HTTP1Writer.mostLinks
            table.rank(redirect.decision, redirect.video, asker, sequences: sequences, limit: limit, into: &targets)
        }
        if hasLinks { appendLinks(redirect, source, request, table) }
        if redirect.wantsJSON {
            append("\r\n")
            // A Location has no byte that a JSON string would escape.
            let text = String(decoding: bytes[location], as: UTF8.self)
            let asker = Asker(client: client, second: second, query: redirect.query)
            let document = table.document(of: redirect.decision, location: text, targets, redirect.video, source, asker, request)
            end(body: Array((document.json + "\n").utf8), type: "application/json", framing)
        } else {
            append(HTTP1Writer.redirectEnd)
        }
    }

    /// The decision without a redirect.
    private mutating func writeDocument(
        _ redirect: Answer.Redirect, of source: borrowing Span<UInt8>, request: borrowing Span<UInt8>, _ table: RoutingTable,
        _ sequences: SequenceSet, _ client: ClientAddress, _ framing: Framing, second: Int
    ) {
        let asker = Asker(client: client, second: second, avoided: redirect.avoided, query: redirect.query)
        table.rank(redirect.decision, redirect.video, asker, sequences: sequences, into: &targets)
        var location: [UInt8] = []
        table.appendLocation(redirect.decision.target, redirect.video, of: source, passing: redirect.query, of: request, to: &location)
        let text = String(decoding: location, as: UTF8.self)
        let document = table.document(of: redirect.decision, location: text, targets, redirect.video, source, asker, request)
        begin(redirect.status, framing, second: second)
        end(body: Array((document.json + "\n").utf8), type: "application/json", framing)
    }

    /// Other places of the same film, the next choice first (RFC 6249 §3).
    private mutating func appendLinks(
        _ redirect: Answer.Redirect, _ source: borrowing Span<UInt8>, _ request: borrowing Span<UInt8>, _ table: RoutingTable
    ) {
        for (index, target) in targets.prefix(HTTP1Writer.mostLinks).enumerated() where index > 0 {
            append(index == 1 ? "\r\nLink: <" : ", <")
            table.appendLocation(target, redirect.video, of: source, passing: redirect.query, of: request, to: &bytes)
            append(">; rel=duplicate; pri=")
            bytes.append(UInt8(ascii: "0") + UInt8(index))
        }
    }

    /// Writes everything before the Location.
    private mutating func beginRedirect(_ status: Int, second: Int, _ framing: Framing) {
        if redirectStart.second != second || redirectStart.status != status {
            date.refresh(now: second)
            redirectStart.rewrite(second: second, status: status, date: date.bytes)
        }
        if framing.keepsAliveHTTP10 || framing.allowedOrigin != .any {
            begin(status, framing, second: second)
            append("Location: ")
        } else if framing.closes {
            // A choice by `?:` would take a reference.
            append(redirectStart.closing)
        } else {
            append(redirectStart.keepingAlive)
        }
    }
}
