/// Values out of a head's field lines (RFC 9112 §5), which a scanner has checked: `Name: value` and CRLF each.
package enum FieldLines {
    /// The value of the first field of this name, without the white space around it; nil when there is none.
    ///
    /// - Parameters:
    ///   - range: the lines, CRLF of the last included.
    ///   - name: in lower case.
    package static func value(of name: [UInt8], in range: Range<Int>, of bytes: borrowing Span<UInt8>) -> Range<Int>? {
        var start = range.lowerBound
        while start < range.upperBound {
            let end = bytes.firstIndex(of: 0x0D, in: start..<range.upperBound)
            let colon = start + name.count
            if colon < end, bytes[colon] == UInt8(ascii: ":"), bytes.matches(name, in: start..<colon) {
                return trimmed(bytes, colon + 1..<end)
            }
            start = end + 2
        }
        return nil
    }

    /// The value of a cookie (RFC 6265 §4.2.1) in a `Cookie` field's value.
    static func cookie(_ name: [UInt8], in range: Range<Int>, of bytes: borrowing Span<UInt8>) -> Range<Int>? {
        parameter(name, in: range, of: bytes, separator: UInt8(ascii: ";"))
    }

    /// The value of a parameter in a query.
    static func parameter(_ name: [UInt8], in range: Range<Int>, of bytes: borrowing Span<UInt8>) -> Range<Int>? {
        parameter(name, in: range, of: bytes, separator: UInt8(ascii: "&"))
    }

    private static func parameter(
        _ name: [UInt8], in range: Range<Int>, of bytes: borrowing Span<UInt8>, separator: UInt8
    ) -> Range<Int>? {
        var start = range.lowerBound
        while start < range.upperBound {
            let end = bytes.firstIndex(of: separator, in: start..<range.upperBound)
            let pair = trimmed(bytes, start..<end)
            let equals = pair.lowerBound + name.count
            if equals < pair.upperBound, bytes[equals] == UInt8(ascii: "="), bytes.begins(with: name, in: pair) {
                return equals + 1..<pair.upperBound
            }
            start = end + 1
        }
        return nil
    }

    private static func trimmed(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, isBlank(bytes[start]) { start += 1 }
        while start < end, isBlank(bytes[end - 1]) { end -= 1 }
        return start..<end
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// Whether a catalog may name a field, cookie or parameter so.
    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { URLByte.isAlphanumeric($0) || $0 == 0x2D || $0 == 0x5F }
    }
}
