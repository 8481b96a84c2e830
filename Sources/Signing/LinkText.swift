import Steering
import TLS

/// A link at the end of a buffer, taken apart.
struct LinkParts {
    /// Where it begins, with its scheme.
    let start: Int
    /// With its first slash.
    let path: Range<Int>
    /// Without its question mark; empty without one.
    let query: Range<Int>
    /// Whether it has a question mark.
    let hasQuery: Bool
    /// Where that of the path ends which stands for the target, behind a slash.
    let base: Int

    /// - Parameters:
    ///   - start: where the link begins, with `http://` or `https://`.
    ///   - base: where that of it ends which stands for the target.
    init(_ url: borrowing Span<UInt8>, from start: Int, base: Int) {
        self.start = start
        var slash = min(start + 8, url.count)
        while slash < url.count, url[slash] != UInt8(ascii: "/") { slash += 1 }
        let question = url.firstIndex(in: slash..<url.count, { $0.equal(UInt8(ascii: "?")) }, or: { $0 == UInt8(ascii: "?") })
        path = slash..<question
        hasQuery = question < url.count
        query = min(question + 1, url.count)..<url.count
        self.base = max(base, min(slash + 1, question))
    }

    /// The part of the path that a token covers.
    func covered(_ coverage: LinkSigning.Coverage, _ url: borrowing Span<UInt8>) -> Range<Int> {
        switch coverage {
        case .file: return path
        case .prefix: return path.lowerBound..<base
        case .directory:
            var end = path.upperBound
            while end > path.lowerBound, url[end - 1] != UInt8(ascii: "/") { end -= 1 }
            return path.lowerBound..<end
        }
    }

    /// The value of the first parameter of this name, letter case apart, as nginx finds `$arg_name`; nil when there is none.
    func argument(_ name: [UInt8], _ url: borrowing Span<UInt8>) -> Range<Int>? {
        var start = query.lowerBound
        while start < query.upperBound {
            var end = start
            while end < query.upperBound, url[end] != UInt8(ascii: "&") { end += 1 }
            let value = start + name.count + 1
            if value <= end, url[value - 1] == UInt8(ascii: "="), isEqual(name, url, start) { return value..<end }
            start = end + 1
        }
        return nil
    }

    private func isEqual(_ lowercase: [UInt8], _ url: borrowing Span<UInt8>, _ start: Int) -> Bool {
        for offset in lowercase.indices {
            let byte = url[start + offset]
            if (byte &- 0x41 < 26 ? byte | 0x20 : byte) != lowercase[offset] { return false }
        }
        return true
    }
}

extension PieceDigest {
    mutating func add(_ bytes: [UInt8]) { add(bytes.span) }

    mutating func add(_ secret: Secret) { secret.withBytes { add($0) } }

    mutating func add(_ byte: UInt8) {
        let one: InlineArray<1, UInt8> = [byte]
        add(one.span)
    }

    /// A path as a server has it when it has read it: percent-decoded once.
    ///
    /// - Parameter mergesSlashes: whether several that follow each other count as one, as in nginx unless it is told otherwise.
    mutating func add(decoding range: Range<Int>, of url: borrowing Span<UInt8>, mergesSlashes: Bool) {
        var start = range.lowerBound
        var index = start
        var followsSlash = false
        while index < range.upperBound {
            var byte = url[index]
            var width = 1
            if byte == UInt8(ascii: "%"), index + 2 < range.upperBound, let high = HexDigit.value(url[index + 1]),
                let low = HexDigit.value(url[index + 2])
            {
                byte = high << 4 | low
                width = 3
            }
            let isMerged = mergesSlashes && byte == UInt8(ascii: "/") && followsSlash
            if isMerged || width == 3 {
                if start < index { add(url.extracting(start..<index)) }
                if !isMerged { add(byte) }
                start = index + width
            }
            followsSlash = byte == UInt8(ascii: "/")
            index += width
        }
        if start < range.upperBound { add(url.extracting(start..<range.upperBound)) }
    }

    mutating func add(decimal number: Int) {
        let text = DecimalText(number)
        add(text.digits.span.extracting(text.start..<20))
    }

    /// An address as servers write it: `192.0.2.1`, `2001:db8::1`.
    mutating func add(_ address: ClientAddress) {
        let text = AddressText(address)
        add(text.bytes.span.extracting(0..<text.count))
    }
}

/// The digits of a number, without allocating; a negative one counts as 0.
private struct DecimalText {
    private(set) var digits = InlineArray<20, UInt8>(repeating: 0)
    private(set) var start = 20

    init(_ number: Int) {
        var rest = max(0, number)
        repeat {
            start -= 1
            digits[start] = 0x30 &+ UInt8(rest % 10)
            rest /= 10
        } while rest > 0
    }
}

