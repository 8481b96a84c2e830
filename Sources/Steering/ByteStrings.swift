/// Byte strings by position, one after the other in one buffer: looking at one takes no reference of its own, which an array of arrays
/// would, twice a request and string.
struct ByteStrings: Sendable {
    private(set) var bytes: [UInt8] = []
    private var ends = [0]
    /// Bytes of the longest string.
    private(set) var longest = 0

    init(_ strings: [String]) { self.init(strings.map { Array($0.utf8) }) }

    init(_ strings: [[UInt8]]) {
        for string in strings {
            bytes += string
            longest = max(longest, bytes.count - ends[ends.count - 1])
            ends.append(bytes.count)
        }
    }

    var count: Int { ends.count - 1 }

    /// Where a string stands in `bytes`.
    func range(_ position: Int) -> Range<Int> { ends[position]..<ends[position + 1] }

    func append(_ position: Int, to output: inout OutputSpan<UInt8>) {
        for index in range(position) { output.append(bytes[index]) }
    }
}
