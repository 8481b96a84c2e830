/// A text in which each `*` stands for any bytes, `/` included.
struct Pattern: Sendable {
    /// What stands between the stars.
    private let pieces: [[UInt8]]
    private let ignoresCase: Bool

    init(_ text: String, ignoresCase: Bool = false) {
        self.ignoresCase = ignoresCase
        let text = ignoresCase ? text.lowercased() : text
        pieces = text.utf8.split(separator: 0x2A, omittingEmptySubsequences: false).map(Array.init)
    }

    /// What every match begins with.
    var prefix: [UInt8] { pieces[0] }

    func matches(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        let (first, last) = (pieces[0], pieces[pieces.count - 1])
        if pieces.count == 1 { return range.count == first.count && stands(first, at: range.lowerBound, bytes) }
        guard range.count >= first.count + last.count, stands(first, at: range.lowerBound, bytes),
            stands(last, at: range.upperBound - last.count, bytes)
        else { return false }
        // The leftmost place for each piece leaves the most room for the others.
        var index = range.lowerBound + first.count
        let end = range.upperBound - last.count
        for piece in pieces.dropFirst().dropLast() {
            while index + piece.count <= end, !stands(piece, at: index, bytes) { index += 1 }
            if index + piece.count > end { return false }
            index += piece.count
        }
        return true
    }

    private func stands(_ piece: [UInt8], at start: Int, _ bytes: borrowing Span<UInt8>) -> Bool {
        for offset in piece.indices {
            let byte = bytes[start + offset]
            if (ignoresCase ? URLByte.lowercased(byte) : byte) != piece[offset] { return false }
        }
        return true
    }
}
