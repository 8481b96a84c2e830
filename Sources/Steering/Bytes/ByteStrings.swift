/// Byte strings by position, one after the other in one buffer. A request that looks at one takes no reference, as it would to each array
/// of an array of arrays; workers share the counters of those.
struct ByteStrings: Sendable {
    private(set) var bytes: [UInt8] = []
    private var ends = [0]

    init(_ strings: [String]) { self.init(strings.map { Array($0.utf8) }) }

    init(_ strings: [[UInt8]]) {
        for string in strings {
            bytes += string
            ends.append(bytes.count)
        }
    }

    var count: Int { ends.count - 1 }

    /// Bytes of the longest string; 0 when there is none.
    var longest: Int { zip(ends, ends.dropFirst()).map { $1 - $0 }.max() ?? 0 }

    /// Where a string stands in `bytes`.
    func range(_ position: Int) -> Range<Int> { ends[position]..<ends[position + 1] }

    /// Whether a string stands in `range` of a text, to the letter.
    func equals(_ position: Int, _ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        let own = self.range(position)
        guard own.count == range.count else { return false }
        for offset in 0..<own.count where bytes[own.lowerBound + offset] != text[range.lowerBound + offset] { return false }
        return true
    }

    func append(_ position: Int, to out: inout OutputSpan<UInt8>) { out.append(copying: bytes.span.extracting(range(position))) }
}
