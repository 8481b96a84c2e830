import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Keeps the request it got.
final class EchoServer: Sendable {
    let port: Int
    private let channel: any Channel
    private let heard = NIOLockedValueBox("")

    var request: String { heard.withLockedValue { $0 } }

    init() async throws {
        let heard = heard
        channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Handler(heard)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    func stop() async throws { try await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let heard: NIOLockedValueBox<String>

        init(_ heard: NIOLockedValueBox<String>) { self.heard = heard }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            heard.withLockedValue { $0 += String(buffer: bytes) }
            let answer = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            let context = NIOLoopBound(context, eventLoop: context.eventLoop)
            context.value.writeAndFlush(wrapOutboundOut(answer)).whenComplete { _ in context.value.close(promise: nil) }
        }
    }
}
