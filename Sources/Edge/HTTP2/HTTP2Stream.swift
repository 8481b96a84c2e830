import NIOCore
import Steering

/// A stream that is open longer than it takes to answer it.
struct HTTP2Stream {
    let number: UInt32
    /// Bytes that may be sent on it.
    var sendWindow: Int
    var state: State
    /// The client has not ended its side.
    var isRequestOpen: Bool
    /// When the client, or the upstream, has taken too long.
    var deadline: NIODeadline
    /// Bytes of a manifest that the client has not taken, of those of all connections.
    var held: (memory: BodyMemory, bytes: Int)?

    enum State {
        case body(Body)
        case upstream(Pending)
        /// The rest of an answer's body.
        case sending(ByteBuffer)
    }

    /// A request, until its body is here.
    struct Body {
        let head: RequestHead
        let fields: [UInt8]
        let client: ClientAddress
        /// What of it was received.
        var content: [UInt8] = []
        /// Bytes that the client may send.
        var windowLeft = HTTP2Connection.receiveWindow

        /// Nil when it was not said.
        var length: Int? { if case .length(let length) = head.body { length } else { nil } }
    }

    /// A request, until an upstream has spoken.
    struct Pending {
        let head: RequestHead
        /// What the head's ranges count in.
        let text: [UInt8]
        let client: ClientAddress
        /// Where the video stands in a body: `text` are the head's field lines then.
        var body: [UInt8]?
    }
}

extension HTTP2Connection {
    /// Whether an answer waits for room.
    var isSending: Bool { streams.contains { if case .sending = $0.state { true } else { false } } }

    func index(of stream: UInt32) -> Int? { streams.firstIndex { $0.number == stream } }

    /// Takes a stream out, and gives back what it held.
    func remove(at index: Int, _ turn: Turn) {
        if case .body(let body) = streams[index].state { turn.bodies?.give(body.content.count) }
        if let held = streams[index].held { held.memory.give(held.bytes) }
        noteClosed(streams[index].number)
        streams.remove(at: index)
    }

    /// Whether a client has not begun a stream yet; one of even number is the server's to begin, and none is (§5.1.1).
    func isIdle(_ stream: UInt32) -> Bool { stream > lastStream || stream % 2 == 0 }

    /// Whether a stream began after the last one that the final goodbye names: what comes of it is passed over (§6.8).
    func isBehindGoodbye(_ stream: UInt32) -> Bool { if let lastAnswered { stream > lastAnswered } else { false } }

    private static let maximumNoted = 32
    /// Of streams that a client may believe to be open: those that it may have, and those refused before it knew how many these are.
    private static let maximumResets = maximumStreams + fullAllowance / 4

    func noteClosed(_ stream: UInt32) { HTTP2Connection.note(stream, in: &closed, &closedNext, atMost: HTTP2Connection.maximumNoted) }

    private static func note(_ stream: UInt32, in ring: inout [UInt32], _ next: inout Int, atMost most: Int) {
        if ring.count < most {
            ring.append(stream)
        } else {
            ring[next % most] = stream
            next = (next + 1) % most
        }
    }

    /// Ends one stream.
    func reset(_ stream: UInt32, _ code: HTTP2Code, _ turn: Turn, _ responder: inout Responder) {
        if let index = index(of: stream) { remove(at: index, turn) } else { noteClosed(stream) }
        HTTP2Connection.note(stream, in: &resetHere, &resetNext, atMost: HTTP2Connection.maximumResets)
        responder.writer.bytes.appendFrame(.reset, stream: stream, length: 4)
        responder.writer.bytes.appendNumber(code.rawValue)
    }

    /// Ends one stream that a client has used wrongly.
    ///
    /// To have a request ended here costs the client as much as to end it itself: else it would ask for more than it may have open
    /// (CVE-2025-8671).
    ///
    /// - Parameter code: what the client is told; nil for that of the refusal.
    func refuse(
        _ stream: UInt32, _ refusal: HTTP2Refusal, as code: HTTP2Code? = nil, _ turn: Turn, _ responder: inout Responder
    ) throws(HTTP2Refusal) {
        responder.counters.http2.count(refusal)
        let wasOpen = index(of: stream) != nil
        reset(stream, code ?? refusal.code, turn, &responder)
        try spend(wasOpen ? HTTP2Connection.costOfReset : 4, on: .errorFlood)
    }

    /// Ends a stream, unless it is over: nothing may be said on it then (§5.1).
    func refuseOpen(
        _ stream: UInt32, _ refusal: HTTP2Refusal, as code: HTTP2Code? = nil, _ turn: Turn, _ responder: inout Responder
    ) throws(HTTP2Refusal) {
        if index(of: stream) != nil { try refuse(stream, refusal, as: code, turn, &responder) }
    }
}
