import Steering

/// Collects a request's fields as they are unpacked, and judges them as HTTP/1 does: they stand as field lines in `text`, so that everybody
/// who reads a head reads the same (RFC 9113 §8.2, §8.3).
struct HTTP2Head: Sendable {
    /// Pseudo-header fields, then field lines and an empty line; what the head's ranges count in.
    var text: [UInt8] = []
    /// Why this is no request at all.
    private(set) var isMalformed = false
    /// Why it is refused as HTTP/1 would refuse it.
    private(set) var fault: HTTPFault?
    private(set) var method = RequestHead.Method.get

    private var limits = Limits()
    private var isTrailer = false
    private var hasMethod = false
    private var hasScheme = false
    private var hasKnownScheme = false
    private var isMethodTooLong = false
    private var path: Range<Int>?
    private var authority: Range<Int>?
    private var fields = HeadFields()
    /// Where the field lines begin; nil while pseudo-header fields may come.
    private var fieldsStart: Int?
    private var decoded = 0
    /// Too much: what follows is unpacked and dropped.
    private var isFull = false
    private var cookies: [UInt8] = []
    private var declaresLength = false

    /// Begins anew, in the buffers that are there.
    ///
    /// - Parameter isTrailer: what comes are the fields behind a body; they are checked and dropped.
    mutating func begin(_ limits: Limits, isTrailer: Bool) {
        var (text, cookies): ([UInt8], [UInt8]) = ([], [])
        swap(&text, &self.text)
        swap(&cookies, &self.cookies)
        text.removeAll(keepingCapacity: text.capacity <= HTTP2Head.maximumKept)
        cookies.removeAll(keepingCapacity: cookies.capacity <= HTTP2Head.maximumKept)
        self = HTTP2Head()
        self.text = text
        self.cookies = cookies
        self.limits = limits
        self.isTrailer = isTrailer
    }

    /// Bytes of a buffer that stay for the next request.
    private static let maximumKept = 64 * 1024

    /// What a field may unpack to in all, many times what is answered.
    private var maximumDecoded: Int { 4 * (limits.head + limits.target) }

    mutating func appendSeparator() {
        text.append(UInt8(ascii: ":"))
        text.append(.space)
    }

    /// Judges the field at the end of `text`.
    mutating func take(name: Range<Int>, value: Range<Int>) throws(HTTP2Refusal) {
        decoded += name.count + value.count + 4
        if decoded > maximumDecoded { throw .headerBomb }
        guard !name.isEmpty else { return refuse(name) }
        if text[name.lowerBound] == UInt8(ascii: ":") {
            takePseudo(name, value)
        } else {
            beginFields(before: name, value)
        }
    }

    private mutating func refuse(_ name: Range<Int>) {
        isMalformed = true
        text.removeSubrange(name.lowerBound...)
    }

    private mutating func fail(_ fault: HTTPFault) { if self.fault == nil { self.fault = fault } }

    // MARK: Pseudo-header fields

    private mutating func takePseudo(_ name: Range<Int>, _ value: Range<Int>) {
        // They come first, each once (§8.3), and none behind a body.
        guard fieldsStart == nil, !isTrailer, !HTTP2Head.hasBreak(text.span, value) else { return refuse(name) }
        if text.span.equals(":path", in: name), path == nil {
            path = value
        } else if text.span.equals(":method", in: name), !hasMethod {
            hasMethod = true
            takeMethod(value)
        } else if text.span.equals(":scheme", in: name), !hasScheme {
            hasScheme = true
            hasKnownScheme = text.span.equalsIgnoringCase("https", in: value) || text.span.equalsIgnoringCase("http", in: value)
        } else if text.span.equals(":authority", in: name), authority == nil {
            authority = value
        } else {
            refuse(name)
        }
    }

    private mutating func takeMethod(_ value: Range<Int>) {
        let end = text.span.firstIndex(in: value) { !HeadByte.isToken($0) }
        if value.isEmpty || end < value.upperBound { isMalformed = true }
        let known = HeadByte.method(text.span, value)
        method = known
        isMethodTooLong = value.count > 16
    }

