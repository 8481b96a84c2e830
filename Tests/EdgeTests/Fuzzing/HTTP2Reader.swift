@testable import Edge

/// What a client has sent, as far as it bounds what may come back: its frames are read again, by other code, and never judged.
struct HTTP2Sent {
    /// Highest first window of a stream so far, and bytes that its windows were opened by.
    private(set) var firstWindow = 65_535
    private(set) var windows: [UInt32: Int] = [:]
    private(set) var highest: UInt32 = 0
    /// Streams whose header block is whole, those that the client has reset, and those whose side it has ended.
    private(set) var requested: Set<UInt32> = []
    private(set) var reset: Set<UInt32> = []
    private var rest: [UInt8] = []
    private var skipped = 0
    private var blockStream: UInt32?

    mutating func take(_ bytes: [UInt8]) {
        let preface = min(24 - skipped, bytes.count)
        skipped += preface
        rest += bytes.dropFirst(preface)
        while rest.count >= 9 {
            let length = Int(rest[0]) << 16 | Int(rest[1]) << 8 | Int(rest[2])
            guard rest.count >= 9 + length else { return }
            let stream = number(rest[5..<9]) & 0x7FFF_FFFF
            take(rest[3], rest[4], stream, rest[9..<9 + length])
            rest.removeFirst(9 + length)
        }
    }

    private func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }

    private mutating func take(_ kind: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: ArraySlice<UInt8>) {
        switch kind {
        case 1 where stream % 2 == 1 && stream > highest:
            highest = stream
            if flags & 4 == 4 { requested.insert(stream) } else { blockStream = stream }
        case 9 where stream == blockStream && flags & 4 == 4:
            requested.insert(stream)
            blockStream = nil
        case 3: reset.insert(stream)
        case 4 where flags & 1 == 0:
            for start in stride(from: payload.startIndex, to: payload.endIndex - 5, by: 6) where payload[start + 1] == 4 {
                firstWindow = max(firstWindow, Int(number(payload[start + 2..<start + 6])))
            }
        case 8 where payload.count == 4: windows[stream, default: 0] += Int(number(payload[...]) & 0x7FFF_FFFF)
        default: break
        }
    }
}

/// A client that takes nothing but what RFC 9113 lets a server send.
struct HTTP2Reader {
    private enum State { case interim, body, ended, reset }

    private var states: [UInt32: State] = [:]
    private var sent: [UInt32: Int] = [:]
    private var sentInAll = 0
    private var isFirst = true
    private var block: (stream: UInt32, bytes: [UInt8], endsStream: Bool)?
    private var goodbye: (last: UInt32, code: UInt32)?

