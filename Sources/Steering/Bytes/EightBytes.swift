/// Eight bytes of a text, judged at once.
///
/// A test answers with the top bit of each byte that passes. None that passes is missed, and the first bit that is set is right; a carry may
/// set bits after it that are not. So "none passes" and "this one is the first" can be relied on, and "this one passes too" cannot.
@frozen public struct EightBytes {
    /// The first byte of the text is the lowest.
    public let word: UInt64

    /// The eight bytes at `index`, which must lie in the text.
    @unsafe @inlinable @inline(__always)
    public init(_ text: borrowing Span<UInt8>, unchecked index: Int) {
        // Any eight bytes are an integer.
        word = UInt64(littleEndian: unsafe text.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
    }

    @inlinable @inline(__always)
    public static func all(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

    /// - Parameter byte: any.
    @inlinable @inline(__always)
    public func equal(_ byte: UInt8) -> UInt64 {
        let difference = word ^ EightBytes.all(byte)
        return (difference &- EightBytes.all(1)) & ~difference & EightBytes.all(0x80)
    }

    /// The same of bytes that differ from it in these bits alone.
    ///
    /// - Parameter byte: has the bits set.
    @inline(__always)
    func equal(_ byte: UInt8, whateverBits bits: UInt8) -> UInt64 {
        let difference = (word | EightBytes.all(bits)) ^ EightBytes.all(byte)
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
    /// Traps when `range` is not in the text. Whoever has asked this may read it unchecked.
    @inlinable @inline(__always)
    borrowing func check(_ range: Range<Int>) {
        // Beyond it is memory of others; every caller's range comes from looking at this text.
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "the range is not in the text")
    }

    /// The first index in `range` whose byte is a stop; the range's end when none is.
    ///
    /// - Parameters:
    ///   - stops: tells the stops among eight bytes.
    ///   - isStop: tells the same of one byte, for ranges that are shorter.
    @inlinable @inline(__always)
    public borrowing func firstIndex(in range: Range<Int>, _ stops: (EightBytes) -> UInt64, or isStop: (UInt8) -> Bool) -> Int {
        check(range)
        var index = range.lowerBound
        let last = range.upperBound &- 8
        guard index <= last else {
            while index < range.upperBound, unsafe !isStop(self[unchecked: index]) { index &+= 1 }
            return index
        }
        while true {
            let found = stops(unsafe EightBytes(self, unchecked: index))
            if found != 0 { return index &+ EightBytes.first(found) }
            if index == last { return range.upperBound }
            // Of the last eight some may have been seen: those are no stops.
            index = Swift.min(index &+ 8, last)
        }
    }

    /// Whether `range` has the same bytes as `wanted` of `other`.
    @inlinable @inline(__always)
    public borrowing func equals(_ other: borrowing Span<UInt8>, _ wanted: Range<Int>, in range: Range<Int>) -> Bool {
        let length = range.count
        guard length == wanted.count else { return false }
        check(range)
        other.check(wanted)
        let (start, otherStart, last) = (range.lowerBound, wanted.lowerBound, length &- 8)
        var offset = 0
        guard last >= 0 else {
            while offset < length {
                if unsafe self[unchecked: start &+ offset] != other[unchecked: otherStart &+ offset] { return false }
                offset &+= 1
            }
            return true
        }
        while true {
            let one = unsafe EightBytes(self, unchecked: start &+ offset)
            let two = unsafe EightBytes(other, unchecked: otherStart &+ offset)
            if one.word != two.word { return false }
            if offset == last { return true }
            // The last eight may have been seen in part.
            offset = Swift.min(offset &+ 8, last)
        }
    }

    /// Whether no byte of `range`, and no two that follow each other, pass a test of eight; false also when `range` is shorter than eight.
    @inlinable @inline(__always)
    public borrowing func hasNone(in range: Range<Int>, _ test: (EightBytes) -> UInt64) -> Bool {
        check(range)
        var index = range.lowerBound
        let last = range.upperBound &- 8
        guard index <= last else { return false }
        while true {
            if test(unsafe EightBytes(self, unchecked: index)) != 0 { return false }
            if index == last { return true }
            // Seven on, so that two neighbours stand in the same eight once.
            index = Swift.min(index &+ 7, last)
        }
    }
}
