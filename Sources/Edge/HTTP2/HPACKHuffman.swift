/// The Huffman code of HPACK (RFC 7541 Appendix B). It is canonical: codes of one length follow one another in the order of their symbols, so
/// the lengths alone define it.
struct HPACKHuffman: Sendable {
    static let code = HPACKHuffman()

    /// Bits of each byte's code, and of the end of string.
    private static let lengths: [UInt8] = [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
        28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
        5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7,
        7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
        7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
        24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
        23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
        21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
        26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
    ]
    private static let longest = 30
    private static let endOfString: UInt16 = 256

    /// In the order of their codes.
    private var symbols: [UInt16] = []
    /// By length: the first code, and its place in `symbols`.
    private var first = [(code: UInt64, place: Int, count: Int)](repeating: (0, 0, 0), count: longest + 1)
    /// By the next eight bits: a symbol in the upper bits, its length in the lower four; 0 when the code is longer.
    private var short = [UInt16](repeating: 0, count: 256)

    private init() {
        var code: UInt64 = 0
        for length in 1...HPACKHuffman.longest {
            code <<= 1
            first[length] = (code, symbols.count, 0)
            for symbol in HPACKHuffman.lengths.indices where HPACKHuffman.lengths[symbol] == length {
                if length <= 8 {
                    let start = Int(code) << (8 - length)
                    for index in start..<start + 1 << (8 - length) { short[index] = UInt16(symbol) << 4 | UInt16(length) }
                }
                symbols.append(UInt16(symbol))
                first[length].count += 1
                code += 1
            }
        }
    }

    /// Decodes `range` and appends it.
    ///
    /// - Returns: false when it is no such code: an end of string inside, or other padding than fewer than eight ones (RFC 7541 §5.2).
    func decode(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, to text: inout [UInt8]) -> Bool {
        var bits: UInt64 = 0
        var count = 0
        var index = range.lowerBound
        while true {
            while count <= 56, index < range.upperBound {
                bits |= UInt64(bytes[index]) << UInt64(56 - count)
                count += 8
                index += 1
            }
            let (symbol, length) = next(bits)
            guard length <= count else { break }
            guard symbol != HPACKHuffman.endOfString else { return false }
            text.append(UInt8(truncatingIfNeeded: symbol))
            bits <<= UInt64(length)
            count -= length
        }
        return count < 8 && bits == ~(~0 >> UInt64(count))
    }

    /// The symbol that `bits` begin with, and its length; the code is complete, so there always is one.
    private func next(_ bits: UInt64) -> (UInt16, Int) {
        let entry = short[Int(bits >> 56)]
        if entry != 0 { return (entry >> 4, Int(entry & 15)) }
        for length in 9...HPACKHuffman.longest {
            let offset = bits >> UInt64(64 - length) &- first[length].code
            if offset < first[length].count { return (symbols[first[length].place + Int(offset)], length) }
        }
        return (HPACKHuffman.endOfString, HPACKHuffman.longest)
    }
}
