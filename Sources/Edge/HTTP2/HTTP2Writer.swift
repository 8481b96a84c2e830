import Steering

/// Packs answers for HTTP/2: takes an answer as `HTTP1Writer` writes it, field by field, so that both protocols say the same.
///
/// It keeps nothing from one header block to the next that a client would have to keep too: fields are named by the standard's numbers and
/// never stored in the client's table (RFC 7541 §6.2.2). So answers of many connections may be packed by one writer, in any order.
struct HTTP2Writer: Sendable {
    /// The header block of the answer that was packed last.
    private(set) var block: [UInt8] = []
    /// How redirects of this second begin, up to the Location, and what that packs to.
    private var start: [UInt8] = []
    private var startBlock: [UInt8] = []

    /// The first block of a connection says that the client's table is not used (RFC 7541 §6.3); one that is made smaller later has to be
    /// told nothing then.
    static let emptiesTable: UInt8 = 0x20

    /// Packs the head of an answer into `block`.
    ///
    /// - Parameters:
    ///   - answer: of HTTP/1, whole or without its body.
    ///   - isFirst: on its connection.
    /// - Returns: where the body begins.
    mutating func pack(_ answer: borrowing Span<UInt8>, isFirst: Bool) -> Int {
        block.removeAll(keepingCapacity: true)
        if isFirst { block.append(HTTP2Writer.emptiesTable) }
        if !start.isEmpty, answer.count >= start.count, answer.equals(start.span, 0..<start.count, in: 0..<start.count) {
            block.append(contentsOf: startBlock)
            let end = answer.firstIndex(of: .carriageReturn, in: start.count..<answer.count)
            appendString(answer, start.count..<end)
            return appendFields(answer, from: end + 2, isFirst)
        }
        appendStatus(answer)
        let line = answer.firstIndex(of: .carriageReturn, in: 0..<answer.count)
        return appendFields(answer, from: line + 2, isFirst)
    }

    /// - Returns: what stands behind the empty line.
    private mutating func appendFields(_ answer: borrowing Span<UInt8>, from first: Int, _ isFirst: Bool) -> Int {
        var index = first
        while index < answer.count, answer[index] != .carriageReturn {
            let colon = answer.firstIndex(of: UInt8(ascii: ":"), in: index..<answer.count)
            let end = answer.firstIndex(of: .carriageReturn, in: colon..<answer.count)
            appendField(answer, index..<colon, colon + 2..<end, isFirst)
            index = end + 2
        }
        return index + 2
    }

    private mutating func appendField(_ answer: borrowing Span<UInt8>, _ name: Range<Int>, _ value: Range<Int>, _ isFirst: Bool) {
        // The connection goes on (RFC 9113 §8.2.2).
        if answer.equalsIgnoringCase("connection", in: name) { return }
        let number = HTTP2Writer.number(answer, name)
        if number > 0 {
            appendInteger(number, bits: 4, 0)
        } else {
            block.append(0)
            appendInteger(name.count, bits: 7, 0)
            for index in name { block.append(HeadByte.isLetter(answer[index]) ? answer[index] | 0x20 : answer[index]) }
        }
        if number == HTTP2Writer.location { keepStart(answer, value.lowerBound, isFirst) }
        appendString(answer, value)
    }

    private mutating func keepStart(_ answer: borrowing Span<UInt8>, _ end: Int, _ isFirst: Bool) {
        start.removeAll(keepingCapacity: true)
        unsafe answer.extracting(0..<end).withUnsafeBufferPointer { unsafe start.append(contentsOf: $0) }
        startBlock.removeAll(keepingCapacity: true)
        startBlock.append(contentsOf: block[(isFirst ? 1 : 0)...])
    }

    private static let location = 46

    /// The number of a name in the standard's table (RFC 7541 Appendix A); 0 when it has none.
    private static func number(_ answer: borrowing Span<UInt8>, _ name: Range<Int>) -> Int {
        switch name.count {
        case 4: answer.equalsIgnoringCase("date", in: name) ? 33 : answer.equalsIgnoringCase("vary", in: name) ? 59 : link(answer, name)
        case 5: answer.equalsIgnoringCase("allow", in: name) ? 22 : 0
        case 8: answer.equalsIgnoringCase("location", in: name) ? location : 0
        case 11: answer.equalsIgnoringCase("retry-after", in: name) ? 53 : 0
        case 12: answer.equalsIgnoringCase("content-type", in: name) ? 31 : 0
        case 13: answer.equalsIgnoringCase("cache-control", in: name) ? 24 : 0
        case 14: answer.equalsIgnoringCase("content-length", in: name) ? 28 : 0
        case 27: answer.equalsIgnoringCase("access-control-allow-origin", in: name) ? 20 : 0
        default: 0
        }
    }

    private static func link(_ answer: borrowing Span<UInt8>, _ name: Range<Int>) -> Int {
        answer.equalsIgnoringCase("link", in: name) ? 45 : 0
    }

    /// `HTTP/1.1 302 …`
    private mutating func appendStatus(_ answer: borrowing Span<UInt8>) {
        if answer.equals("200", in: 9..<12) { return block.append(0x88) }
        if answer.equals("204", in: 9..<12) { return block.append(0x89) }
        if answer.equals("400", in: 9..<12) { return block.append(0x8C) }
        if answer.equals("404", in: 9..<12) { return block.append(0x8D) }
        block.append(0x08)
        appendString(answer, 9..<12)
    }

    private mutating func appendString(_ answer: borrowing Span<UInt8>, _ range: Range<Int>) {
        appendInteger(range.count, bits: 7, 0)
        unsafe answer.extracting(range).withUnsafeBufferPointer { unsafe block.append(contentsOf: $0) }
    }

    /// A number of RFC 7541 §5.1 behind the upper bits of its first byte.
    private mutating func appendInteger(_ number: Int, bits: Int, _ upper: UInt8) {
        let most = 1 << bits - 1
        guard number >= most else { return block.append(upper | UInt8(number)) }
        block.append(upper | UInt8(most))
        var rest = number - most
        while rest >= 128 {
            block.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        block.append(UInt8(rest))
    }
}

/// What all HTTP/2 connections of a thread work with, one after another; none keeps anything in it.
struct HTTP2Workspace: Sendable {
    /// Of the request that is read.
    var head = HTTP2Head()
    /// An answer before it is packed.
    var answer: [UInt8] = []
    var writer = HTTP2Writer()
}
