import NIOCore

/// The transport without encryption, at the head of a pipeline, beside the socket. Bytes that the fast path has read before enter here, so
/// that whoever stands behind cannot tell them from those that come later.
final class PlainTransport: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let slowLoop: SlowLoop
    private var received: ByteBuffer

    /// - Parameter received: read by the fast path and counted there.
    init(slowLoop: SlowLoop, received: ByteBuffer) {
        self.slowLoop = slowLoop
        self.received = received
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        let bytes = received
        received = ByteBuffer()
        if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        slowLoop.responder.counters.bytesReceived &+= UInt64(unwrapInboundIn(data).readableBytes)
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        slowLoop.responder.counters.bytesSent &+= UInt64(unwrapOutboundIn(data).readableBytes)
        context.write(data, promise: promise)
    }
}
