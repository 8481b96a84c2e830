import NIOCore
import Steering

@testable import Edge

/// A connection of HTTP/2 and what is around it, as its owners treat it: reading waits while answers are not taken, the fast path gives it
/// away when it is told to, deadlines fire when they are due.
final class HTTP2Talk {
    static let hello = HTTP2Frame.preface + frame(4, 0, [])

    let connection: HTTP2Connection
    private var responder: Responder
    private let bodies: BodyMemory
    private var workspace = HTTP2Workspace()
    private var isFast: Bool
    private var now = NIODeadline.uptimeNanoseconds(0)
    private var second = 1000
    /// Bytes that may be written at once.
    var room: Int
    /// Everything that was said to the client.
    private(set) var wire: [UInt8] = []
    private(set) var fault: String?
    private var client = HTTP2Sent()
    private var reader = HTTP2Reader()
    private var pending: [UInt8] = []
    private var fetches: [UInt32] = []
    private var highest: UInt32 = 0

    init(_ responder: Responder, room: Int, isFast: Bool) {
        self.responder = responder
        self.room = room
        self.isFast = isFast
        var limits = Limits()
        // Small, so that short inputs reach them.
        (limits.head, limits.target, limits.body) = (2_000, 400, 2_000)
        bodies = BodyMemory(body: limits.body)
        connection = HTTP2Connection(of: ClientAddress(ipv4: 0xC000_0201), limits: limits)
        if !isFast { connection.beginDeadlines(turn) }
    }

    private var turn: HTTP2Connection.Turn { .init(second: second, now: now, bodies: isFast ? nil : bodies, maximumOutput: room) }

    // MARK: What the client does

    static func frame(_ kind: UInt8, _ flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0, UInt8(payload.count >> 8), UInt8(payload.count & 255), kind, flags]
        bytes.appendNumber(stream)
        return bytes + payload
    }

    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { name, value in [0x40] + string(name) + string(value) }
    }

    private static func string(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }

    func nextStream() -> UInt32 {
        highest += highest == 0 ? 1 : 2
        return highest
    }

    func sayHeaders(_ fields: [(String, String)], next: Bool, _ stream: UInt32, flags: UInt8) {
        let number = next ? nextStream() : stream
        var payload = HTTP2Talk.block(fields)
        if flags & 0x20 != 0 { payload = [0, 0, 0, 0, 7] + payload }
        if flags & 8 != 0 { payload = [2] + payload + [0, 0] }
        say(HTTP2Talk.frame(1, flags, stream: number, payload))
    }

    func say(_ bytes: [UInt8]) { pending += bytes }

    /// Gives the connection what was said, in reads of so many bytes.
    func deliver(piece: Int) {
        while !pending.isEmpty, fault == nil {
            if isFast, connection.needsSlowPath { moveToSlowPath() }
            if connection.isPaused, !connection.isOver {
                // Nothing is read meanwhile.
                resume()
                continue
            }
            let read = Array(pending.prefix(min(piece, HTTP2Frame.maximumPayload)))
            pending.removeFirst(read.count)
            client.take(read)
            let wasOver = connection.isOver
            connection.receive(read.span, turn, by: &responder, in: &workspace)
            if wasOver, !responder.writer.bytes.isEmpty { fault = "it goes on after its end" }
            collect()
        }
        if isFast, connection.needsSlowPath { moveToSlowPath() }
    }

    // MARK: What its owners do

    private func moveToSlowPath() {
        isFast = false
        connection.beginDeadlines(turn)
        resume()
    }

    func resume() {
        if isFast { return moveToSlowPath() }
        connection.resume(turn, by: &responder, in: &workspace)
        collect()
    }

    func drain() {
        if isFast { moveToSlowPath() }
        connection.drain(turn, by: &responder)
        collect()
    }

    func give(succeeds: Bool) {
        guard !fetches.isEmpty else { return }
        let page = EdgePage(path: "", type: "text/plain", body: ByteBuffer(string: "far"), policy: nil)
        connection.take(succeeds ? .page(page) : nil, for: fetches.removeFirst(), turn, by: &responder, in: &workspace)
        collect()
    }

    func advance(seconds: Int) {
        second += seconds
        now = now + .seconds(Int64(seconds))
        if !isFast, now >= connection.deadline { connection.timeOut(turn, by: &responder, in: &workspace) }
        collect()
    }

    private func collect() {
        let bytes = responder.writer.bytes
        responder.writer.bytes.removeAll()
        fetches += connection.fetches.map(\.stream)
        connection.fetches = []
        wire += bytes
        // What one frame of the client's can cause behind the limit: an answer's head, a frame of a body, a goodbye.
        if room != .max, bytes.count > room + 32 * 1024 { fault = "it writes \(bytes.count) bytes with room for \(room)" }
        fault = fault ?? reader.fault(in: bytes, to: client) ?? faultOfMemory()
    }

    private func faultOfMemory() -> String? {
        if connection.streams.count > HTTP2Connection.maximumStreams { return "\(connection.streams.count) streams" }
        if connection.closed.count > 32 || connection.resetHere.count > 350 { return "it remembers too many streams" }
        // A read, and a frame that is not whole.
        if connection.input.count > 2 * (HTTP2Frame.maximumPayload + HTTP2Frame.headerBytes) + 4096 {
            return "\(connection.input.count) bytes wait"
        }
        let most = connection.limits.head + connection.limits.target + HTTP2Frame.maximumPayload
        return connection.block.count > most ? "a header block of \(connection.block.count) bytes" : nil
    }

    // MARK: The end

    /// Lets everything end by itself. What is wrong, from the beginning on; nil when nothing is.
    func finish() -> String? {
        if isFast { moveToSlowPath() }
        room = 64 * 1024
        for _ in 0..<1000 where fault == nil && connection.isPaused && !connection.isOver { resume() }
        // A stream waits for its request or an upstream, then for its client; a connection for the rest of a frame, a last goodbye and a request.
        let deadlines = 2 * connection.streams.count + 3
        for _ in 0..<deadlines where fault == nil && !connection.isOver {
            if connection.deadline == .distantFuture { return "no deadline for \(connection.streams)" }
            now = max(now, connection.deadline)
            connection.timeOut(turn, by: &responder, in: &workspace)
            collect()
            for _ in 0..<1000 where fault == nil && connection.isPaused && !connection.isOver { resume() }
        }
        if let fault { return fault }
        if !connection.isOver { return "it does not end" }
        connection.close(turn)
        if !bodies.take(bodies.limit) { return "memory of bodies is not given back" }
        // Who leaves a frame half said is cut with all that it waits for.
        return responder.counters.http2.refused(.headTimeout) > 0 ? nil : reader.faultAtEnd(client)
    }
}
