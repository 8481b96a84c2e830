import Steering

/// Recognises plain requests: whole in what was read, GET or HEAD, HTTP/1.1, origin-form, no body, nothing unusual.
///
/// A pure function of bytes that accepts a subset of what `HeadScanner` accepts, with the same head; everything else is "not plain" and
/// goes to the slow path, which decides. Fields are judged by the same `HeadFields`, so only cutting the bytes into fields is done twice.
enum PlainScanner {
    /// - Parameters:
    ///   - range: what is left of the bytes read, beginning with a request.
    ///   - last: the plain head before it in the same bytes. A client that pipelines sends the same fields again and again, and the same
    ///     bytes mean the same.
    /// - Returns: nil when the request is not plain or not whole.
    static func scan(
        _ bytes: borrowing Span<UInt8>, _ range: Range<Int>, limits: Limits, after last: RequestHead? = nil
    ) -> RequestHead? {
        var index = range.lowerBound
        var method = RequestHead.Method.get
        if bytes.begins(with: "GET /", in: range) {
            index += 4
        } else if bytes.begins(with: "HEAD /", in: range) {
            method = .head
            index += 5
        } else {
            return nil
        }
        let target = index
        index = endOfTarget(bytes, index..<range.upperBound)
        guard index - target <= limits.target, bytes.begins(with: " HTTP/1.1\r\n", in: index..<range.upperBound) else { return nil }
        let start = index + 11
        if let last, bytes.repeats(last.fields.lowerBound..<last.fields.upperBound + 2, at: start, before: range.upperBound) {
            return last.again(method, target: target..<index, fieldsAt: start, from: range.lowerBound)
        }
        var head = RequestHead()
        head.method = method
        head.target = target..<index
        return fields(bytes, start..<range.upperBound, &head, from: range.lowerBound, limits) ? head : nil
    }

    private static func fields(
        _ bytes: borrowing Span<UInt8>, _ range: Range<Int>, _ head: inout RequestHead, from start: Int, _ limits: Limits
    ) -> Bool {
        var fields = HeadFields()
        var index = range.lowerBound
        do throws(HTTPFault) {
            while index + 1 < range.upperBound, bytes[index] != .carriageReturn {
                let name = index
                while index < range.upperBound, HeadByte.isToken(bytes[index]) { index += 1 }
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
            head.fields = range.lowerBound..<index
            try fields.finish(&head, bytes)
        } catch {
            return false
        }
        return head.body == .none && !head.expectsContinue && !head.wantsJSON
    }

    /// The first byte that no target has, which in a plain head is the space after it. Eight bytes at a time while none can be one: a
    /// borrow between bytes can make a good byte look bad, never a bad one good.
    private static func endOfTarget(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Int {
        var index = range.lowerBound
        while let eight = EightBytes(bytes, at: index, before: range.upperBound),
            eight.below(0x21) | eight.atLeast(0x7F) | eight.equal(UInt8(ascii: "#")) == 0
        { index += 8 }
        while index < range.upperBound, isTargetByte(bytes[index]) { index += 1 }
        return index
    }

    /// The first byte that no field value has, which in a plain head is its CR. Eight bytes at a time while none of them is a control.
    private static func endOfValue(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Int {
        var index = range.lowerBound
        while let eight = EightBytes(bytes, at: index, before: range.upperBound), eight.below(0x20) | eight.equal(0x7F) == 0 { index += 8 }
        while index < range.upperBound, isValueByte(bytes[index]) { index += 1 }
        return index
    }

    private static func isValueByte(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7F) || byte == .tab }

    private static func isTargetByte(_ byte: UInt8) -> Bool { byte &- 0x21 <= 0x7E - 0x21 && byte != UInt8(ascii: "#") }
}