    /// Bytes that would begin another line: no value of a field may have them (§8.2.1).
    private static func hasBreak(_ bytes: borrowing Span<UInt8>, _ value: Range<Int>) -> Bool {
        bytes.firstIndex(in: value) { $0 == .carriageReturn || $0 == .lineFeed || $0 == 0 } < value.upperBound
    }

    // MARK: Fields

    /// - Parameter name: of a field that stands behind all pseudo-header fields.
    private mutating func beginFields(before name: Range<Int>, _ value: Range<Int>) {
        guard fieldsStart == nil, !isTrailer else { return takeField(name, value) }
        guard let authority else {
            fieldsStart = name.lowerBound
            return takeField(name, value)
        }
        // The line of the host comes first; the field moves behind it.
        let (start, end) = (name.lowerBound, text.count)
        let line = HTTP2Head.hostName.count + authority.count + 2
        for _ in 0..<line { text.append(0) }
        for index in (start..<end).reversed() { text[index + line] = text[index] }
        for (offset, byte) in HTTP2Head.hostName.enumerated() { text[start + offset] = byte }
        let host = start + HTTP2Head.hostName.count..<start + line - 2
        for offset in 0..<authority.count { text[host.lowerBound + offset] = text[authority.lowerBound + offset] }
        text[host.upperBound] = .carriageReturn
        text[host.upperBound + 1] = .lineFeed
        fieldsStart = start
        takeHost(host)
        takeField(name.lowerBound + line..<name.upperBound + line, value.lowerBound + line..<value.upperBound + line)
    }

    private static let hostName = Array("host: ".utf8)

    private mutating func takeHost(_ value: Range<Int>) {
        if value.count > limits.head { fail(.headTooLarge) }
        judge(value.lowerBound - 6..<value.lowerBound - 2, value)
    }

    /// Judges a field line, as HTTP/1 does.
    private mutating func judge(_ name: Range<Int>, _ value: Range<Int>) {
        // Taken out for the call: the fields are in the same value.
        var text: [UInt8] = []
        swap(&text, &self.text)
        defer { swap(&text, &self.text) }
        do throws(HTTPFault) { try fields.take(text.span, name: name, value: value, limit: limits.fields) } catch {
            isFull = isFull || error == .tooManyFields
            fail(error)
        }
    }

    private mutating func takeField(_ name: Range<Int>, _ value: Range<Int>) {
        guard isName(name), isValue(value), !isOfConnection(name, value) else { return refuse(name) }
        if isFull || isTrailer { return text.removeSubrange(name.lowerBound...) }
        if name.count == 4, authority != nil, text.span.equals("host", in: name) { return takeSecondHost(name, value) }
        if name.count == 6, text.span.equals("cookie", in: name) { return takeCookie(name, value) }
        if name.count == 14, text.span.equals("content-length", in: name) { declaresLength = true }
        keep(name, value)
    }

    private mutating func keep(_ name: Range<Int>, _ value: Range<Int>) {
        text.append(.carriageReturn)
        text.append(.lineFeed)
        if text.span.firstIndex(in: value, where: { ($0 < 0x20 && $0 != .tab) || $0 == 0x7F }) < value.upperBound { fail(.fieldValue) }
        judge(name, value)
        if text.count + cookies.count - (fieldsStart ?? 0) > limits.head {
            isFull = true
            fail(.headTooLarge)
        }
    }

    /// A Host that says the same as `:authority` is passed over; one that differs is two hosts (§8.3.1).
    private mutating func takeSecondHost(_ name: Range<Int>, _ value: Range<Int>) {
        let host = String(decoding: text[value], as: UTF8.self).lowercased()
        if let authority, String(decoding: text[authority], as: UTF8.self).lowercased() != host { fail(.host) }
        text.removeSubrange(name.lowerBound...)
    }

    /// Cookies may come one by one, and mean one field (§8.2.3).
    private mutating func takeCookie(_ name: Range<Int>, _ value: Range<Int>) {
        cookies.append(contentsOf: cookies.isEmpty ? "cookie: ".utf8 : "; ".utf8)
        cookies.append(contentsOf: text[value])
        text.removeSubrange(name.lowerBound...)
        guard text.count + cookies.count - (fieldsStart ?? 0) > limits.head else { return }
        isFull = true
        fail(.headTooLarge)
    }

