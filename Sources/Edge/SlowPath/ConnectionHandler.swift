import NIOCore
import Steering

/// One client connection on the slow path: heads and bodies strictly read, absolute deadlines, bounded memory,
/// and a close that does not reset the answer away.
///
/// It prevents: slow heads and bodies (deadlines do not move when bytes drip in), clients that send without reading (reading stops
/// while answers wait), request smuggling (after a body or a fault nothing more is read as a request), and lost error answers (unread
/// input is drained before the close, RFC 9112 §9.6).
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase: Equatable {
        /// Between the first byte of a head and its last, and before the first head.
        case head
        /// After an answer, before the next head's first byte.
        case idle
        /// Within a body.
        case body
        /// Everything is said; what still comes in is dropped.
        case draining
        case closed
    }

    private let worker: Worker
    private let peer: ClientAddress
    private var phase = Phase.head { didSet { phaseChanged(from: oldValue) } }
    private var scanner: HeadScanner
    private var input: ByteBuffer
    private var firstOutput: ByteBuffer
    private let closesAfterFirstOutput: Bool
    private var body = BodyReader(.none, limit: 0)
    private var headInBody = RequestHead()
    private var clientInBody = ClientAddress.unknown
    private var fieldsInBody: [UInt8] = []
    private var receivedInPhase = 0
    /// What is taken of the memory for bodies.
    private var bodyBytesHeld = 0
    private var inputEnded = false
    private var writesInFlight = 0
    private var isAnswering = false
    /// The client does not take its answers; reading has stopped.
    private var isPaused = false
    private(set) var deadline = NIODeadline.distantFuture
    private var timer: Scheduled<Void>?
    private var timerAt = NIODeadline.distantFuture
    private var context: ChannelHandlerContext?

    /// - Parameter handOver: what the fast path has read and not yet sent.
    init(worker: Worker, of peer: ClientAddress, _ handOver: HandOver.Content) {
        self.worker = worker
        self.peer = peer
        scanner = HeadScanner(limits: worker.limits)
        input = handOver.input
        firstOutput = handOver.output
        closesAfterFirstOutput = handOver.closes
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        worker.responder.counters.connectionsOpen += 1
        setDeadline(seconds: worker.limits.headSeconds, context)
        if firstOutput.readableBytes > 0 {
            worker.responder.writer.bytes += firstOutput.readableBytesView
            firstOutput = ByteBuffer()
            if input.readableBytes == 0 {
                phase = .idle
                setDeadline(seconds: worker.limits.idleSeconds, context)
            }
        }
        if closesAfterFirstOutput { finish(context) } else { answer(context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        worker.responder.counters.connectionsOpen -= 1
        phase = .closed
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        worker.responder.counters.bytesReceived &+= UInt64(bytes.readableBytes)
        switch phase {
        case .head, .idle:
            if input.readableBytes == 0 {
                input = bytes
            } else {
                // Else what has been answered would stay in memory for as long as half a head follows it.
                input.discardReadBytes()
                input.writeImmutableBuffer(bytes)
            }
            answer(context)
        case .body: takeBody(bytes, context)
        case .draining:
            receivedInPhase += bytes.readableBytes
            if receivedInPhase > Limits.drainBytes { close(context) }
        case .closed: break
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed? = event as? ChannelEvent else { return context.fireUserInboundEventTriggered(event) }
        inputEnded = true
        closeIfInputEnded(context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isPaused, context.channel.isWritable { resume(context) }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close(context)
    }

    private func phaseChanged(from last: Phase) {
        guard phase != last else { return }
        if phase == .idle { worker.isIdle(self) }
        if last == .idle { worker.isBusy(self) }
        if last == .body {
            worker.bodies.give(bodyBytesHeld)
            bodyBytesHeld = 0
            body = BodyReader(.none, limit: 0)
        }
    }

    /// Makes room for another connection.
    func endIdle() { if phase == .idle, let context { close(context) } }
}

// MARK: - Heads

extension ConnectionHandler {
    /// Answers every whole head in the input, in order, as long as the client takes the answers.
    private func answer(_ context: ChannelHandlerContext) {
        guard !isAnswering, !isPaused else { return }
        isAnswering = true
        scanning: while phase == .head || phase == .idle {
            if worker.responder.writer.attachment != nil { sendAnswers(context) }
            if !context.channel.isWritable || worker.responder.writer.bytes.count >= Limits.pendingAnswerBytes {
                isPaused = true
                break
            }
            guard input.readableBytes > 0 else { break }
            switch scanner.scan(input.readableBytesUInt8Span) {
            case .incomplete:
                headHasBegun(context)
                break scanning
            case .fault(let fault): refuse(fault, context)
            case .complete(let head): answer(head, context)
            }
        }
        isAnswering = false
        guard phase == .head || phase == .idle else { return }
        sendAnswers(context)
        if isPaused { pause(context) } else { closeIfInputEnded(context) }
    }

    private func answer(_ head: RequestHead, _ context: ChannelHandlerContext) {
        let closes = head.closes || worker.closesConnections
        switch worker.responder.respond(to: head, input.readableBytesUInt8Span, from: peer, closes: closes) {
        case .needsBody: return beginBody(head, context)
        case .answered, .needsUpstream, .needsSlowPath: break
        }
        input.moveReaderIndex(forwardBy: head.length)
        scanner = HeadScanner(limits: worker.limits)
        guard closes else {
            phase = .idle
            return setDeadline(seconds: worker.limits.idleSeconds, context)
        }
        finish(context)
    }

    /// A head's deadline is absolute from its first byte.
    private func headHasBegun(_ context: ChannelHandlerContext) {
        guard phase == .idle else { return }
        phase = .head
        setDeadline(seconds: worker.limits.headSeconds, context)
    }

    /// Answers wait for the client: its requests wait too. The idle deadline runs on.
    private func pause(_ context: ChannelHandlerContext) {
        context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
        guard context.channel.isWritable else { return }
        context.eventLoop.assumeIsolated().execute { [self] in if isPaused, context.channel.isWritable { resume(context) } }
    }

    private func resume(_ context: ChannelHandlerContext) {
        guard !isAnswering else { return }
        isPaused = false
        context.channel.setOption(.autoRead, value: true).whenFailure { _ in }
        answer(context)
    }
}

// MARK: - Bodies

extension ConnectionHandler {
    /// The connection closes after an answer to a body, so this is its last message.
    private func beginBody(_ head: RequestHead, _ context: ChannelHandlerContext) {
        if case .length(let length) = head.body, length > worker.limits.body { return refuse(.bodyTooLarge, context) }
        phase = .body
        body = BodyReader(head.body, limit: worker.limits.body)
        headInBody = head
        fieldsInBody = input.getBytes(at: input.readerIndex + head.fields.lowerBound, length: head.fields.count) ?? []
        clientInBody = worker.responder.clientSource.client(of: head, input.readableBytesUInt8Span, peer: peer)
        receivedInPhase = 0
        setDeadline(seconds: worker.limits.bodySeconds, context)
        if head.expectsContinue { worker.responder.writer.append("HTTP/1.1 100 Continue\r\n\r\n") }
        sendAnswers(context)
        input.moveReaderIndex(forwardBy: head.length)
        takeBody(input, context)
        input.clear()
    }

    /// What follows the body belongs to no request: the connection ends with its answer.
    private func takeBody(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        var bytes = bytes
        if case .length(let length) = headInBody.body {
            bytes = bytes.getSlice(at: bytes.readerIndex, length: min(bytes.readableBytes, length - receivedInPhase)) ?? bytes
        }
        receivedInPhase += bytes.readableBytes
        guard receivedInPhase <= worker.limits.body else { return refuse(.bodyTooLarge, context) }
        guard worker.bodies.take(bytes.readableBytes) else { return refuse(.bodiesTooLarge, context) }
        bodyBytesHeld += bytes.readableBytes
        switch body.take(bytes.readableBytesUInt8Span) {
        case .incomplete: break
        case .fault(let fault): refuse(fault, context)
        case .complete:
            worker.responder.respond(toBody: body.content, of: headInBody, fields: fieldsInBody, from: clientInBody)
            finish(context)
        }
    }
}

// MARK: - Deadlines and closing

extension ConnectionHandler {
    private func setDeadline(seconds: Int, _ context: ChannelHandlerContext) {
        deadline = context.eventLoop.now + .seconds(Int64(seconds))
        guard deadline < timerAt else { return }
        timer?.cancel()
        schedule(context)
    }

    /// One timer a connection; a deadline that moved away is looked at again when the timer fires, not before.
    private func schedule(_ context: ChannelHandlerContext) {
        timerAt = deadline
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in self?.timerFired(context) }
    }

    private func timerFired(_ context: ChannelHandlerContext) {
        timerAt = .distantFuture
        guard phase != .closed else { return }
        guard context.eventLoop.now >= deadline else { return schedule(context) }
        switch phase {
        case .head where scanner.hasBegun: refuse(.headTimeout, context)
        case .body: refuse(.bodyTimeout, context)
        case .head, .idle, .draining, .closed: close(context)
        }
    }

    private func refuse(_ fault: HTTPFault, _ context: ChannelHandlerContext) {
        worker.responder.refuse(fault, method: phase == .body ? headInBody.method : scanner.method, from: peer)
        finish(context)
    }

    /// Sends what is to be said, shuts down writing, and drains what still comes before the close.
    private func finish(_ context: ChannelHandlerContext) {
        phase = .draining
        receivedInPhase = 0
        input.clear()
        // A client that does not take its last answer either is cut.
        deadline = .distantFuture
        setDeadline(seconds: worker.limits.headSeconds, context)
        if isPaused {
            isPaused = false
            context.channel.setOption(.autoRead, value: true).whenFailure { _ in }
        }
        sendAnswers(context) { [self] in
            guard phase == .draining, !inputEnded else { return close(context) }
            setDeadline(seconds: Limits.drainSeconds, context)
            context.close(mode: .output, promise: nil)
        }
    }

    private func sendAnswers(_ context: ChannelHandlerContext, then done: (() -> Void)? = nil) {
        guard !worker.responder.writer.bytes.isEmpty else {
            done?()
            return
        }
        let buffer = context.channel.allocator.buffer(bytes: worker.responder.writer.bytes)
        worker.responder.writer.bytes.removeAll(keepingCapacity: true)
        let count = buffer.readableBytes + (worker.responder.writer.attachment?.readableBytes ?? 0)
        worker.responder.counters.bytesSent &+= UInt64(count)
        writesInFlight += 1
        let written: EventLoopFuture<Void>
        if let attachment = worker.responder.writer.attachment {
            worker.responder.writer.attachment = nil
            context.write(wrapOutboundOut(buffer), promise: nil)
            written = context.writeAndFlush(wrapOutboundOut(attachment))
        } else {
            written = context.writeAndFlush(wrapOutboundOut(buffer))
        }
        written.assumeIsolated().whenComplete { [self] result in
            writesInFlight -= 1
            guard case .success = result else { return close(context) }
            done?()
            closeIfInputEnded(context)
        }
    }

    /// The client has said all it will, and has all its answers.
    private func closeIfInputEnded(_ context: ChannelHandlerContext) {
        if inputEnded, writesInFlight == 0, !isPaused, !isAnswering { close(context) }
    }

    private func close(_ context: ChannelHandlerContext) {
        guard phase != .closed else { return }
        phase = .closed
        timer?.cancel()
        context.close(promise: nil)
    }
}
