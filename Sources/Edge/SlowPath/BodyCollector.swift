import NIOCore
import NIOHTTP1

/// Collects one decoded body up to a limit and hands it on when it is whole.
final class BodyCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    private let limit: Int
    private let done: ([UInt8]) -> Void
    private var body: [UInt8] = []

    /// - Parameters:
    ///   - limit: bytes; the connection refuses longer messages before they get here.
    ///   - done: called once, on the event loop.
    init(limit: Int, done: @escaping ([UInt8]) -> Void) {
        self.limit = limit
        self.done = done
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: break
        case .body(let part): if body.count + part.readableBytes <= limit { body += part.readableBytesView }
        case .end: done(body)
        }
    }
}
