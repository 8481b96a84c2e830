import Steering

/// Recognises plain requests: whole in what was read, GET or HEAD, HTTP/1.1, origin-form, no body, nothing unusual.
///
/// A pure function of bytes that accepts a subset of what `HeadScanner` accepts, with the same head; everything else is "not plain" and
/// goes to the slow path, which decides. Fields are judged by the same `HeadFields`, so only cutting the bytes into fields is done twice.
enum PlainScanner {
    /// - Parameters:
    ///   - range: what is left of the bytes read, beginning with a request.
    ///   - head: the plain head before it in the same bytes, or an empty one; becomes this request's. A client that pipelines sends the same
    ///     fields again and again, and the same bytes mean the same.
    /// - Returns: false when the request is not plain or not whole; `head` means nothing then.
    static func scan(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, limits: Limits, _ head: inout RequestHead) -> Bool {
        var index = range.lowerBound
        var method = RequestHead.Method.get
        if bytes.begins(with: "GET /", in: range) {
            index += 4
        } else if bytes.begins(with: "HEAD /", in: range) {
            method = .head
            index += 5
        } else {
            return false
        }
        let target = index
        index = endOfTarget(bytes, index..<range.upperBound)
        guard index - target <= limits.target, bytes.begins(with: " HTTP/1.1\r\n", in: index..<range.upperBound) else { return false }
        let start = index + 11
        let known = head.fields.range
        if head.length > 0, bytes.repeats(known.lowerBound..<known.upperBound + 2, at: start, before: range.upperBound) {
            head.repeats(method, target: HeadRange(target..<index), fieldsAt: start, from: range.lowerBound)
            return true
        }
        head = RequestHead()
        head.method = method
        head.target = HeadRange(target..<index)
        return fields(bytes, start..<range.upperBound, &head, from: range.lowerBound, limits)
    }

    private static func fields(
        _ bytes: borrowing Span<UInt8>, _ range: Range<Int>, _ head: inout RequestHead, from start: Int, _ limits: Limits
    ) -> Bool {
        var fields = HeadFields()
        var index = range.lowerBound
        do throws(HTTPFault) {
            while index + 1 < range.upperBound, bytes[index] != .carriageReturn {
                let name = index
                index = endOfName(bytes, index..<range.upperBound)
                guard index < range.upperBound, bytes[index] == UInt8(ascii: ":"), index > name else { return false }
                let colon = index
                index = endOfValue(bytes, colon + 1..<range.upperBound)
                guard index + 1 < range.upperBound, bytes[index] == .carriageReturn, bytes[index + 1] == .lineFeed else { return false }
                guard index - range.lowerBound <= limits.head else { return false }
                try fields.take(bytes, name: name..<colon, value: colon + 1..<index, limit: limits.fields)
                index += 2
            }
            guard index + 1 < range.upperBound, bytes[index + 1] == .lineFeed else { return false }
            head.length = index + 2 - start
            head.fields = HeadRange(range.lowerBound..<index)
            try fields.finish(&head, bytes)
        } catch {
            return false
        }
        return head.body == .none && !head.expectsContinue && !head.wantsJSON
    }

    /// The first byte that no target has, which in a plain head is the space after it.
    private static func endOfTarget(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Int {
        bytes.firstIndex(
            in: range, { $0.below(0x21) | $0.atLeast(0x7F) | $0.equal(UInt8(ascii: "#")) },
            or: { $0 < 0x21 || $0 >= 0x7F || $0 == UInt8(ascii: "#") })
    }

    /// The first byte that no field name has, which in a plain head is the colon after it.
    private static func endOfName(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Int {
        let end = bytes.firstIndex(in: range, { ~$0.lettersDigitsAndHyphens & EightBytes.all(0x80) }, or: { !HeadByte.isToken($0) })
        // Names may have other bytes, and few do.
        return bytes.firstIndex(in: end..<range.upperBound) { !HeadByte.isToken($0) }
    }

    /// The first byte that no field value has, which in a plain head is its CR.
    private static func endOfValue(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Int {
        var end = range.lowerBound
        while true {
            end = bytes.firstIndex(
                in: end..<range.upperBound, { $0.below(0x20) | $0.equal(0x7F) }, or: { $0 < 0x20 || $0 == 0x7F })
            if end == range.upperBound || bytes[end] != .tab { return end }
            end += 1
        }
    }
}

extension EightBytes {
    @inline(__always)
    fileprivate var lettersDigitsAndHyphens: UInt64 {
        within(UInt8(ascii: "a")...UInt8(ascii: "z")) | within(UInt8(ascii: "A")...UInt8(ascii: "Z"))
            | within(UInt8(ascii: "0")...UInt8(ascii: "9")) | within(UInt8(ascii: "-")...UInt8(ascii: "-"))
    }
}
