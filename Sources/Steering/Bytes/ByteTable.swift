/// A fixed map from short lower-case ASCII keys to positions, asked with bytes as they came, without allocating.
///
/// Open addressing at half load. Clients choose what is asked but never what is stored, so no request can lengthen a chain.
struct ByteTable: Sendable {
    /// So many are compared one by one: faster than hashing what is asked for. Most services have one domain.
    private static let fewKeys = 2

    private let slots: [Int32]
    let keys: ByteStrings

    /// - Parameter names: the keys: unique, lower case; a key's position is its index here.
    init(_ names: [String]) {
        let keys = ByteStrings(names)
        var size = 4
        while size < names.count * 2 { size *= 2 }
        var slots = [Int32](repeating: -1, count: size)
        for position in names.indices {
            var slot = ByteTable.hash(keys.bytes.span, keys.range(position)) & (size - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = Int32(position)
        }
        self.slots = slots
        self.keys = keys
    }

    /// The position of the key that equals `range` of `text` but for ASCII case; nil when there is none.
    func position(of text: borrowing Span<UInt8>, _ range: Range<Int>) -> Int? {
        if keys.count <= ByteTable.fewKeys {
            for position in 0..<keys.count where equals(position, text, range) { return position }
            return nil
        }
        var slot = ByteTable.hash(text, range) & (slots.count - 1)
        while slots[slot] >= 0 {
            let position = Int(slots[slot])
            if equals(position, text, range) { return position }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private func equals(_ position: Int, _ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        let key = keys.range(position)
        guard key.count == range.count else { return false }
        // Most are written in lower case.
        if text.equals(keys.bytes.span, key, in: range) { return true }
        for offset in 0..<range.count where keys.bytes[key.lowerBound + offset] != URLByte.lowercased(text[range.lowerBound + offset]) {
            return false
        }
        return true
    }

    /// FNV-1a over the lower-cased bytes.
    private static func hash(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in range { hash = (hash ^ UInt64(URLByte.lowercased(text[index]))) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: hash & 0x7fff_ffff)
    }
}
