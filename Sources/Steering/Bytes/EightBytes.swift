/// Eight bytes of a text, judged at once.
///
/// A test answers with the top bit of each byte that passes. None that passes is missed, and the first bit that is set is right; a carry may
/// set bits after it that are not. So "none passes" and "this one is the first" can be relied on, and "this one passes too" cannot.
@frozen public struct EightBytes {
    /// The first byte of the text is the lowest.
    public let word: UInt64

    /// The eight bytes at `index`; nil when they are not all before `end`.
    @inlinable @inline(__always)
    public init?(_ text: borrowing Span<UInt8>, at index: Int, before end: Int) {
        guard index <= end - 8 else { return nil }
        // Any eight bytes are an integer, and RawSpan checks that they are inside.
        word = UInt64(littleEndian: unsafe text.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
    }

    @inlinable @inline(__always)
    public static func all(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

    /// - Parameter byte: any.
    @inlinable @inline(__always)
    public func equal(_ byte: UInt8) -> UInt64 {
        let difference = word ^ EightBytes.all(byte)
        return (difference &- EightBytes.all(1)) & ~difference & EightBytes.all(0x80)
    }

    /// - Parameter byte: at most 0x80.
    @inlinable @inline(__always)
    public func below(_ byte: UInt8) -> UInt64 { (word &- EightBytes.all(byte)) & ~word & EightBytes.all(0x80) }

    /// - Parameter byte: 1 to 0x80.
    @inlinable @inline(__always)
    public func atLeast(_ byte: UInt8) -> UInt64 { ((word &+ EightBytes.all(0x80 &- byte)) | word) & EightBytes.all(0x80) }

    /// Here every bit is right, and so are answers put together from such.
    ///
    /// - Parameter range: of ASCII bytes.
    @inlinable @inline(__always)
    public func within(_ range: ClosedRange<UInt8>) -> UInt64 {
        let ascii = word & EightBytes.all(0x7F)
        let from = ascii &+ EightBytes.all(0x80 &- range.lowerBound)
        let beyond = ascii &+ EightBytes.all(0x7F &- range.upperBound)
        return from & ~beyond & ~word & EightBytes.all(0x80)
    }

    /// How many bytes stand before the first that passed; 8 when none did.
    @inlinable @inline(__always)
    public static func first(_ passed: UInt64) -> Int { passed.trailingZeroBitCount / 8 }
}

extension Span<UInt8> {
    /// The first index in `range` whose byte is a stop; the range's end when none is.
    ///
    /// - Parameters:
    ///   - stops: tells the stops among eight bytes.
    ///   - isStop: tells the same of one byte, for the last seven at most.
    @inlinable @inline(__always)
    public borrowing func firstIndex(in range: Range<Int>, _ stops: (EightBytes) -> UInt64, or isStop: (UInt8) -> Bool) -> Int {
        var index = range.lowerBound
        while let eight = EightBytes(self, at: index, before: range.upperBound) {
            let found = stops(eight)
            if found != 0 { return index + EightBytes.first(found) }
            index += 8
        }
        while index < range.upperBound, !isStop(self[index]) { index += 1 }
        return index
    }

    /// Whether `range` has the same bytes as `wanted` of `other`.
    @inlinable @inline(__always)
    public borrowing func equals(_ other: borrowing Span<UInt8>, _ wanted: Range<Int>, in range: Range<Int>) -> Bool {
        guard range.count == wanted.count else { return false }
        guard range.count >= 8 else {
            for offset in 0..<range.count where self[range.lowerBound + offset] != other[wanted.lowerBound + offset] { return false }
            return true
        }
        var offset = 0
        while true {
            guard let one = EightBytes(self, at: range.lowerBound + offset, before: range.upperBound),
                let two = EightBytes(other, at: wanted.lowerBound + offset, before: wanted.upperBound), one.word == two.word
            else { return false }
            if offset + 8 == range.count { return true }
            // The last eight may have been seen in part.
            offset = min(offset + 8, range.count - 8)
        }
    }

    /// Whether no byte of `range`, and no two that follow each other, pass a test of eight; false also when `range` is shorter than eight.
    @inline(__always)
    borrowing func hasNone(in range: Range<Int>, _ test: (EightBytes) -> UInt64) -> Bool {
        // Seven on, so that two neighbours stand in the same eight once.
        var index = range.lowerBound
        while index + 8 < range.upperBound {
            guard let eight = EightBytes(self, at: index, before: range.upperBound), test(eight) == 0 else { return false }
            index += 7
        }
        index = range.upperBound - 8
        guard index >= range.lowerBound, let eight = EightBytes(self, at: index, before: range.upperBound) else { return false }
        return test(eight) == 0
    }
}