    private func isName(_ name: Range<Int>) -> Bool {
        text.span.firstIndex(in: name) { !HeadByte.isToken($0) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) } == name.upperBound
    }

    private func isValue(_ value: Range<Int>) -> Bool {
        let bytes = text.span
        return bytes.trimmed(value) == value && !HTTP2Head.hasBreak(bytes, value)
    }

    /// Fields of a connection that HTTP/2 does not have (§8.2.2).
    private func isOfConnection(_ name: Range<Int>, _ value: Range<Int>) -> Bool {
        let bytes = text.span
        switch name.count {
        case 2: return bytes.equals("te", in: name) && !bytes.equalsIgnoringCase("trailers", in: value)
        case 7: return bytes.equals("upgrade", in: name)
        case 10: return bytes.equals("connection", in: name) || bytes.equals("keep-alive", in: name)
        case 16: return bytes.equals("proxy-connection", in: name)
        case 17: return bytes.equals("transfer-encoding", in: name)
        default: return false
        }
    }

    // MARK: The end

    /// Completes the head when all fields are here.
    ///
    /// - Parameter hasBody: the client has not ended its side with it.
    /// - Returns: nil when it is malformed or has a fault.
    mutating func finish(hasBody: Bool) -> RequestHead? {
        var head = RequestHead()
        head.method = method
        if fieldsStart == nil { endPseudo() }
        let isComplete = hasMethod && (method == .connect ? path == nil && !hasScheme && authority != nil : path != nil && hasScheme)
        guard isComplete, path?.isEmpty != true, !isMalformed else {
            isMalformed = true
            return nil
        }
        if !cookies.isEmpty {
            text.append(contentsOf: cookies)
            let colon = text.count - cookies.count + 6
            cookies.removeAll(keepingCapacity: true)
            keep(colon - 6..<colon, colon + 2..<text.count)
        }
        head.fields = HeadRange((fieldsStart ?? text.count)..<text.count)
        text.append(.carriageReturn)
        text.append(.lineFeed)
        do throws(HTTPFault) {
            try finishTarget(&head)
            if let fault { throw fault }
            try fields.finish(&head, text.span)
        } catch {
            fault = error
            return nil
        }
        return finishBody(head, hasBody: hasBody)
    }

    private mutating func endPseudo() {
        fieldsStart = text.count
        guard let authority else { return }
        text.append(contentsOf: HTTP2Head.hostName)
        // A slice would be a second owner, and the text copied for it.
        for index in authority { text.append(text[index]) }
        text.append(.carriageReturn)
        text.append(.lineFeed)
        takeHost(text.count - authority.count - 2..<text.count - 2)
    }

    private func finishTarget(_ head: inout RequestHead) throws(HTTPFault) {
        if isMethodTooLong { throw .methodTooLong }
        guard method != .connect, let path else {
            head.target = HeadRange(authority ?? 0..<0)
            if head.target.range.isEmpty { throw .target }
            return
        }
        guard hasKnownScheme else { throw .target }
        if path.count > limits.target { throw .targetTooLong }
        let bytes = text.span
        // An absolute URL is none here: its parts are fields of their own (§8.3.1).
        guard bytes[path.lowerBound] == UInt8(ascii: "/") || bytes.equals("*", in: path) else { throw .target }
        guard bytes.firstIndex(in: path, where: { $0 < 0x21 || $0 > 0x7E || $0 == UInt8(ascii: "#") }) == path.upperBound else {
            throw .target
        }
        head.target = HeadRange(path)
    }

    /// A length belongs to a body, and the other way round (§8.1.1).
    private mutating func finishBody(_ head: RequestHead, hasBody: Bool) -> RequestHead? {
        var head = head
        head.closes = false
        switch head.body {
        case .length where !hasBody:
            isMalformed = true
            return nil
        // A length of 0 is no body, as in HTTP/1, though its end is still to come.
        case .none where hasBody && !declaresLength: head.body = .chunked
        default: break
        }
        return head
    }
}
