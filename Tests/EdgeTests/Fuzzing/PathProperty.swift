import Steering

@testable import Edge

/// One connection's bytes, cut into reads, get the same answers from the fast path and from the slow one.
///
/// Scanners and responders are the real ones; the sockets between them are left out, so that a fuzzer can try millions of connections.
struct PathProperty {
    /// Small, so that short inputs reach every limit.
    static let limits: Limits = {
        var limits = Limits()
        limits.target = 160
        limits.head = 320
        limits.fields = 8
        return limits
    }()
    private static let client = ClientAddress(ipv4: 0xC000_0201)
    private static let bases = ["http://cdn.example.com/s", "https://b.example/live/s", "http://s", "https://s"].map { Array($0.utf8) }

    private let table: RoutingTable
    /// False compares only how a stream is cut into heads, which is many times cheaper.
    private let answers: Bool
    private var fast: Responder
    private var slow: Responder
    /// Requests that the fast path has taken so far.
    private(set) var plainRequests = 0

    init(answers: Bool) throws {
        table = try Setup(
            every: 3, cdns: [("cdn-a", "http://cdn.example.com"), ("cdn-b", "https://b.example/live")], keepsScheme: true,
            passes: ["CMCD", "_HLS_msn", "c"]
        ).table()
        self.answers = answers
        fast = PathProperty.responder(table)
        slow = fast
    }

    private static func responder(_ table: RoutingTable) -> Responder {
        Responder(table: table, sequences: SequenceBook().set(for: table), clock: { 784_111_777 })
    }

    /// What is wrong with the answers to `stream`; nil when nothing is.
    mutating func fault(_ stream: [UInt8]) -> String? {
        let ends = PathProperty.ends(stream)
        if answers {
            // Numbers begin anew, so that a finding can be repeated alone.
            fast = PathProperty.responder(table)
            slow = PathProperty.responder(table)
        }
        let slowEnd = readOn(\.slow, stream, from: 0, ends[...])
        var used = 0
        for (index, end) in ends.enumerated() {
            var last: RequestHead?
            while used < end {
                guard let head = PlainScanner.scan(stream.span, used..<end, limits: PathProperty.limits, after: last) else { break }
                if let fault = PathProperty.fault(head, stream, used..<end) { return fault }
                let start = fast.writer.bytes.count
                guard take(head, stream.span, \.fast) else { break }
                plainRequests += 1
                if let fault = PathProperty.fault(fast.writer.bytes[start...]) { return fault }
                used += head.length
                last = head
                if head.closes { return compare(End(position: used), slowEnd) }
            }
            if used < end {
                // From its first byte on the slow path has had it already.
                if used == 0 { return nil }
                let fastEnd = readOn(\.fast, stream, from: used, ends[index...])
                return compare(fastEnd, slowEnd)
            }
        }
        return compare(End(position: used), slowEnd)
    }

    private func compare(_ fastEnd: End, _ slowEnd: End) -> String? {
        if fastEnd != slowEnd { return "the fast path ends at \(fastEnd), the slow one at \(slowEnd)" }
        guard fast.writer.bytes != slow.writer.bytes else { return nil }
        return "the fast path says \(shown(fast.writer.bytes)), the slow one \(shown(slow.writer.bytes))"
    }

    /// Where a connection's requests end, and why.
    private struct End: Equatable {
        var position: Int
        /// The answer to it depends on nothing else.
        var fault: HTTPFault?
    }

    /// The slow path: everything through the strict scanner, up to a body, a fault or a request that closes.
    private mutating func readOn(
        _ path: WritableKeyPath<PathProperty, Responder>, _ stream: [UInt8], from start: Int, _ ends: ArraySlice<Int>
    ) -> End {
        var position = start
        var scanner = HeadScanner(limits: PathProperty.limits)
        for end in ends {
            reading: while position < end {
                let bytes = stream.span.extracting(position..<end)
                switch scanner.scan(bytes) {
                case .incomplete: break reading
                case .fault(let fault): return End(position: position, fault: fault)
                case .complete(let head):
                    guard take(head, bytes, path) else { return End(position: position) }
                    position += head.length
                    if head.closes { return End(position: position) }
                    scanner = HeadScanner(limits: PathProperty.limits)
                }
            }
        }
        return End(position: position)
    }

    /// - Returns: false when the video is in the body.
    private mutating func take(
        _ head: RequestHead, _ bytes: borrowing Span<UInt8>, _ path: WritableKeyPath<PathProperty, Responder>
    ) -> Bool {
        guard answers else { return true }
        return self[keyPath: path].respond(to: head, bytes, from: PathProperty.client, closes: head.closes) == .answered
    }

    /// What a plain head has that the strict scanner reads otherwise.
    private static func fault(_ plain: RequestHead, _ stream: [UInt8], _ read: Range<Int>) -> String? {
        var scanner = HeadScanner(limits: limits)
        let outcome = scanner.scan(stream.span.extracting(read))
        guard case .complete(var strict) = outcome else { return "plain is \(plain), the strict scanner says \(outcome)" }
        for range in [\RequestHead.target, \.host, \.fields] {
            let place = strict[keyPath: range].range
            strict[keyPath: range] = HeadRange(place.lowerBound + read.lowerBound..<place.upperBound + read.lowerBound)
        }
        return plain == strict ? nil : "plain is \(plain), strict is \(strict)"
    }

    /// What is wrong with an answer as such: a redirect leads into the catalog, in one line of visible ASCII, and has no body.
    private static func fault(_ answer: ArraySlice<UInt8>) -> String? {
        guard answer.starts(with: "HTTP/1.1 301 ".utf8) else { return nil }
        let field = Array("\r\nLocation: ".utf8)
        let end = Array("\r\nContent-Length: 0\r\n\r\n".utf8)
        guard answer.suffix(end.count).elementsEqual(end) else { return "a redirect with a body: \(shown(Array(answer)))" }
        var start = answer.startIndex
        while start + field.count < answer.endIndex, answer[start] != field[0] || !answer[start...].starts(with: field) { start += 1 }
        let location = answer.dropFirst(start - answer.startIndex + field.count).dropLast(end.count)
        guard location.allSatisfy({ (0x21...0x7E).contains($0) }) else { return "a Location of other bytes: \(shown(Array(answer)))" }
        return bases.contains { location.starts(with: $0) } ? nil : "a Location outside the catalog: \(shown(Array(location)))"
    }

    /// Where the reads end: up to three cuts, which depend on nothing but the bytes, so that a finding can be repeated.
    static func ends(_ stream: [UInt8]) -> [Int] {
        var hash = PathProperty.hash(stream)
        var ends = [stream.count]
        for _ in 0..<hash % 4 {
            hash = (hash ^ (hash >> 29)) &* 0xbf58_476d_1ce4_e5b9
            ends.append(Int(hash >> 16) % (stream.count + 1))
        }
        return ends.sorted()
    }

    /// FNV-1a.
    static func hash(_ bytes: [UInt8]) -> UInt64 { bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } }
}
