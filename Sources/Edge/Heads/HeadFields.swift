import Steering

/// Collects the header fields that matter and judges them together once the head is complete: a second Host or a late
/// Transfer-Encoding must still be seen (RFC 9110 §5.3).
struct HeadFields {
    private var count = 0
    private var hosts = 0
    private var host = 0..<0
    private var contentLengths = 0
    private var contentLength: Int?
    private var transferEncodings = 0
    private var transferEncoding = 0..<0
    private var hasTabInFraming = false
    private var saysClose = false
    private var saysKeepAlive = false
    private var acceptsJSON = false
    private var expects = false
    private var hasUnknownExpectation = false
    private var isForwarded = false

    mutating func take(_ bytes: borrowing Span<UInt8>, name: Range<Int>, value: Range<Int>, limit: Int) throws(HTTPFault) {
        count += 1
        if count > limit { throw .tooManyFields }
        let value = bytes.trimmed(value)
        switch name.count {
        case 4 where bytes.equalsIgnoringCase("host", in: name):
            hosts += 1
            host = value
        case 6 where bytes.equalsIgnoringCase("accept", in: name):
            takeAccept(bytes, value)
        case 6 where bytes.equalsIgnoringCase("expect", in: name):
            expects = true
            if !bytes.equalsIgnoringCase("100-continue", in: value) { hasUnknownExpectation = true }
        case 9 where bytes.equalsIgnoringCase("forwarded", in: name): isForwarded = true
        case 10 where bytes.equalsIgnoringCase("connection", in: name):
            takeConnection(bytes, value)
        case 14 where bytes.equalsIgnoringCase("content-length", in: name):
            contentLengths += 1
            noteTabs(bytes, around: value)
            contentLength = HeadFields.length(bytes, value)
        case 15 where bytes.equalsIgnoringCase("x-forwarded-for", in: name): isForwarded = true
        case 17 where bytes.equalsIgnoringCase("transfer-encoding", in: name):
            transferEncodings += 1
            transferEncoding = value
            noteTabs(bytes, around: value)
        default: break
        }
    }

    /// Completes the head from all fields (RFC 9112 §3.2, §6, §9.3).
    func finish(_ head: inout RequestHead, _ bytes: borrowing Span<UInt8>) throws(HTTPFault) {
        if hosts > 1 || (hosts == 0 && !head.isHTTP10) { throw .host }
        if hosts == 1, !Authority.isValid(bytes, host) { throw .host }
        head.host = HeadRange(host)
        try finishTarget(&head, bytes)
        head.body = try body(head, bytes)
        if hasUnknownExpectation, !head.isHTTP10 { throw .expectation }
        head.expectsContinue = expects && !head.isHTTP10
        head.wantsJSON = acceptsJSON
        head.isForwarded = isForwarded
        head.closes = saysClose || (head.isHTTP10 && !saysKeepAlive) || head.body != .none || head.method == .connect
    }

    private func finishTarget(_ head: inout RequestHead, _ bytes: borrowing Span<UInt8>) throws(HTTPFault) {
        let target = head.target.range
        if head.method == .connect {
            guard Authority.isValid(bytes, target), Authority.hasPort(bytes, target) else { throw .target }
            head.form = .authority
            head.host = head.target
        } else if bytes.equals("*", in: target) {
            guard head.method == .options else { throw .target }
            head.form = .asterisk
        } else {
            if bytes[target.lowerBound] != UInt8(ascii: "/") { try finishAbsolute(&head, bytes) }
        }
    }

    /// An absolute target's authority replaces the Host (RFC 9112 §3.2.2).
    private func finishAbsolute(_ head: inout RequestHead, _ bytes: borrowing Span<UInt8>) throws(HTTPFault) {
        let target = head.target.range
        var start = target.lowerBound
        for scheme in ["http://", "https://"] {
            let range = target.lowerBound..<min(target.upperBound, target.lowerBound + scheme.utf8.count)
            if bytes.equalsIgnoringCase(scheme, in: range) { start = range.upperBound }
        }
        guard start > target.lowerBound else { throw .target }
        var end = start
        while end < target.upperBound, bytes[end] != UInt8(ascii: "/"), bytes[end] != UInt8(ascii: "?") { end += 1 }
        guard Authority.isValid(bytes, start..<end) else { throw .host }
        head.form = .absolute
        head.host = HeadRange(start..<end)
        head.target = HeadRange(end..<target.upperBound)
    }

