import NIOCore
import NIOHTTP1

/// Collects one decoded body up to a limit and hands it on when it is whole.
final class BodyCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    private let limit: Int
    private let done: ([UInt8]) -> Void
    private let failed: () -> Void
    private var body: [UInt8] = []

    /// - Parameters:
    ///   - limit: bytes; the connection refuses longer messages before they get here.
    ///   - done: called once, on the event loop.
    ///   - failed: called when the body's framing is wrong; the parser's errors travel on from it and arrive here.
    init(limit: Int, done: @escaping ([UInt8]) -> Void, failed: @escaping () -> Void) {
        self.limit = limit
        self.done = done
        self.failed = failed
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { failed() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: break
        case .body(let part): if body.count + part.readableBytes <= limit { body += part.readableBytesView }
        case .end: done(body)
        }
    }
}