    /// What is wrong with what comes next; nil when nothing is. Frames come whole: a connection writes no others.
    mutating func fault(in bytes: [UInt8], to client: HTTP2Sent) -> String? {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard rest.count >= 9 else { return "half a frame" }
            let head = Array(rest.prefix(9))
            let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            guard length <= 16_384, rest.count >= 9 + length else { return "a frame of \(length) bytes" }
            let stream = head[5...].reduce(0) { $0 << 8 | UInt32($1) }
            if let fault = fault(head[3], head[4], stream, Array(rest.dropFirst(9).prefix(length)), client) {
                return "\(fault): \(shown(Array(rest.prefix(9 + length))))"
            }
            rest = rest.dropFirst(9 + length)
        }
        return block == nil ? nil : "half a header block"
    }

    private mutating func fault(
        _ kind: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8], _ client: HTTP2Sent
    ) -> String? {
        if isFirst, kind != 4 || flags != 0 { return "SETTINGS do not come first" }
        isFirst = false
        if let goodbye, goodbye.code != 0 { return "a frame behind the goodbye" }
        if let block, kind != 9 || stream != block.stream { return "inside a header block" }
        let isOfStream = [0, 1, 3, 9].contains(kind)
        if isOfStream, stream % 2 == 0 || stream > client.highest { return "on a stream that is idle" }
        let code = payload.suffix(4).reduce(0) { $0 << 8 | UInt32($1) }
        switch kind {
        case 0: return faultOfData(flags, stream, payload.count, client)
        case 1 where flags & ~5 == 0, 9 where flags & ~4 == 0: return faultOfHeaders(kind, flags, stream, payload)
        case 3 where flags == 0 && payload.count == 4: return faultOfReset(stream, code)
        case 4 where stream == 0 && (flags == 0 ? payload.count % 6 == 0 : flags == 1 && payload.isEmpty): return nil
        case 6 where stream == 0 && flags <= 1 && payload.count == 8: return nil
        case 7 where stream == 0 && flags == 0 && payload.count == 8:
            let last = payload.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
            if let goodbye, last > goodbye.last { return "a goodbye that takes back" }
            goodbye = (last, code)
            return nil
        case 8 where flags == 0 && payload.count == 4 && code > 0 && code < 0x8000_0000: return nil
        default: return "a frame that no server sends"
        }
    }

    private mutating func faultOfData(_ flags: UInt8, _ stream: UInt32, _ count: Int, _ client: HTTP2Sent) -> String? {
        guard states[stream] == .body, flags & ~1 == 0 else { return "a body without a head" }
        sent[stream, default: 0] += count
        sentInAll += count
        if sent[stream, default: 0] > client.firstWindow + client.windows[stream, default: 0] { return "beyond the stream's window" }
        if sentInAll > 65_535 + client.windows[0, default: 0] { return "beyond the connection's window" }
        if flags & 1 == 1 { states[stream] = .ended }
        return nil
    }

    private mutating func faultOfHeaders(_ kind: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) -> String? {
        if kind == 1 {
            guard states[stream] == nil || states[stream] == .interim else { return "a second head" }
            block = (stream, payload, flags & 1 == 1)
        } else if block == nil {
            return "CONTINUATION of nothing"
        } else {
            block?.bytes += payload
        }
        guard flags & 4 == 4, let whole = block else { return nil }
        block = nil
        guard let status = status(whole.bytes) else { return "a block that is none" }
        if status.hasPrefix("1") {
            states[stream] = .interim
            return whole.endsStream ? "an end without an answer" : nil
        }
        states[stream] = whole.endsStream ? .ended : .body
        return nil
    }

    private mutating func faultOfReset(_ stream: UInt32, _ code: UInt32) -> String? {
        switch states[stream] {
        case .reset: return "reset twice"
        // The client's side was open: it is told that nobody reads on (§8.1).
        case .ended where code != 0: return "an answer and an error"
        default:
            states[stream] = .reset
            return nil
        }
    }

    /// The status of a block that uses the standard's table alone; nil when it is none.
    private func status(_ block: [UInt8]) -> String? {
        var rest = block[...]
        if rest.first == 0x20 { rest.removeFirst() }
        let status: String
        switch rest.popFirst() {
        case 0x08:
            guard let text = string(&rest) else { return nil }
            status = text
        case let first? where (0x88...0x8E).contains(first): status = ["200", "204", "206", "304", "400", "404", "500"][Int(first) - 0x88]
        default: return nil
        }
        while let first = rest.popFirst() {
            var number = Int(first)
            if first == 0x0F { number += Int(rest.popFirst() ?? 0) }
            // Without indexing, by a name of the standard's or one written out; no pseudo-header field behind the first.
            guard first <= 0x0F, number == 0 || (15...61).contains(number) else { return nil }
            if number == 0 { guard let name = string(&rest), !name.isEmpty, name == name.lowercased() else { return nil } }
            guard string(&rest) != nil else { return nil }
        }
        return status
    }

    private func string(_ rest: inout ArraySlice<UInt8>) -> String? {
        guard var length = rest.popFirst().map({ Int($0) }), length < 128 else { return nil }
        if length == 127 {
            var shift = 0
            while true {
                guard let byte = rest.popFirst(), shift < 28 else { return nil }
                length += Int(byte & 127) << shift
                shift += 7
                if byte < 128 { break }
            }
        }
        guard length <= rest.count else { return nil }
        defer { rest = rest.dropFirst(length) }
        return rest.prefix(length).latin1
    }

    /// Each request has its answer or its reset, unless its client has given it up or the connection died.
    func faultAtEnd(_ client: HTTP2Sent) -> String? {
        guard let goodbye else { return "it ends without a goodbye" }
        guard goodbye.code == 0 else { return nil }
        for stream in client.requested.subtracting(client.reset) where stream <= goodbye.last {
            switch states[stream] {
            case .ended, .reset: break
            default: return "no answer on \(stream)"
            }
        }
        return nil
    }
}
