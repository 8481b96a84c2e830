import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Ends a connection whose next head or body does not arrive in time, or whose client does not read. The deadlines are absolute: Hummingbird's own timer begins anew
/// with every byte, which a client that drips could use for ever.
final class RequestDeadline: ChannelInboundHandler, ChannelOutboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// From connect or the last answer to the end of the next head: idle time included.
    private static let head = TimeAmount.seconds(30)
    private static let body = TimeAmount.seconds(10)
    /// From the moment a buffer is full to the moment half of it is gone.
    private static let taking = TimeAmount.seconds(30)

    private var timer: Scheduled<Void>?
    private var takingTimer: Scheduled<Void>?

    func handlerAdded(context: ChannelHandlerContext) { restart(RequestDeadline.head, context) }
    func handlerRemoved(context: ChannelHandlerContext) { cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        cancel()
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        takingTimer?.cancel()
        takingTimer = context.channel.isWritable ? nil : schedule(RequestDeadline.taking, context)
        context.fireChannelWritabilityChanged()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: restart(RequestDeadline.body, context)
        case .body: break
        case .end: timer?.cancel()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { restart(RequestDeadline.head, context) }
        context.write(data, promise: promise)
    }

    private func restart(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        timer?.cancel()
        timer = schedule(time, context)
    }

    private func schedule(_ time: TimeAmount, _ context: ChannelHandlerContext) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
    }

    private func cancel() {
        timer?.cancel()
        takingTimer?.cancel()
    }
}
