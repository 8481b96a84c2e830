import NIOCore
import Steering
import TLS

/// TLS on the slow path: stands between `PlainTransport` and whoever speaks HTTP, over a session that the fast path has begun or made.
///
/// A client that speaks without TLS makes it transparent, so that its refusal is sent and read as every other one.
final class TLSTransport: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Told inwards: the client speaks without TLS.
    struct WithoutTLS {}

    private let slowLoop: SlowLoop
    private let session: TLSSession
    private let client: ClientAddress
    private var decrypted: ByteBuffer
    /// Bytes that come first to be written and are records already.
    private var sealed: Int
    private var isTransparent = false
    private var hasFailed = false
    private var isCounted = false

    /// - Parameters:
    ///   - client: the peer, or the client that a PROXY header has named.
    ///   - decrypted: by the fast path, and not answered.
    ///   - sealed: bytes of answers that the fast path has encrypted and not sent; they are written first.
    init(slowLoop: SlowLoop, session: TLSSession, of client: ClientAddress, decrypted: ByteBuffer = ByteBuffer(), sealed: Int = 0) {
        self.slowLoop = slowLoop
        self.session = session
        self.client = client
        self.decrypted = decrypted
        self.sealed = sealed
        session.move(to: slowLoop.records)
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        let bytes = decrypted
        decrypted = ByteBuffer()
        if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
        if session.isClosedByClient { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        countLost(.closed)
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { countLost(.closed) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        while !isTransparent, !hasFailed, let part = bytes.readSlice(length: min(bytes.readableBytes, RecordBuffers.maximumReceived)),
            part.readableBytes > 0
        {
            receive(part, context)
        }
        if isTransparent, bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
    }

    private func receive(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        if !session.hasBegun, let first = bytes.readableBytesView.first,
            !slowLoop.responder.admitsHandshake(session, first, from: client)
        {
            isCounted = true
            hasFailed = true
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: TLSSession.refusal)), promise: nil)
            return context.fireErrorCaught(TLSError("the session has failed: \(TLSSession.Failure.rate.rawValue)"))
        }
        let received = session.receive(bytes.readableBytesUInt8Span)
        var plaintext = ByteBuffer(bytes: slowLoop.records.plaintext[..<received.count])
        // A session that has failed carries no answer: nothing is decided, or counted, for a client that cannot be told of it.
        if case .failed = received.end { plaintext.clear() }
        if received.hasBecomeEstablished { slowLoop.responder.counters.handshakes.count(session) }
        sendRecords(context, promise: nil)
        context.flush()
        if plaintext.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(plaintext)) }
        switch received.end {
        case nil: break
        case .closed: context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        case .failed(.plainHTTP):
            countLost(.plainHTTP)
            isTransparent = true
            context.fireUserInboundEventTriggered(WithoutTLS())
        case .failed(let failure):
            countLost(failure)
            hasFailed = true
            context.fireErrorCaught(TLSError("the session has failed: \(failure.rawValue)"))
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes = unwrapOutboundIn(data)
        if isTransparent || sealed > 0 {
            sealed -= min(sealed, bytes.readableBytes)
            return context.write(data, promise: promise)
        }
        guard session.write(bytes.readableBytesUInt8Span) else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        sendRecords(context, promise: promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // Who closes in the handshake has waited for it long enough.
        if mode == .all { countLost(.timeout) }
        if mode != .input, !isTransparent, !hasFailed {
            session.close()
            sendRecords(context, promise: nil)
            context.flush()
        }
        context.close(mode: mode, promise: promise)
    }

    /// - Parameter promise: kept when they are sent; at once when there are none.
    private func sendRecords(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        guard !slowLoop.records.output.isEmpty else {
            promise?.succeed(())
            return
        }
        context.write(wrapOutboundOut(ByteBuffer(bytes: slowLoop.records.output)), promise: promise)
        slowLoop.records.output.removeAll(keepingCapacity: true)
    }

    /// Counts a handshake that has not come to its end, once.
    private func countLost(_ failure: TLSSession.Failure) {
        guard !isCounted else { return }
        isCounted = true
        if session.isOfHandshake(failure) { slowLoop.responder.counters.handshakes.count(failure) }
    }
}
