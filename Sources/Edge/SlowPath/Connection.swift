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
    enum Event {
        /// It begins, with answers that the fast path has not sent.
        ///
        /// - Parameter closes: it ends with them.
        case opened(unsent: ByteBuffer, closes: Bool)
        case bytes(ByteBuffer)
        /// The client has said all it will.
        case inputEnded
        /// The client speaks without TLS where it is due.
        case withoutTLS
        /// The transport has taken so many bytes of what was sent; the connection is writable again when few are left.
        case sent(Int)
        /// The time that `resumeLater` asked for.
        case resumed
        /// Perhaps the deadline has come.
        case deadline
        /// What was fetched; nil when it could not be.
        ///
        /// - Parameter number: of the `fetch`. An answer that comes after its deadline is nobody's.
        case upstream(EdgePage?, number: Int)
        /// The node is stopping: the next answer is the last one.
        case drain
        /// Another connection needs the place.
        case makeRoom
        /// The transport has failed.
        case failed
        /// The transport is gone.
        case closed
    }

    enum Action: Equatable {
        /// Send both, in this order, and tell when they are taken (`sent`).
        case send(ByteBuffer, attachment: ByteBuffer?)
        case stopReading
        case startReading
        /// Come back (`resumed`) when others have had their turn.
        case resumeLater
        /// Ask an upstream for a request's target (`upstream`).
        case fetch([UInt8], number: Int)
        /// End this side; the client's is read on.
        case closeOutput
        case close
    }

    enum Phase: Equatable {
        /// Between the first byte of a head and its last, and before the first head.
        case head
        /// After an answer, before the next head's first byte.
        case idle
        case body
        /// The answer waits for an upstream; those before it are sent, and what follows waits unread.
        case upstream
        /// Everything is said; what still comes in is dropped.
        case lingering
        case closed
    }

    /// Bytes of answers that the client has not taken: above the first nothing more is answered, below the second it goes on.
    static let mostUnsent = 64 * 1024
    static let fewUnsent = 32 * 1024

    private let peer: ClientAddress
    private let limits: Limits
    private let bodies: BodyMemory
    private(set) var phase = Phase.head
    /// When `deadline` is due; it moves as the connection goes on.
    private(set) var deadline: NIODeadline
    private var scanner: HeadScanner
    /// Read, not answered.
    private(set) var input = ByteBuffer()
    private var body: RequestBody?
    private var pending: PendingUpstream?
    private var fetches = 0
    private var receivedWhileLingering = 0
    private var unsentBytes = 0
    private var inputHasEnded = false
    private var outputHasEnded = false
    private var isDraining: Bool
    /// The client does not take its answers: its requests wait.
    private var isPaused = false
    private var isReading = true
    /// Of the event that is being handled.
    private var now: NIODeadline
    private var actions: [Action] = []

    /// The answer to a request, until its body is here.
    fileprivate struct RequestBody {
        let head: RequestHead
        let fields: [UInt8]
        let client: ClientAddress
        var reader: BodyReader
        /// Bytes, framing included.
        var received = 0
        /// What is taken of the memory for bodies.
        var held = 0
    }

    /// The answer to a request, until the upstream has spoken.
    private struct PendingUpstream {
        let head: RequestHead
        let target: [UInt8]
        let fields: [UInt8]
        let client: ClientAddress
        let number: Int
    }

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

// MARK: - Heads

