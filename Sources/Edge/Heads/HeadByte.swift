import Steering

extension UInt8 {
    static let carriageReturn: UInt8 = 0x0D
    static let lineFeed: UInt8 = 0x0A
    static let space: UInt8 = 0x20
    static let tab: UInt8 = 0x09
}

/// What each byte of a request head may be (RFC 9110 §5.6.2), and comparing in place. Every access is bounds-checked.
enum HeadByte {
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- 0x61 < 6 }

    /// `tchar` of RFC 9110 §5.6.2.
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "^")...UInt8(ascii: "z"),
            UInt8(ascii: "#")...UInt8(ascii: "'"), UInt8(ascii: "!"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"),
            UInt8(ascii: "."), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// The method named by `range`; case counts.
    static func method(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> RequestHead.Method {
        for method in RequestHead.Method.allCases where bytes.equals(method.rawValue, in: range) { return method }
        return .other
    }
}

extension Span<UInt8> {
    /// Whether `range` equals `lowercase` in ASCII, letter case apart. No locale, no Unicode folding.
    @inline(__always)
    borrowing func equalsIgnoringCase(_ lowercase: String, in range: Range<Int>) -> Bool {
        guard lowercase.utf8.count == range.count else { return false }
        var index = range.lowerBound
        for byte in lowercase.utf8 {
            let own = self[index]
            if (HeadByte.isLetter(own) ? own | 0x20 : own) != byte { return false }
            index += 1
        }
        return true
    }

    /// Whether the bytes of `range` stand at `start` again.
    borrowing func repeats(_ range: Range<Int>, at start: Int, before end: Int) -> Bool {
        guard range.count <= end - start else { return false }
        return equals(self, range, in: start..<start + range.count)
    }

    /// `range` without spaces and tabs at its ends; no other byte is white space in HTTP.
    borrowing func trimmed(_ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, self[lower] == .space || self[lower] == .tab { lower += 1 }
        while lower < upper, self[upper - 1] == .space || self[upper - 1] == .tab { upper -= 1 }
        return lower..<upper
    }
}