/// The text of an address, without allocating.
struct AddressText {
    private(set) var bytes = InlineArray<48, UInt8>(repeating: 0)
    private(set) var count = 0

    init(_ address: ClientAddress) {
        if address.isIPv4 {
            for shift: UInt64 in [24, 16, 8, 0] {
                append(decimal: UInt8(truncatingIfNeeded: address.low >> shift))
                if shift > 0 { append(UInt8(ascii: ".")) }
            }
            return
        }
        // RFC 5952: the first of the longest runs of two or more zero groups is left out.
        var groups = InlineArray<8, UInt16>(repeating: 0)
        for index in 0..<4 {
            groups[index] = UInt16(truncatingIfNeeded: address.high >> UInt64(48 - 16 * index))
            groups[index + 4] = UInt16(truncatingIfNeeded: address.low >> UInt64(48 - 16 * index))
        }
        var (gap, run, start) = (0..<0, 0, 0)
        for index in 0..<8 {
            if groups[index] == 0 {
                if run == 0 { start = index }
                run += 1
                if run > max(1, gap.count) { gap = start..<start + run }
            } else {
                run = 0
            }
        }
        var index = 0
        while index < 8 {
            if index == gap.lowerBound, !gap.isEmpty {
                append(UInt8(ascii: ":"))
                append(UInt8(ascii: ":"))
                index = gap.upperBound
                continue
            }
            append(hexadecimal: groups[index])
            index += 1
            if index < 8, index != gap.lowerBound || gap.isEmpty { append(UInt8(ascii: ":")) }
        }
    }

    private mutating func append(_ byte: UInt8) {
        bytes[count] = byte
        count += 1
    }

    private mutating func append(decimal octet: UInt8) {
        if octet >= 100 { append(0x30 + octet / 100) }
        if octet >= 10 { append(0x30 + octet / 10 % 10) }
        append(0x30 + octet % 10)
    }

    private mutating func append(hexadecimal group: UInt16) {
        var isLeading = true
        for shift: UInt16 in [12, 8, 4, 0] {
            let digit = UInt8(truncatingIfNeeded: group >> shift & 15)
            if isLeading, digit == 0, shift > 0 { continue }
            isLeading = false
            append(HexDigit.lower(digit))
        }
    }
}

extension OutputSpan<UInt8> {
    mutating func append(_ bytes: [UInt8]) { append(copying: bytes.span) }

    mutating func append(decimal number: Int) {
        let text = DecimalText(number)
        append(copying: text.digits.span.extracting(text.start..<20))
    }

    mutating func append(hexadecimal bytes: borrowing Span<UInt8>) {
        for index in 0..<bytes.count {
            append(HexDigit.lower(bytes[index] >> 4))
            append(HexDigit.lower(bytes[index] & 15))
        }
    }

    /// RFC 4648 §5, without padding.
    mutating func append(base64URL bytes: borrowing Span<UInt8>) {
        var (bits, count) = (UInt32(0), UInt32(0))
        for index in 0..<bytes.count {
            bits = bits << 8 | UInt32(bytes[index])
            count += 8
            while count >= 6 {
                count -= 6
                append(Base64URL.character(UInt8(truncatingIfNeeded: bits >> count & 63)))
            }
        }
        if count > 0 { append(Base64URL.character(UInt8(truncatingIfNeeded: bits << (6 - count) & 63))) }
    }

    /// Begins or continues the query of the link that ends here.
    mutating func appendSeparator(_ parts: LinkParts) {
        append(parts.hasQuery ? UInt8(ascii: "&") : UInt8(ascii: "?"))
    }

    /// Moves what stands from `end` on before what stands from `start` to there.
    mutating func moveEnd(from end: Int, to start: Int) {
        // Three reversals: the order of both parts stays, their places change.
        reverse(start..<end)
        reverse(end..<count)
        reverse(start..<count)
    }

    private mutating func reverse(_ range: Range<Int>) {
        guard range.count > 1 else { return }
        var bytes = mutableSpan
        var (left, right) = (range.lowerBound, range.upperBound - 1)
        while left < right {
            bytes.swapAt(left, right)
            left += 1
            right -= 1
        }
    }
}

enum Base64URL {
    static func character(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: 0x41 &+ value
        case 26..<52: 0x61 &+ value &- 26
        case 52..<62: 0x30 &+ value &- 52
        case 62: UInt8(ascii: "-")
        default: UInt8(ascii: "_")
        }
    }
}

extension PieceDigest {
    mutating func add(literal: StaticString) {
        // A literal lives as long as the process.
        add(unsafe Span(_unsafeStart: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }
}
