import NIOCore
import Steering
import TLS

/// Carries HTTP/2 on the slow path: NIO's events go into an `HTTP2Connection`, what it writes comes out. At the end of the pipeline.
final class HTTP2Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let slowLoop: SlowLoop
    private let http2: HTTP2Connection
    private let unsent: ByteBuffer
    private let session: TLSSession?
    private var context: ChannelHandlerContext?
    /// Bytes that the client has not taken: above `maximumUnsent` nothing more is answered or read, below half of it it goes on.
    private var unsentBytes = 0
    private var inputHasEnded = false
    /// Everything is said; what still comes in is dropped, so that it does not reset what was sent away.
    private var isLingering = false
    private var receivedWhileLingering = 0
    private var lingersUntil: NIODeadline?
    private var isClosed = false
    private var isReading = true
    private var timer: Scheduled<Void>?
    private var timerAt = NIODeadline.distantFuture

    private static let maximumUnsent = 64 * 1024

    /// - Parameters:
    ///   - unsent: answers that the fast path has not sent.
    ///   - session: what carries the bytes; nil without TLS.
    init(slowLoop: SlowLoop, _ http2: HTTP2Connection, unsent: ByteBuffer = ByteBuffer(), over session: TLSSession?) {
        self.slowLoop = slowLoop
        self.http2 = http2
        self.unsent = unsent
        self.session = session
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        slowLoop.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        slowLoop.remove(self)
    }

    func channelActive(context: ChannelHandlerContext) { start(context) }

    /// Begins in a pipeline that is active already.
    func begin() { if let context { start(context) } }

    /// Begins, or goes on after the fast path.
    private func start(_ context: ChannelHandlerContext) {
        slowLoop.responder.counters.connectionsOpen += 1
        if unsent.readableBytes > 0 { send(unsent, context) }
        act(context) { [http2] turn, slowLoop in
            http2.beginDeadlines(turn)
            http2.resume(turn, by: &slowLoop.responder, in: &slowLoop.http2)
            if slowLoop.isDraining { http2.drain(turn, by: &slowLoop.responder) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        slowLoop.responder.counters.connectionsOpen -= 1
        isClosed = true
        timer?.cancel()
        http2.close(turn(context))
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if isLingering {
            receivedWhileLingering += bytes.readableBytes
            if receivedWhileLingering > Limits.drainBytes { close(context) }
            return
        }
        act(context) { [http2] turn, slowLoop in
            http2.receive(bytes.readableBytesUInt8Span, turn, by: &slowLoop.responder, in: &slowLoop.http2)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed? = event as? ChannelEvent else { return context.fireUserInboundEventTriggered(event) }
        inputHasEnded = true
        act(context) { _, _ in }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close(context) }

    private func turn(_ context: ChannelHandlerContext) -> HTTP2Connection.Turn {
        // The writer may hold as much as the socket has room for.
        let room = max(0, HTTP2Handler.maximumUnsent - unsentBytes)
        return .init(second: slowLoop.responder.now, now: context.eventLoop.now, bodies: slowLoop.bodies, maximumOutput: room)
    }

    /// Lets the connection do something, and carries out what follows.
    private func act(_ context: ChannelHandlerContext, _ body: (HTTP2Connection.Turn, SlowLoop) -> Void) {
        guard !isClosed else { return }
        // Others of the loop may have it otherwise.
        slowLoop.responder.begin(over: session)
        slowLoop.responder.record.isHTTP2 = true
        body(turn(context), slowLoop)
        slowLoop.responder.record.isHTTP2 = false
        slowLoop.responder.end(over: session)
        let bytes = ByteBuffer(bytes: slowLoop.responder.writer.bytes)
        slowLoop.responder.writer.bytes.removeAll(keepingCapacity: true)
        let fetches = http2.fetches
        http2.fetches = []
        if bytes.readableBytes > 0 { send(bytes, context) }
        for fetch in fetches { start(fetch, context) }
        finishIfOver(context)
        followReading(context)
        followDeadline(context)
    }

    // MARK: Sending

    private func send(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        unsentBytes += bytes.readableBytes
        let count = bytes.readableBytes
        context.writeAndFlush(wrapOutboundOut(bytes)).assumeIsolated().whenComplete { [self] result in
            guard case .success = result else { return close(context) }
            unsentBytes -= count
            sent(context)
        }
    }

    private func sent(_ context: ChannelHandlerContext) {
        if isLingering || http2.isOver { return finishIfOver(context) }
        guard unsentBytes <= HTTP2Handler.maximumUnsent / 2, http2.isPaused || http2.isSending else { return finishIfOver(context) }
        // Others have their turn first.
        context.eventLoop.assumeIsolated().execute { [self] in
            guard let context = self.context else { return }
            act(context) { [http2] turn, slowLoop in http2.resume(turn, by: &slowLoop.responder, in: &slowLoop.http2) }
        }
    }

    private func start(_ fetch: HTTP2Connection.Fetch, _ context: ChannelHandlerContext) {
        slowLoop.fetch(fetch.request, on: context.eventLoop).assumeIsolated().whenComplete { [self] result in
            take((try? result.get()) ?? nil, for: fetch.stream)
        }
    }

    private func take(_ content: UpstreamContent?, for stream: UInt32) {
        guard let context else { return }
        act(context) { [http2] turn, slowLoop in
            http2.take(content, for: stream, turn, by: &slowLoop.responder, in: &slowLoop.http2)
        }
    }

    private func followReading(_ context: ChannelHandlerContext) {
        let reads = isLingering || !http2.isPaused
        guard reads != isReading, !isClosed else { return }
        isReading = reads
        context.channel.setOption(.autoRead, value: reads).whenFailure { _ in }
    }

    // MARK: Ending

    /// Ends this side when everything is said and sent; the client's is read on for a moment.
    private func finishIfOver(_ context: ChannelHandlerContext) {
        guard !isClosed else { return }
        if inputHasEnded, http2.streams.isEmpty, !http2.isPaused, unsentBytes == 0 { return close(context) }
        guard http2.isOver else { return }
        if !isLingering {
            isLingering = true
            // A client that does not take its last answer either is cut.
            lingersUntil = context.eventLoop.now + .seconds(Int64(slowLoop.limits.headSeconds))
        }
        guard unsentBytes == 0, !outputHasEnded else { return followDeadline(context) }
        outputHasEnded = true
        if inputHasEnded { return close(context) }
        lingersUntil = context.eventLoop.now + .seconds(Int64(Limits.drainSeconds))
        context.close(mode: .output, promise: nil)
        followReading(context)
        followDeadline(context)
    }

    private var outputHasEnded = false

    private func close(_ context: ChannelHandlerContext) {
        guard !isClosed else { return }
        isClosed = true
        context.close(promise: nil)
    }

    // MARK: Deadlines

    private var deadline: NIODeadline { lingersUntil ?? http2.deadline }

    /// One timer a connection; a deadline that moved away is looked at again when the timer fires, not before.
    private func followDeadline(_ context: ChannelHandlerContext) {
        guard !isClosed, deadline < timerAt else { return }
        timer?.cancel()
        timerAt = deadline
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: timerAt) { [weak self] in self?.timerFired(context) }
    }

    private func timerFired(_ context: ChannelHandlerContext) {
        timerAt = .distantFuture
        if let lingersUntil {
            if context.eventLoop.now >= lingersUntil { close(context) } else { followDeadline(context) }
            return
        }
        act(context) { [http2] turn, slowLoop in http2.timeOut(turn, by: &slowLoop.responder, in: &slowLoop.http2) }
    }
}

extension HTTP2Handler: LoopConnection {
    var idleUntil: NIODeadline? { http2.isIdle && !isLingering ? http2.idleDeadline : nil }

    func drain() {
        guard let context else { return }
        act(context) { [http2] turn, slowLoop in http2.drain(turn, by: &slowLoop.responder) }
    }

    func makeRoom() {
        guard let context else { return }
        act(context) { [http2] turn, slowLoop in
            if http2.isIdle { http2.end(.noError, turn, &slowLoop.responder) }
        }
    }
}