extension Connection {
    /// Answers every whole head in the input, in order, as long as the client takes the answers.
    private mutating func answer(_ responder: inout Responder) {
        guard !isPaused else { return }
        scanning: while phase == .head || phase == .idle, input.readableBytes > 0 {
            if responder.writer.attachment != nil { sendAnswers(&responder) }
            if unsentBytes > Connection.mostUnsent || responder.writer.bytes.count >= Limits.pendingAnswerBytes {
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

    private mutating func endAnswer(closes: Bool, _ responder: inout Responder) {
        if closes { return finish(&responder) }
        scanner = HeadScanner(limits: limits)
        becomeIdle()
    }

    private mutating func becomeIdle() {
        phase = .idle
        setDeadline(seconds: limits.idleSeconds)
    }

    /// A head's deadline is absolute from its first byte.
    private mutating func headHasBegun() {
        guard phase == .idle else { return }
        phase = .head
        setDeadline(seconds: limits.headSeconds)
    }

    private mutating func take(sent count: Int) {
        unsentBytes -= count
        if isPaused, unsentBytes < Connection.fewUnsent { actions.append(.resumeLater) }
        if phase == .lingering, unsentBytes == 0 { endOutput() }
    }

    /// The idle deadline has run on.
    private mutating func resume(_ responder: inout Responder) {
        guard isPaused, unsentBytes < Connection.fewUnsent else { return }
        isPaused = false
        answer(&responder)
    }

    private func copied(_ range: Range<Int>) -> [UInt8] {
        input.getBytes(at: input.readerIndex + range.lowerBound, length: range.count) ?? []
    }
}

// MARK: - Bodies

extension Connection {
    /// The connection closes after an answer to a body, so this is its last message.
    private mutating func beginBody(_ head: RequestHead, _ responder: inout Responder) {
        if case .length(let length) = head.body, length > limits.body { return refuse(.bodyTooLarge, &responder) }
        let client = responder.clientSource.client(of: head, input.readableBytesUInt8Span, peer: peer)
        body = RequestBody(head: head, fields: copied(head.fields), client: client, reader: BodyReader(head.body, limit: limits.body))
        phase = .body
        setDeadline(seconds: limits.bodySeconds)
        if head.expectsContinue { responder.writer.append("HTTP/1.1 100 Continue\r\n\r\n") }
        sendAnswers(&responder)
        input.moveReaderIndex(forwardBy: head.length)
        let first = input
        input = ByteBuffer()
        takeBody(first, &responder)
    }

    /// What follows the body belongs to no request: the connection ends with its answer.
    private mutating func takeBody(_ bytes: ByteBuffer, _ responder: inout Responder) {
        // Moved out and back: a copy would copy the content too.
        guard var body else { return }
        self.body = nil
        let outcome = body.take(bytes, limits, bodies)
        let (head, fields, client) = (body.head, body.fields, body.client)
        self.body = body
        switch outcome {
        case .incomplete: break
        case .fault(let fault): refuse(fault, &responder)
        case .complete:
            responder.respond(toBody: body.reader.content, of: head, fields: fields, from: client)
            finish(&responder)
        }
    }

    private mutating func endBody() {
        if let body { bodies.give(body.held) }
        body = nil
    }
}

extension Connection.RequestBody {
    fileprivate mutating func take(_ bytes: ByteBuffer, _ limits: Limits, _ bodies: BodyMemory) -> BodyReader.Outcome {
        var bytes = bytes
        if case .length(let length) = head.body {
            bytes = bytes.getSlice(at: bytes.readerIndex, length: min(bytes.readableBytes, length - received)) ?? bytes
        }
        received += bytes.readableBytes
        guard received <= limits.body else { return .fault(.bodyTooLarge) }
        guard bodies.take(bytes.readableBytes) else { return .fault(.bodiesTooLarge) }
        held += bytes.readableBytes
        return reader.take(bytes.readableBytesUInt8Span)
    }
}

// MARK: - Upstreams

extension Connection {
    private mutating func beginUpstream(_ head: RequestHead, _ responder: inout Responder) {
        fetches += 1
        let client = responder.clientSource.client(of: head, input.readableBytesUInt8Span, peer: peer)
        let target = copied(head.target)
        pending = PendingUpstream(head: head, target: target, fields: copied(head.fields), client: client, number: fetches)
        input.moveReaderIndex(forwardBy: head.length)
        phase = .upstream
        setDeadline(seconds: Limits.upstreamSeconds)
        sendAnswers(&responder)
        actions.append(.fetch(target, number: fetches))
    }

    private mutating func take(_ content: EdgePage?, _ responder: inout Responder) {
        guard let pending else { return }
        self.pending = nil
        let closes = pending.head.closes || isDraining
        responder.respond(
            toUpstream: content, of: pending.head, target: pending.target, fields: pending.fields, from: pending.client, closes: closes)
        endAnswer(closes: closes, &responder)
        answer(&responder)
    }
}

// MARK: - Deadlines and closing

extension Connection {
    private mutating func setDeadline(seconds: Int) { deadline = now + .seconds(Int64(seconds)) }

    private mutating func timeOut(_ responder: inout Responder) {
        switch phase {
        case .head where scanner.hasBegun: refuse(.headTimeout, &responder)
        case .body: refuse(.bodyTimeout, &responder)
        case .upstream: take(nil, &responder)
        case .head, .idle, .lingering, .closed: close()
        }
    }

    private mutating func refuse(_ fault: HTTPFault, _ responder: inout Responder) {
        responder.refuse(fault, method: body?.head.method ?? scanner.method, from: peer)
        finish(&responder)
    }

    /// Sends what is to be said, then shuts down writing, and drains what still comes before the close.
    private mutating func finish(_ responder: inout Responder) {
        endBody()
        phase = .lingering
        isPaused = false
        input = ByteBuffer()
        // A client that does not take its last answer either is cut.
        setDeadline(seconds: limits.headSeconds)
        sendAnswers(&responder)
        if unsentBytes == 0 { endOutput() }
    }

    private mutating func endOutput() {
        guard !outputHasEnded, !inputHasEnded else { return }
        outputHasEnded = true
        setDeadline(seconds: Limits.drainSeconds)
        actions.append(.closeOutput)
    }

    /// All that can be answered is answered, and the client has it.
    private var isDone: Bool { unsentBytes == 0 && !isPaused && phase != .upstream }

    private mutating func sendAnswers(_ responder: inout Responder) {
        guard !responder.writer.bytes.isEmpty else { return }
        let bytes = ByteBuffer(bytes: responder.writer.bytes)
        responder.writer.bytes.removeAll(keepingCapacity: true)
        send(bytes, attachment: responder.writer.attachment, &responder)
        responder.writer.attachment = nil
    }

    private mutating func send(_ bytes: ByteBuffer, attachment: ByteBuffer?, _ responder: inout Responder) {
        unsentBytes += bytes.readableBytes + (attachment?.readableBytes ?? 0)
        actions.append(.send(bytes, attachment: attachment))
    }

    private mutating func followReading() {
        let reads = !isPaused && phase != .upstream
        guard reads != isReading else { return }
        isReading = reads
        actions.append(reads ? .startReading : .stopReading)
    }

    private mutating func close() {
        end()
        actions.append(.close)
    }

    private mutating func end() {
        endBody()
        pending = nil
        phase = .closed
    }
}
