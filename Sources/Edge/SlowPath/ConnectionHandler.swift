import NIOCore
import Steering
import TLS

/// Carries out what a `Connection` decides: NIO's events go in, its actions come out. At the end of the pipeline.
final class ConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let slowLoop: SlowLoop
    private let peer: ClientAddress
    private let unsent: ByteBuffer
    private let closes: Bool
    private let session: TLSSession?
    private(set) var connection: Connection
    private var context: ChannelHandlerContext?
    /// Events that came while another one's actions were carried out.
    private var waiting: [Connection.Event] = []
    private var isHandling = false
    private var timer: Scheduled<Void>?
    private var timerAt = NIODeadline.distantFuture
    /// What has come while it may yet be HTTP/2; nil once it is known.
    private var unknown: ByteBuffer?

    /// - Parameters:
    ///   - unsent: answers that the fast path has not sent.
    ///   - closes: the connection ends with them.
    ///   - session: what carries the bytes; nil without TLS.
    ///   - loop: the connection's.
    init(
        slowLoop: SlowLoop, of peer: ClientAddress, unsent: ByteBuffer = ByteBuffer(), closes: Bool = false,
        over session: TLSSession? = nil,
        on loop: any EventLoop
    ) {
        self.session = session
        self.slowLoop = slowLoop
        self.peer = peer
        self.unsent = unsent
        self.closes = closes
        let mayBeHTTP2 = session == nil ? slowLoop.knowsHTTP2 : session?.isEstablished == false || session?.isHTTP2 == true
        if mayBeHTTP2, unsent.readableBytes == 0, !closes { unknown = ByteBuffer() }
        connection = Connection(of: peer, limits: slowLoop.limits, bodies: slowLoop.bodies, isDraining: slowLoop.isDraining, at: loop.now)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        slowLoop.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        slowLoop.remove(self)
    }

    func channelActive(context: ChannelHandlerContext) {
        slowLoop.responder.counters.connectionsOpen += 1
        handle(.opened(unsent: unsent, closes: closes), context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        slowLoop.responder.counters.connectionsOpen -= 1
        handle(.closed, context)
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard unknown != nil else { return handle(.bytes(bytes), context) }
        unknown?.writeImmutableBuffer(bytes)
        let first = unknown ?? bytes
        switch mayBeHTTP2(first) {
        case nil: break
        case false?:
            unknown = nil
            handle(.bytes(first), context)
        case true?:
            unknown = nil
            becomeHTTP2(first, context)
        }
    }

    /// - Returns: nil while too little of a preface is there to know.
    private func mayBeHTTP2(_ bytes: ByteBuffer) -> Bool? {
        if let session { return session.isHTTP2 }
        // The rest is for HTTP/2 to judge, as in the fast loop.
        let line = HTTP2Frame.preface.prefix(HTTP2Frame.prefaceLineBytes)
        let count = min(line.count, bytes.readableBytes)
        guard bytes.readableBytesView.prefix(count).elementsEqual(line.prefix(count)) else { return false }
        return count == line.count ? true : nil
    }

    /// Makes room for who speaks it, before anything was answered.
    private func becomeHTTP2(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        let http2 = HTTP2Connection(of: peer, limits: slowLoop.limits)
        let handler = HTTP2Handler(slowLoop: slowLoop, http2, over: session)
        timer?.cancel()
        slowLoop.responder.counters.connectionsOpen -= 1
        handle(.closed, context)
        do {
            try context.pipeline.syncOperations.addHandler(handler, position: .after(self))
            handler.begin()
            context.fireChannelRead(wrapInboundOut(bytes))
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        } catch {
            context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed: handle(.inputEnded, context)
        case is TLSTransport.WithoutTLS: handle(.withoutTLS, context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { handle(.failed, context) }

    /// Tells the connection what happened outside of it.
    func handle(_ event: Connection.Event) { if let context { handle(event, context) } }

    private func handle(_ event: Connection.Event, _ context: ChannelHandlerContext) {
        waiting.append(event)
        guard !isHandling else { return }
        isHandling = true
        // Others of the loop may have it otherwise.
        slowLoop.responder.begin(over: session)
        while !waiting.isEmpty {
            let event = waiting.removeFirst()
            for action in connection.handle(event, at: context.eventLoop.now, by: &slowLoop.responder) { carryOut(action, context) }
        }
        slowLoop.responder.end(over: session)
        isHandling = false
        followDeadline(context)
    }

    private func carryOut(_ action: Connection.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .send(let bytes, let attachment): send(bytes, attachment, context)
        case .stopReading: context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
        case .startReading: context.channel.setOption(.autoRead, value: true).whenFailure { _ in }
        case .resumeLater: context.eventLoop.assumeIsolated().execute { [self] in handle(.resumed) }
        case .fetch(let request, let number): fetch(request, number, context)
        case .closeOutput: context.close(mode: .output, promise: nil)
        case .close: context.close(promise: nil)
        }
    }

    private func send(_ bytes: ByteBuffer, _ attachment: ByteBuffer?, _ context: ChannelHandlerContext) {
        let count = bytes.readableBytes + (attachment?.readableBytes ?? 0)
        let written: EventLoopFuture<Void>
        if let attachment {
            context.write(wrapOutboundOut(bytes), promise: nil)
            written = context.writeAndFlush(wrapOutboundOut(attachment))
        } else {
            written = context.writeAndFlush(wrapOutboundOut(bytes))
        }
        written.assumeIsolated().whenComplete { [self] result in
            if case .success = result { handle(.sent(count), context) } else { handle(.failed, context) }
        }
    }

    private func fetch(_ request: UpstreamRequest, _ number: Int, _ context: ChannelHandlerContext) {
        slowLoop.fetch(request, on: context.eventLoop).assumeIsolated().whenComplete { [self] result in
            handle(.upstream((try? result.get()) ?? nil, number: number))
        }
    }

    /// One timer a connection; a deadline that moved away is looked at again when the timer fires, not before.
    private func followDeadline(_ context: ChannelHandlerContext) {
        guard connection.phase != .closed, connection.deadline < timerAt else { return }
        timer?.cancel()
        timerAt = connection.deadline
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: timerAt) { [weak self] in self?.timerFired(context) }
    }

    private func timerFired(_ context: ChannelHandlerContext) {
        timerAt = .distantFuture
        handle(.deadline, context)
    }
}

extension ConnectionHandler: LoopConnection {
    var idleUntil: NIODeadline? { connection.phase == .idle ? connection.deadline : nil }
    func drain() { handle(.drain) }
    func makeRoom() { handle(.makeRoom) }
}
