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

    private static let maximumNoted = 32

    func noteClosed(_ stream: UInt32) { HTTP2Connection.note(stream, in: &closed, &closedNext) }

    private static func note(_ stream: UInt32, in ring: inout [UInt32], _ next: inout Int) {
        if ring.count < maximumNoted {
            ring.append(stream)
        } else {
            ring[next % maximumNoted] = stream
            next += 1
        }
    }

    /// Ends one stream.
    func reset(_ stream: UInt32, _ code: HTTP2Code, _ turn: Turn, _ responder: inout Responder) {
        if let index = index(of: stream) { remove(at: index, turn) } else { noteClosed(stream) }
        if resetHere.count >= HTTP2Connection.maximumNoted { resetHere.removeFirst() }
        resetHere.append(stream)
        responder.writer.bytes.appendFrame(.reset, stream: stream, length: 4)
        responder.writer.bytes.appendNumber(code.rawValue)
    }

    /// Ends one stream that a client has used wrongly.
    func refuse(
        _ stream: UInt32, _ refusal: HTTP2Refusal, _ turn: Turn, _ responder: inout Responder
    ) throws(HTTP2Refusal) {
        responder.counters.http2.count(refusal)
        reset(stream, refusal.code, turn, &responder)
        try spend(4, on: .errorFlood)
    }
}
