/// What each byte of a URL may be (RFC 3986 §2, §3.3).
enum URLByte {
    /// Bytes that stand in a path or query as they are: visible ASCII, but for those that every URL parser of a browser encodes (WHATWG URL,
    /// path percent-encode set). `[ ] | ^` stay: signed URLs have them, and a CDN checks the signature over the bytes as they came.
    static func isTailByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "#"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"), UInt8(ascii: "`"),
            UInt8(ascii: "{"), UInt8(ascii: "}"):
            false
        default: byte &- 0x21 <= 0x7E - 0x21
        }
    }

    /// Bytes of a path as RFC 3986 §3.3 has them, for what operators write.
    static func isPathByte(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || [UInt8]("-._~!$&'()*+,;=:@/%".utf8).contains(byte) }

    /// Bytes of a CDN's name.
    static func isNameByte(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || byte == 0x2E || byte == 0x5F || byte == 0x2D }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- 0x61 < 26 }

    /// The value of one hexadecimal digit; nil for other bytes.
    static func hexValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte &- 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }

    /// The byte that `%` and two hexadecimal digits at `index` stand for; nil when they are not all there before `end`.
    static func escaped(_ bytes: borrowing Span<UInt8>, at index: Int, before end: Int) -> UInt8? {
        guard index + 2 < end, let high = hexValue(bytes[index + 1]), let low = hexValue(bytes[index + 2]) else { return nil }
        return high << 4 | low
    }

    /// ASCII lower case of a text. `String.lowercased()` would turn other letters, the Kelvin sign say, into ASCII ones.
    static func lowercased(_ text: String) -> String { String(decoding: text.utf8.map(lowercased), as: UTF8.self) }

    /// ASCII lower case; other bytes are kept.
    static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// Checks path and query of a URL as they will be sent.
    ///
    /// Dot segments are refused, also where `%2e` stands for a dot and `%2f`, `%5c` for a separator: caches and clients resolve
    /// them, and `/s1/../s2/x` at a CDN would name a server that nobody checked.
    ///
    /// - Returns: whether it plainly may go into a `Location` as it is, as most; the bytes of others may have to be encoded.
    static func checkTail(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) throws(Refusal) -> Bool {
        if isPlain(bytes, range) { return true }
        if let fault = faultInTail(bytes, range) { throw fault }
        return false
    }

    private static func faultInTail(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Refusal? {
        var segment = DotSegment()
        var inPath = true
        var index = range.lowerBound
        while index < range.upperBound {
            var byte = bytes[index]
            if isAlphanumeric(byte) {
                segment.takeOrdinary()
                index += 1
                continue
            }
            var width = 1
            if byte == UInt8(ascii: "%") {
                guard let escaped = escaped(bytes, at: index, before: range.upperBound) else { return .invalidEscape }
                byte = escaped
                width = 3
            } else if byte <= 0x20 || byte == 0x7F || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "#") {
                return .forbiddenCharacter
            } else if byte == UInt8(ascii: "?"), inPath {
                if segment.ends() { return .dotSegment }
                inPath = false
            }
            if inPath, segment.take(byte) { return .dotSegment }
            index += width
        }
        return inPath && segment.ends() ? .dotSegment : nil
    }

    /// A tail that plainly has no fault and no byte that has to be encoded: no escape, no segment that begins with a dot. A false "no" costs
    /// only a closer look.
    private static func isPlain(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        bytes.hasNone(in: range) { eight in
            let doubtful = eight.below(UInt8(ascii: "&")) | eight.atLeast(UInt8(ascii: "{")) | eight.equal(UInt8(ascii: "\\"))
            // `<` is `>` without this bit.
            let encoded = eight.equal(UInt8(ascii: "`")) | eight.equal(UInt8(ascii: ">"), whateverBits: 0x02)
            return doubtful | encoded | (eight.equal(UInt8(ascii: "/")) << 8 & eight.equal(UInt8(ascii: ".")))
        } && bytes[range.lowerBound] != UInt8(ascii: ".")
    }

    /// Whether all bytes plainly are `isTailByte`, as in most tails.
    static func areTailBytes(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        bytes.hasNone(in: range) { eight in
            eight.below(UInt8(ascii: "$")) | eight.atLeast(0x7F) | eight.equal(UInt8(ascii: "<")) | eight.equal(UInt8(ascii: ">"))
                | eight.equal(UInt8(ascii: "\\")) | eight.equal(UInt8(ascii: "`")) | eight.equal(UInt8(ascii: "{"))
                | eight.equal(UInt8(ascii: "}"))
        }
    }

    /// Follows one path segment and tells whether it was `.` or `..`.
    private struct DotSegment {
        private var dots = 0
        private var others = false

        /// - Returns: true when this byte ends a dot segment.
        mutating func take(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: "\\"):
                defer { self = DotSegment() }
                return ends()
            case UInt8(ascii: "."): dots += 1
            default: others = true
            }
            return false
        }

        /// A byte that is neither dot nor separator.
        mutating func takeOrdinary() { others = true }

        func ends() -> Bool { !others && (dots == 1 || dots == 2) }
    }
}
