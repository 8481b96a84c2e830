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

    /// Whether `range` equals `text` to the letter.
    @inlinable @inline(__always)
    public borrowing func equals(_ text: String, in range: Range<Int>) -> Bool {
        text.utf8.count == range.count && begins(with: text, in: range)
    }

    /// Whether `range` begins with `text`. Meant for literals of at most 15 bytes, which live in the string itself.
    @inlinable @inline(__always)
    public borrowing func begins(with text: String, in range: Range<Int>) -> Bool {
        guard text.utf8.count <= range.count else { return false }
        var index = range.lowerBound
        for byte in text.utf8 {
            if self[index] != byte { return false }
            index += 1
        }
        return true
    }
}

/// The scheme of an absolute URL.
enum URLScheme {
    /// Where the authority begins when `range` begins literally with `http://` or `https://` in any letter case (RFC 3986 §3.1); nil otherwise.
    static func end(in text: borrowing Span<UInt8>, _ range: Range<Int>) -> Int? {
        if text.begins(with: "http://", in: range) { return range.lowerBound + 7 }
        if text.begins(with: "https://", in: range) { return range.lowerBound + 8 }
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
