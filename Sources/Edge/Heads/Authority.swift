import Steering

/// `uri-host [":" port]` (RFC 9110 §4.2, §7.2): no userinfo, no empty host or label, no zone.
enum Authority {
    static func isValid(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard !range.isEmpty else { return false }
        if bytes[range.lowerBound] == UInt8(ascii: "[") {
            let close = bytes.firstIndex(of: UInt8(ascii: "]"), in: range)
            guard close < range.upperBound, isLiteral(bytes, range.lowerBound + 1..<close) else { return false }
            return close + 1 == range.upperBound
                || (bytes[close + 1] == UInt8(ascii: ":") && isPort(bytes, close + 2..<range.upperBound))
        }
        let colon = bytes.firstIndex(of: UInt8(ascii: ":"), in: range)
        guard isName(bytes, range.lowerBound..<colon) else { return false }
        return colon == range.upperBound || isPort(bytes, colon + 1..<range.upperBound)
    }

    /// Whether a valid authority ends in a port that is not empty.
    static func hasPort(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        var index = range.upperBound
        while index > range.lowerBound, HeadByte.isDigit(bytes[index - 1]) { index -= 1 }
        return index < range.upperBound && index > range.lowerBound && bytes[index - 1] == UInt8(ascii: ":")
    }

    private static func isPort(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard range.count <= 5 else { return false }
        var port = 0
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            guard HeadByte.isDigit(byte) else { return false }
            // Five digits at most.
            port = port &* 10 &+ Int(byte &- 0x30)
            index &+= 1
        }
        return port <= 65535
    }

    /// `reg-name` without empty labels, but for a dot at the end.
    private static func isName(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard !range.isEmpty, bytes[range.lowerBound] != UInt8(ascii: ".") else { return false }
        if isPlainName(bytes, range) { return true }
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%") {
                guard index + 2 < range.upperBound, HeadByte.isHex(bytes[index + 1]), HeadByte.isHex(bytes[index + 2]) else { return false }
                index += 3
                continue
            }
            if byte == UInt8(ascii: "."), index > range.lowerBound, bytes[index - 1] == byte { return false }
            guard isNameByte(byte) else { return false }
            index += 1
        }
        return true
    }

    /// A name as most are: lower-case letters, digits, `-` and single dots. A false "no" costs only a closer look.
    private static func isPlainName(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        bytes.hasNone(in: range) { eight in
            // `-` and `.` are neighbours.
            let plain = eight.within(0x61...0x7A) | eight.within(0x30...0x39) | eight.within(0x2D...0x2E)
            let dots = eight.equal(UInt8(ascii: "."))
            return (plain ^ EightBytes.all(0x80)) | (dots << 8 & dots)
        }
    }

    /// unreserved and sub-delims (RFC 3986 §3.2.2).
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "!"), UInt8(ascii: "$"),
            UInt8(ascii: "&")...UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "="):
            true
        default: HeadByte.isDigit(byte) || HeadByte.isLetter(byte)
        }
    }

    /// The inside of brackets: IPv6 (RFC 4291 §2.2) or IPvFuture (RFC 3986 §3.2.2).
    private static func isLiteral(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard !range.isEmpty else { return false }
        if bytes[range.lowerBound] | 0x20 == UInt8(ascii: "v") { return isFuture(bytes, range) }
        return isIPv6(bytes, range)
    }

    private static func isFuture(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        let dot = bytes.firstIndex(of: UInt8(ascii: "."), in: range)
        guard dot > range.lowerBound + 1, dot + 1 < range.upperBound else { return false }
        for index in range.lowerBound + 1..<dot where !HeadByte.isHex(bytes[index]) { return false }
        for index in dot + 1..<range.upperBound where !isNameByte(bytes[index]) && bytes[index] != UInt8(ascii: ":") { return false }
        return true
    }

    private static func isIPv6(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        var groups = 0
        var index = range.lowerBound
        var hasGap = false
        while index < range.upperBound {
            if bytes[index] == UInt8(ascii: ":") {
                let isDouble = index + 1 < range.upperBound && bytes[index + 1] == UInt8(ascii: ":")
                if isDouble {
                    if hasGap { return false }
                    hasGap = true
                    index += 2
                    continue
                }
                guard index > range.lowerBound, index + 1 < range.upperBound, bytes[index - 1] != UInt8(ascii: ":") else { return false }
                index += 1
                continue
            }
            var end = index
            while end < range.upperBound, HeadByte.isHex(bytes[end]) { end += 1 }
            if end < range.upperBound, bytes[end] == UInt8(ascii: ".") {
                guard isIPv4(bytes, index..<range.upperBound) else { return false }
                groups += 2
                break
            }
            guard (1...4).contains(end - index) else { return false }
            groups += 1
            index = end
        }
        return hasGap ? groups <= 7 : groups == 8
    }

    private static func isIPv4(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        var parts = 0
        var start = range.lowerBound
        while start <= range.upperBound {
            let end = bytes.firstIndex(of: UInt8(ascii: "."), in: start..<range.upperBound)
            guard (1...3).contains(end - start), end - start == 1 || bytes[start] != UInt8(ascii: "0") else { return false }
            var value = 0
            for index in start..<end {
                guard HeadByte.isDigit(bytes[index]) else { return false }
                value = value * 10 + Int(bytes[index] &- 0x30)
            }
            guard value <= 255 else { return false }
            parts += 1
            start = end + 1
        }
        return parts == 4
    }
}
