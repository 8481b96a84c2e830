/// Searching and comparing in borrowed bytes. Every access is bounds-checked.
extension Span<UInt8> {
    /// The first index in `range` whose byte satisfies the test; the range's end when none does.
    @inlinable @inline(__always)
    public borrowing func firstIndex(in range: Range<Int>, where isWanted: (UInt8) -> Bool) -> Int {
        var index = range.lowerBound
        while index < range.upperBound, !isWanted(self[index]) { index += 1 }
        return index
    }

    /// The first index in `range` that holds `byte`; the range's end when none does.
    package borrowing func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int {
        firstIndex(in: range, { $0.equal(byte) }, or: { $0 == byte })
    }

    /// Whether `range` begins with `bytes`.
    borrowing func begins(with bytes: [UInt8], in range: Range<Int>) -> Bool {
        guard bytes.count <= range.count else { return false }
        for offset in bytes.indices where self[range.lowerBound + offset] != bytes[offset] { return false }
        return true
    }

    /// Whether `range` equals `lowercase` but for ASCII case.
    borrowing func matches(_ lowercase: [UInt8], in range: Range<Int>) -> Bool {
        guard lowercase.count == range.count else { return false }
        for offset in lowercase.indices where URLByte.lowercased(self[range.lowerBound + offset]) != lowercase[offset] { return false }
        return true
    }

    /// Whether `range` equals `text` to the letter. Meant for texts of at most 15 bytes, which live in the string itself.
    @inlinable @inline(__always)
    public borrowing func equals(_ text: String, in range: Range<Int>) -> Bool {
        guard text.utf8.count == range.count else { return false }
        var index = range.lowerBound
        for byte in text.utf8 {
            if self[index] != byte { return false }
            index += 1
        }
        return true
    }

    /// Whether `range` begins with a literal; the compiler makes a few comparisons of it.
    @inlinable @inline(__always)
    public borrowing func begins(with literal: StaticString, in range: Range<Int>) -> Bool {
        let length = literal.utf8CodeUnitCount
        guard length <= range.count, range.lowerBound >= 0, range.upperBound <= count else { return false }
        // The literal has `length` bytes, and so has the range, which lies inside.
        var offset = 0
        while offset &+ 8 <= length {
            let word = unsafe UnsafeRawPointer(literal.utf8Start).loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if unsafe EightBytes(self, unchecked: range.lowerBound &+ offset).word != UInt64(littleEndian: word) { return false }
            offset &+= 8
        }
        while offset < length {
            if unsafe self[unchecked: range.lowerBound &+ offset] != literal.utf8Start[offset] { return false }
            offset &+= 1
        }
        return true
    }
}

/// The scheme of an absolute URL.
enum URLScheme {
    /// Where the authority begins when `range` begins literally with `http://` or `https://` in any letter case (RFC 3986 §3.1); nil otherwise.
    static func end(in text: borrowing Span<UInt8>, _ range: Range<Int>) -> Int? {
        if text.begins(with: "http", in: range) {
            let rest = range.lowerBound + 4..<range.upperBound
            if text.begins(with: "://", in: rest) { return rest.lowerBound + 3 }
            if text.begins(with: "s://", in: rest) { return rest.lowerBound + 4 }
        }
        let colon = text.firstIndex(of: UInt8(ascii: ":"), in: range.lowerBound..<min(range.upperBound, range.lowerBound + 6))
        guard text.begins(with: "://", in: colon..<range.upperBound) else { return nil }
        let scheme = range.lowerBound..<colon
        return text.matches(http, in: scheme) || text.matches(https, in: scheme) ? colon + 3 : nil
    }

    private static let http = Array("http".utf8)
    private static let https = Array("https".utf8)

    /// The authority without what means nothing in it: the port that the scheme has anyway, which may be empty (RFC 9110 §4.2.3), and the
    /// dot of the root behind the host (RFC 1034 §3.1).
    ///
    /// - Parameter start: of the URL.
    static func withoutDefaults(_ text: borrowing Span<UInt8>, _ authority: Range<Int>, of start: Int) -> Range<Int> {
        let isSecure = authority.lowerBound - start == 8
        var end = authority.upperBound
        for port in isSecure ? [":443", ":"] : [":80", ":"] {
            let from = end - port.utf8.count
            if end == authority.upperBound, from > authority.lowerBound, text.equals(port, in: from..<end) { end = from }
        }
        if end > authority.lowerBound + 1, text[end - 1] == UInt8(ascii: ".") { end -= 1 }
        return authority.lowerBound..<end
    }
}

/// Percent-encoding (RFC 3986 §2.1).
enum PercentEncoding {
    /// Decodes `range` once and appends it to `buffer`; `+` stays `+`.
    ///
    /// - Throws: `invalidEscape` for a `%` without two hexadecimal digits.
    static func decode(_ text: borrowing Span<UInt8>, _ range: Range<Int>, into buffer: inout [UInt8]) throws(Refusal) {
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = text[index]
            if byte == UInt8(ascii: "%") {
                guard let escaped = URLByte.escaped(text, at: index, before: range.upperBound) else { throw .invalidEscape }
                buffer.append(escaped)
                index += 3
            } else {
                buffer.append(byte)
                index += 1
            }
        }
    }

    /// Appends `byte`, escaped in upper case unless it may stand in a path or query as it is.
    @inline(__always)
    static func append(_ byte: UInt8, to out: inout OutputSpan<UInt8>) {
        if URLByte.isTailByte(byte) {
            out.append(byte)
        } else {
            out.append(UInt8(ascii: "%"))
            out.append(hexDigit(byte >> 4))
            out.append(hexDigit(byte & 0x0F))
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x37 &+ value }
}
