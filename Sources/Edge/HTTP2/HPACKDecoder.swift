import Steering

/// Reads the header blocks of one connection (RFC 7541). What it reads, a table of fields included, is bounded.
struct HPACKDecoder: Sendable {
    private var table = HPACKTable()

    /// Reads a whole block, field by field.
    ///
    /// - Throws: what ends the connection: the table cannot be followed after a bad block.
    mutating func decode(_ block: borrowing Span<UInt8>, into head: inout HTTP2Head) throws(HTTP2Refusal) {
        var index = 0
        var isStart = true
        while index < block.count {
            let first = block[index]
            if first & 0x80 != 0 {
                try takeIndexed(HPACKDecoder.integer(block, &index, bits: 7), &head)
            } else if first & 0xE0 == 0x20 {
                // A table's size may change between blocks alone (§4.2).
                let size = try HPACKDecoder.integer(block, &index, bits: 5)
                guard isStart, table.resize(to: size) else { throw .compression }
                continue
            } else {
                try takeLiteral(block, &index, isKept: first & 0x40 != 0, &head)
            }
            isStart = false
        }
    }

    private func takeIndexed(_ number: Int, _ head: inout HTTP2Head) throws(HTTP2Refusal) {
        let start = head.text.count
        guard table.appendName(of: number, to: &head.text) else { throw .compression }
        let name = start..<head.text.count
        head.appendSeparator()
        let value = head.text.count
        table.appendValue(of: number, to: &head.text)
        try head.take(name: name, value: value..<head.text.count)
    }

    private mutating func takeLiteral(
        _ block: borrowing Span<UInt8>, _ index: inout Int, isKept: Bool, _ head: inout HTTP2Head
    ) throws(HTTP2Refusal) {
        let start = head.text.count
        let number = try HPACKDecoder.integer(block, &index, bits: isKept ? 6 : 4)
        if number == 0 {
            try HPACKDecoder.string(block, &index, to: &head.text)
        } else if !table.appendName(of: number, to: &head.text) {
            throw .compression
        }
        let name = start..<head.text.count
        head.appendSeparator()
        let value = head.text.count
        try HPACKDecoder.string(block, &index, to: &head.text)
        if isKept { table.insert(head.text, name: name, value: value..<head.text.count) }
        try head.take(name: name, value: value..<head.text.count)
    }

    /// A number of §5.1 in the low bits of a byte and what follows it.
    static func integer(_ block: borrowing Span<UInt8>, _ index: inout Int, bits: Int) throws(HTTP2Refusal) -> Int {
        guard index < block.count else { throw .compression }
        let most = 1 << bits - 1
        var value = Int(block[index]) & most
        index += 1
        guard value == most else { return value }
        var shift = 0
        while true {
            // No block is so long that it needs more than 28 bits.
            guard index < block.count, shift <= 21 else { throw .compression }
            let byte = block[index]
            index += 1
            value += Int(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
    }

    private static func string(_ block: borrowing Span<UInt8>, _ index: inout Int, to text: inout [UInt8]) throws(HTTP2Refusal) {
        guard index < block.count else { throw .compression }
        let isHuffman = block[index] & 0x80 != 0
        let length = try integer(block, &index, bits: 7)
        guard length <= block.count - index else { throw .compression }
        let range = index..<index + length
        index += length
        if isHuffman {
            guard HPACKHuffman.code.decode(block, range, to: &text) else { throw .compression }
        } else {
            unsafe block.extracting(range).withUnsafeBufferPointer { unsafe text.append(contentsOf: $0) }
        }
    }
}