    /// A tab beside the value is legal, but parsers differ on it, and what frames a message must mean the same to all.
    private mutating func noteTabs(_ bytes: borrowing Span<UInt8>, around value: Range<Int>) {
        if bytes[value.lowerBound - 1] == .tab || bytes[value.upperBound] == .tab { hasTabInFraming = true }
    }

    /// One framing or none; anything doubtful is refused rather than interpreted (RFC 9112 §6.3).
    private func body(_ head: RequestHead, _ bytes: borrowing Span<UInt8>) throws(HTTPFault) -> RequestHead.Body {
        if hasTabInFraming { throw .framing }
        if transferEncodings > 0 {
            if contentLengths > 0 || head.isHTTP10 || transferEncodings > 1 { throw .framing }
            if bytes.equalsIgnoringCase("chunked", in: transferEncoding) { return .chunked }
            throw isSingleToken(bytes, transferEncoding) ? .transferCoding : .framing
        }
        guard contentLengths > 0 else { return .none }
        guard contentLengths == 1, let contentLength else { throw .framing }
        return contentLength == 0 ? .none : .length(contentLength)
    }

    private func isSingleToken(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        for index in range where !HeadByte.isToken(bytes[index]) { return false }
        return !range.isEmpty
    }

    private mutating func takeConnection(_ bytes: borrowing Span<UInt8>, _ value: Range<Int>) {
        var start = value.lowerBound
        while start <= value.upperBound {
            let end = bytes.firstIndex(of: UInt8(ascii: ","), in: start..<value.upperBound)
            let token = bytes.trimmed(start..<end)
            if bytes.equalsIgnoringCase("close", in: token) { saysClose = true }
            if bytes.equalsIgnoringCase("keep-alive", in: token) { saysKeepAlive = true }
            start = end + 1
        }
    }

    /// `application/json` named in a media range, unless with `q=0` (RFC 9110 §12.5.1). Wildcards do not count: players send them.
    private mutating func takeAccept(_ bytes: borrowing Span<UInt8>, _ value: Range<Int>) {
        var start = value.lowerBound
        while start <= value.upperBound {
            let end = bytes.firstIndex(of: UInt8(ascii: ","), in: start..<value.upperBound)
            var semicolon = bytes.firstIndex(of: UInt8(ascii: ";"), in: start..<end)
            if bytes.equalsIgnoringCase("application/json", in: bytes.trimmed(start..<semicolon)) {
                acceptsJSON = true
                while semicolon < end {
                    let next = bytes.firstIndex(of: UInt8(ascii: ";"), in: semicolon + 1..<end)
                    if isZeroQuality(bytes, bytes.trimmed(semicolon + 1..<next)) { acceptsJSON = false }
                    semicolon = next
                }
            }
            start = end + 1
        }
    }

    private func isZeroQuality(_ bytes: borrowing Span<UInt8>, _ parameter: Range<Int>) -> Bool {
        let start = parameter.lowerBound
        guard parameter.count >= 3, bytes.equalsIgnoringCase("q=0", in: start..<start + 3) else { return false }
        for index in parameter.dropFirst(3) where bytes[index] != UInt8(ascii: ".") && bytes[index] != UInt8(ascii: "0") { return false }
        return true
    }

    /// 1 to 18 digits; nothing else is a length.
    private static func length(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Int? {
        guard (1...18).contains(range.count) else { return nil }
        var length = 0
        for index in range {
            guard HeadByte.isDigit(bytes[index]) else { return nil }
            length = length * 10 + Int(bytes[index] &- 0x30)
        }
        return length
    }
}
