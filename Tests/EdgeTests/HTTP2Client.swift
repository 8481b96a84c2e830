import NIOCore
import Steering
import Testing

@testable import Edge

/// Frames of HTTP/2 as a client writes and reads them: by hand, so that none is too wrong to be sent, and that nothing is read by the code
/// that has written it.
enum HTTP2Client {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// What most connections begin with.
    static let hello = preface + frame(4)

    static func frame(_ kind: UInt8, _ flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        let length = payload.count
        return [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), kind, flags] + number(stream) + payload
    }

    static func number(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(number >> UInt32(24 - 8 * $0) & 255) } }

    static func setting(_ name: UInt16, _ value: UInt32) -> [UInt8] { [UInt8(name >> 8), UInt8(name & 255)] + number(value) }

    /// A header block of fields that are written out.
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { name, value in [0x00] + string(name) + string(value) }
    }

    private static func string(_ text: String) -> [UInt8] {
        let bytes = [UInt8](latin1: text)
        if bytes.count < 127 { return [UInt8(bytes.count)] + bytes }
        var rest = bytes.count - 127
        var length: [UInt8] = [127]
        while rest >= 128 {
            length.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return length + [UInt8(rest)] + bytes
    }

    /// The pseudo-header fields of a request.
    static func request(_ path: String, method: String = "GET", authority: String? = "b", scheme: String = "https") -> [(String, String)] {
        [(":method", method), (":scheme", scheme), (":path", path)] + (authority.map { [(":authority", $0)] } ?? [])
    }

    /// A header block in as many frames as it needs.
    static func headers(_ flags: UInt8, stream: UInt32, _ block: [UInt8]) -> [UInt8] {
        if block.count <= 16_384 { return frame(1, flags | 4, stream: stream, block) }
        return frame(1, flags, stream: stream, Array(block.prefix(16_384))) + frame(9, 4, stream: stream, Array(block.dropFirst(16_384)))
    }

    /// HEADERS of a request without a body.
    static func get(_ path: String, stream: UInt32, _ fields: [(String, String)] = []) -> [UInt8] {
        frame(1, 5, stream: stream, block(request(path) + fields))
    }

    /// One frame that was received.
    struct Frame: Equatable, CustomStringConvertible {
        let kind: UInt8
        let flags: UInt8
        let stream: UInt32
        let payload: [UInt8]

        var code: UInt32 { payload.suffix(4).reduce(0) { $0 << 8 | UInt32($1) } }
        var endsStream: Bool { (kind == 0 || kind == 1) && flags & 1 == 1 }
        var description: String { "\(kind)/\(flags) on \(stream): \(shown(payload))" }
    }

    /// All frames in `bytes`, which must hold nothing else.
    static func frames(in bytes: [UInt8]) throws -> [Frame] {
        var rest = bytes[...]
        var frames: [Frame] = []
        while !rest.isEmpty {
            let head = Array(rest.prefix(9))
            try #require(head.count == 9, "half a frame")
            let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            try #require(length <= 16_384 && rest.count >= 9 + length, "a frame of \(length) bytes")
            let stream = head[5...].reduce(0) { $0 << 8 | UInt32($1) }
            frames.append(Frame(kind: head[3], flags: head[4], stream: stream, payload: Array(rest.dropFirst(9).prefix(length))))
            rest = rest.dropFirst(9 + length)
        }
        return frames
    }

    /// An answer: what stands in the frames of its stream.
    struct Answer {
        var fields: [(name: String, value: String)] = []
        var body: [UInt8] = []
        var isWhole = false

        var status: Int { Int(self[":status"] ?? "") ?? 0 }
        subscript(name: String) -> String? { fields.first { $0.name == name }?.value }
    }

    /// The answers in `frames` by stream.
    static func answers(in frames: [Frame]) throws -> [UInt32: Answer] {
        var answers: [UInt32: Answer] = [:]
        var blocks: [UInt32: [UInt8]] = [:]
        for frame in frames where [0, 1, 9].contains(frame.kind) {
            var answer = answers[frame.stream] ?? Answer()
            #expect(!answer.isWhole || frame.kind == 9, "frames behind the end of stream \(frame.stream)")
            if frame.kind == 0 { answer.body += frame.payload } else { blocks[frame.stream, default: []] += frame.payload }
            if frame.kind != 0, frame.flags & 4 == 4 { answer.fields = try fields(in: blocks.removeValue(forKey: frame.stream) ?? []) }
            if frame.endsStream { answer.isWhole = true }
            answers[frame.stream] = answer
        }
        return answers
    }

    /// The fields of a block that uses the standard's table alone.
    static func fields(in block: [UInt8]) throws -> [(name: String, value: String)] {
        var rest = block[...]
        var fields: [(name: String, value: String)] = []
        while let first = rest.popFirst() {
            switch first {
            case 0x20: #expect(fields.isEmpty, "a table's size behind a field")
            case 0x88...0x8E: fields.append((":status", ["200", "204", "206", "304", "400", "404", "500"][Int(first) - 0x88]))
            case 0x00: fields.append((try string(&rest), try string(&rest)))
            case 0x01...0x0F:
                var number = Int(first)
                if first == 0x0F { number += try next(&rest) }
                fields.append((try #require(names[number], "field \(number)"), try string(&rest)))
            default: throw Edge.HTTP2Refusal.compression
            }
        }
        return fields
    }

    private static let names = [
        8: ":status", 20: "access-control-allow-origin", 22: "allow", 24: "cache-control", 28: "content-length", 31: "content-type",
        33: "date", 45: "link", 46: "location", 53: "retry-after", 59: "vary",
    ]

    private static func next(_ rest: inout ArraySlice<UInt8>) throws -> Int {
        let byte = rest.popFirst()
        return Int(try #require(byte))
    }

    private static func string(_ rest: inout ArraySlice<UInt8>) throws -> String {
        var length = try next(&rest)
        if length == 127 {
            var shift = 0
            while true {
                let byte = try next(&rest)
                length += (byte & 127) << shift
                shift += 7
                if byte < 128 { break }
            }
        }
        try #require(length <= rest.count)
        defer { rest = rest.dropFirst(length) }
        return rest.prefix(length).latin1
    }
}

/// A connection of HTTP/2 without a socket, and its client.
final class HTTP2Rig {
    let connection: HTTP2Connection
    var responder: Responder
    let bodies: BodyMemory
    private var workspace = HTTP2Workspace()
    var isFast = false
    var now = NIODeadline.uptimeNanoseconds(0)
    var second = 1000
    /// Bytes that the connection may write at once.
    var room = 64 * 1024
    /// What came on the wire since the last look.
    var wire: [UInt8] = []

    /// - Parameter says: what the client begins with.
    init(
        _ setup: Setup = Setup(), limits: Limits = Limits(), pages: [EdgePage] = [], router: Router? = nil, signing: SigningQueue? = nil,
        says: [UInt8] = HTTP2Client.hello
    ) throws {
        let table = try setup.table()
        responder = Responder(
            table: table, sequences: SequenceBook().set(for: table), pages: pages, router: router, signing: signing,
            clock: { 784_111_777 })
        bodies = BodyMemory(body: limits.body)
        connection = HTTP2Connection(of: ClientAddress(ipv4: 0xC000_0201), limits: limits)
        connection.beginDeadlines(turn)
        if !says.isEmpty { send(says) }
    }

    var turn: HTTP2Connection.Turn { .init(second: second, now: now, bodies: isFast ? nil : bodies, maximumOutput: room) }

    func send(_ bytes: [UInt8]) {
        connection.receive(bytes.span, turn, by: &responder, in: &workspace)
        take()
    }

    /// Another thread has it, or its answers were taken.
    func resume() {
        connection.resume(turn, by: &responder, in: &workspace)
        take()
    }

    func advance(seconds: Int) {
        now = now + .seconds(Int64(seconds))
        if now >= connection.deadline { connection.timeOut(turn, by: &responder, in: &workspace) }
        take()
    }

    func drain() {
        connection.drain(turn, by: &responder)
        take()
    }

    func give(_ content: UpstreamContent?, for stream: UInt32) {
        connection.take(content, for: stream, turn, by: &responder, in: &workspace)
        take()
    }

    private func take() {
        wire += responder.writer.bytes
        responder.writer.bytes.removeAll()
    }

    /// Frames since the last look.
    func frames() throws -> [HTTP2Client.Frame] {
        defer { wire = [] }
        return try HTTP2Client.frames(in: wire)
    }

    func answers() throws -> [UInt32: HTTP2Client.Answer] { try HTTP2Client.answers(in: frames()) }

    /// The answer to one request.
    func ask(_ fields: [(String, String)], body: String? = nil, stream: UInt32) throws -> HTTP2Client.Answer {
        wire = []
        send(HTTP2Client.headers(body == nil ? 1 : 0, stream: stream, HTTP2Client.block(fields)))
        if let body { send(HTTP2Client.frame(0, 1, stream: stream, [UInt8](latin1: body))) }
        return try #require(try answers()[stream], "no answer")
    }

    /// What the goodbye says; nil when there is none, or the connection goes on.
    func goodbye() throws -> UInt32? {
        let last = try frames().last { $0.kind == 7 }
        return connection.isOver ? last?.code : nil
    }

    /// What a stream was ended with.
    func resetCode(_ stream: UInt32) throws -> UInt32? { try frames().first { $0.kind == 3 && $0.stream == stream }?.code }

    func refused(_ refusal: HTTP2Refusal) -> UInt64 { responder.counters.http2.refused(refusal) }
}
