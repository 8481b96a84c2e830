import Steering

extension HTTP1Writer {
    /// Targets that `Location` and `Link` name together: a priority has one digit.
    private static let maximumLinks = 8
    private static let redirectEnd: StaticString = "\r\nContent-Length: 0\r\n\r\n"

    /// Writes a redirect.
    ///
    /// - Parameters:
    ///   - source: what the video's offsets count in.
    ///   - request: what its query counts in.
    ///   - table: by which it was decided, with `sequences`.
    ///   - second: seconds since 1970, UTC.
    mutating func write(
        _ redirect: borrowing Answer.Redirect, of source: borrowing Span<UInt8>, request: borrowing Span<UInt8>, _ table: RoutingTable,
        _ sequences: SequenceSet, _ client: ClientAddress, _ framing: Framing, second: Int
    ) {
        if redirect.isDocument {
            return writeDocument(redirect, of: source, request: request, table, sequences, client, framing, second: second)
        }
        let hasLinks = table.catalog.redirect.links
        if framing.isOrdinary {
            followSecond(second, redirect.decision.status)
            if !redirect.wantsJSON, !hasLinks {
                let asker = Asker(client: client, second: second)
                return write(redirect, of: source, request: request, table, for: asker, closes: framing.closes)
            }
            if framing.closes { append(redirectStart.closing) } else { append(redirectStart.keepingAlive) }
        } else {
            begin(redirect.decision.status, framing, second: second)
            append("Location: ")
        }
        let asker = Asker(client: client, second: second, avoided: redirect.avoided, query: redirect.query)
        let start = bytes.count
        table.appendLocation(
            redirect.decision.target, redirect.video, of: source, passing: redirect.query, of: request, for: asker, to: &bytes)
        let location = start..<bytes.count
        if redirect.wantsJSON || hasLinks {
            let limit = redirect.wantsJSON ? .max : HTTP1Writer.maximumLinks
            table.rank(redirect.decision, redirect.video, asker, sequences: sequences, limit: limit, into: &targets)
            if table.signsSlowly { dropUnsigned(redirect, source, request, table, asker) }
        }
        if hasLinks { appendLinks(redirect, source, request, table, asker) }
        append("\r\n")
        guard redirect.wantsJSON else { return end(body: [], type: nil, framing) }
        // A Location has no byte that a JSON string would escape.
        let text = String(decoding: bytes[location], as: UTF8.self)
        let document = table.document(of: redirect.decision, location: text, targets, redirect.video, source, asker, request)
        end(body: Array((document.json + "\n").utf8), type: "application/json", framing)
    }

    /// Writes a redirect that is a Location alone, as most.
    private mutating func write(
        _ redirect: borrowing Answer.Redirect, of source: borrowing Span<UInt8>, request: borrowing Span<UInt8>, _ table: RoutingTable,
        for asker: Asker, closes: Bool
    ) {
        // Taken out for the call: a copy would take a reference, and so would a choice by `?:`.
        var bytes: [UInt8] = []
        swap(&bytes, &self.bytes)
        if closes {
            HTTP1Writer.write(redirect, after: redirectStart.closing.span, of: source, request: request, table, for: asker, to: &bytes)
        } else {
            HTTP1Writer.write(
                redirect, after: redirectStart.keepingAlive.span, of: source, request: request, table, for: asker, to: &bytes)
        }
        swap(&bytes, &self.bytes)
    }

    /// Writes it whole: there is room, or it is made, once and not for each piece.
    private static func write(
        _ redirect: borrowing Answer.Redirect, after start: borrowing Span<UInt8>, of source: borrowing Span<UInt8>,
        request: borrowing Span<UInt8>, _ table: RoutingTable, for asker: Asker, to bytes: inout [UInt8]
    ) {
        let (target, video, query) = (redirect.decision.target, redirect.video, redirect.query)
        let location = table.locationCapacity(video, passing: query)
        // The caller holds the table during the call; the closure would take a reference, as all workers would.
        let lent = unsafe Unmanaged.passUnretained(table)
        bytes.append(addingCapacity: start.count + location + redirectEnd.utf8CodeUnitCount) { output in
            output.append(copying: start)
            unsafe lent._withUnsafeGuaranteedRef {
                _ = $0.appendLocation(target, video, of: source, passing: query, of: request, for: asker, to: &output)
            }
            output.append(literal: redirectEnd)
        }
    }

    /// The decision without a redirect.
    private mutating func writeDocument(
        _ redirect: Answer.Redirect, of source: borrowing Span<UInt8>, request: borrowing Span<UInt8>, _ table: RoutingTable,
        _ sequences: SequenceSet, _ client: ClientAddress, _ framing: Framing, second: Int
    ) {
        let asker = Asker(client: client, second: second, avoided: redirect.avoided, query: redirect.query)
        table.rank(redirect.decision, redirect.video, asker, sequences: sequences, into: &targets)
        if table.signsSlowly { dropUnsigned(redirect, source, request, table, asker) }
        var location: [UInt8] = []
        table.appendLocation(
            redirect.decision.target, redirect.video, of: source, passing: redirect.query, of: request, for: asker, to: &location)
        let text = String(decoding: location, as: UTF8.self)
        let document = table.document(of: redirect.decision, location: text, targets, redirect.video, source, asker, request)
        begin(redirect.status, framing, second: second)
        end(body: Array((document.json + "\n").utf8), type: "application/json", framing)
    }

    /// Leaves out targets that would have to be signed on the spot.
    private mutating func dropUnsigned(
        _ redirect: borrowing Answer.Redirect, _ source: borrowing Span<UInt8>, _ request: borrowing Span<UInt8>, _ table: RoutingTable,
        _ asker: Asker
    ) {
        var index = 1
        while index < targets.count {
            let isReady = table.isLinkReady(
                targets[index], redirect.video, of: source, passing: redirect.query, of: request, for: asker, scratch: &scratch)
            if isReady { index += 1 } else { targets.remove(at: index) }
        }
    }

    /// Other places of the same film, the next choice first (RFC 6249 §3).
    private mutating func appendLinks(
        _ redirect: Answer.Redirect, _ source: borrowing Span<UInt8>, _ request: borrowing Span<UInt8>, _ table: RoutingTable,
        _ asker: Asker
    ) {
        for (index, target) in targets.prefix(HTTP1Writer.maximumLinks).enumerated() where index > 0 {
            append(index == 1 ? "\r\nLink: <" : ", <")
            table.appendLocation(target, redirect.video, of: source, passing: redirect.query, of: request, for: asker, to: &bytes)
            append(">; rel=duplicate; pri=")
            bytes.append(UInt8(ascii: "0") + UInt8(index))
        }
    }

    /// Makes what redirects begin with anew when its second is over.
    private mutating func followSecond(_ second: Int, _ status: Int) {
        guard redirectStart.second != second || redirectStart.status != status else { return }
        date.refresh(now: second)
        redirectStart.rewrite(second: second, status: status, date: date.bytes)
    }
}
