import NIOCore
import Steering

/// One client connection on the slow path as a value: events in, actions out, the time is an argument. `ConnectionHandler` carries the
/// actions out.
///
/// Heads and bodies are strictly read, deadlines are absolute, memory is bounded, and a close does not reset the answer away. It prevents:
/// slow heads and bodies (deadlines do not move when bytes drip in), clients that send without reading (reading stops while answers wait),
/// request smuggling (after a body or a fault nothing more is read as a request), and lost error answers (unread input is drained before
/// the close, RFC 9112 §9.6).
struct Connection {
    /// Bytes of answers that the client has not taken: above the first nothing more is answered, below the second it goes on.
    static let maximumUnsent = 64 * 1024
    static let resumesBelow = 32 * 1024

    let peer: ClientAddress
    let limits: Limits
    let bodies: BodyMemory
    var phase = Phase.head
    /// When `deadline` is due; it moves as the connection goes on.
    var deadline: NIODeadline
    var scanner: HeadScanner
    /// Read, not answered.
    var input = ByteBuffer()
    var body: RequestBody?
    var pending: PendingUpstream?
    var fetches = 0
    /// Of manifests that the client has not taken yet.
    var held: (memory: BodyMemory, bytes: Int)?
    var receivedWhileLingering = 0
    var unsentBytes = 0
    var inputHasEnded = false
    var outputHasEnded = false
    var isDraining: Bool
    /// The client does not take its answers: its requests wait.
    var isPaused = false
    var isReading = true
    /// Of the event that is being handled.
    var now: NIODeadline
    var actions: [Action] = []

    /// - Parameters:
    ///   - bodies: shared by all connections.
    ///   - isDraining: the node is stopping already.
    init(of peer: ClientAddress, limits: Limits, bodies: BodyMemory, isDraining: Bool = false, at now: NIODeadline) {
        self.peer = peer
        self.limits = limits
        self.bodies = bodies
        self.isDraining = isDraining
        self.now = now
        scanner = HeadScanner(limits: limits)
        deadline = now + .seconds(Int64(limits.headSeconds))
    }

    /// - Parameter responder: answers, and counts what it answers.
    /// - Returns: what is to be done, in this order.
    mutating func handle(_ event: Event, at now: NIODeadline, by responder: inout Responder) -> [Action] {
        guard phase != .closed else { return [] }
        self.now = now
        take(event, &responder)
        if phase != .closed {
            if inputHasEnded, isDone { close() }
            followReading()
        }
        defer { actions = [] }
        return actions
    }

    private mutating func take(_ event: Event, _ responder: inout Responder) {
        switch event {
        case .opened(let unsent, let closes): open(unsent, closes, &responder)
        case .bytes(let bytes): take(bytes, &responder)
        case .inputEnded: inputHasEnded = true
        case .withoutTLS: refuse(.withoutTLS, &responder)
        case .sent(let count): take(sent: count)
        case .resumed: resume(&responder)
        case .deadline: if now >= deadline { timeOut(&responder) }
        case .upstream(let content, let number): if pending?.number == number { take(content, &responder) }
        case .drain: isDraining = true
        case .makeRoom: if phase == .idle { close() }
        case .failed: close()
        case .closed: end()
        }
    }

    private mutating func open(_ unsent: ByteBuffer, _ closes: Bool, _ responder: inout Responder) {
        if unsent.readableBytes > 0 {
            send(unsent, attachment: nil, &responder)
            becomeIdle()
        }
        if closes { finish(&responder) }
    }

    private mutating func take(_ bytes: ByteBuffer, _ responder: inout Responder) {
        switch phase {
        case .head, .idle, .upstream:
            if input.readableBytes == 0 {
                input = bytes
            } else {
                // Else what has been answered would stay in memory for as long as half a head follows it.
                input.discardReadBytes()
                input.writeImmutableBuffer(bytes)
            }
            answer(&responder)
        case .body: takeBody(bytes, &responder)
        case .lingering:
            receivedWhileLingering += bytes.readableBytes
            if receivedWhileLingering > Limits.drainBytes { close() }
        case .closed: break
        }
    }
}

/// Requests, one after the other.
extension Connection {
    /// Answers every whole head in the input, in order, as long as the client takes the answers.
    mutating func answer(_ responder: inout Responder) {
        guard !isPaused else { return }
        scanning: while phase == .head || phase == .idle, input.readableBytes > 0 {
            if responder.writer.attachment != nil { sendAnswers(&responder) }
            if unsentBytes > Connection.maximumUnsent || responder.writer.bytes.count >= Limits.pendingAnswerBytes {
                isPaused = true
                break
            }
            let bytes = input
            switch scanner.scan(bytes.readableBytesUInt8Span) {
            case .incomplete:
                headHasBegun()
                break scanning
            case .fault(let fault): refuse(fault, &responder)
            case .complete(let head): answer(head, &responder)
            }
        }
        sendAnswers(&responder)
    }

    private mutating func answer(_ head: RequestHead, _ responder: inout Responder) {
        let closes = head.closes || isDraining
        switch responder.respond(to: head, input.readableBytesUInt8Span, from: peer, closes: closes) {
        case .needsBody: beginBody(head, &responder)
        case .needsUpstream: beginUpstream(head, &responder)
        case .answered, .needsSlowPath:
            input.moveReaderIndex(forwardBy: head.length)
            endAnswer(closes: closes, &responder)
        }
    }

    mutating func endAnswer(closes: Bool, _ responder: inout Responder) {
        holdManifest(of: &responder)
        if closes { return finish(&responder) }
        scanner = HeadScanner(limits: limits)
        becomeIdle()
    }

    mutating func becomeIdle() {
        phase = .idle
        setDeadline(seconds: limits.idleSeconds)
    }

    /// A head's deadline is absolute from its first byte.
    private mutating func headHasBegun() {
        guard phase == .idle else { return }
        phase = .head
        setDeadline(seconds: limits.headSeconds)
    }

    func copied(_ part: HeadRange) -> [UInt8] {
        input.getBytes(at: input.readerIndex + part.range.lowerBound, length: part.range.count) ?? []
    }
}
