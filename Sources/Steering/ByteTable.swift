/// A fixed map from short lower-case ASCII keys to positions, asked with bytes as they came, without allocating.
///
/// Open addressing at half load. Clients choose what is asked but never what is stored, so no request can lengthen a chain.
struct ByteTable: Sendable {
    private let slots: [Int32]
    private let ends: [Int]
    private let bytes: [UInt8]

    /// - Parameter keys: unique, lower case; a key's position is its index here.
    init(_ keys: [String]) {
        var ends = [0]
        var bytes: [UInt8] = []
        for key in keys {
            bytes += Array(key.utf8)
            ends.append(bytes.count)
        }
        var size = 4
        while size < keys.count * 2 { size *= 2 }
        var slots = [Int32](repeating: -1, count: size)
        for position in keys.indices {
            var slot = ByteTable.hash(bytes.span, ends[position]..<ends[position + 1]) & (size - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = Int32(position)
        }
        self.slots = slots
        self.ends = ends
        self.bytes = bytes
    }

    /// The position of the key that equals `range` of `text` but for ASCII case; nil when there is none.
    func position(of text: borrowing Span<UInt8>, _ range: Range<Int>) -> Int? {
        var slot = ByteTable.hash(text, range) & (slots.count - 1)
        while slots[slot] >= 0 {
            let position = Int(slots[slot])
            if equals(position, text, range) { return position }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private func equals(_ position: Int, _ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        let start = ends[position]
        guard ends[position + 1] - start == range.count else { return false }
        for offset in 0..<range.count where bytes[start + offset] != URLByte.lowercased(text[range.lowerBound + offset]) { return false }
        return true
    }

    /// FNV-1a over the lower-cased bytes.
    private static func hash(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in range { hash = (hash ^ UInt64(URLByte.lowercased(text[index]))) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: hash & 0x7fff_ffff)
    }
}
