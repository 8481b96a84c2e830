import Glibc
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL

/// A server on loopback that answers every connection in one odd way.
final class OddServer: Sendable {
    enum Way: Sendable {
        /// Says this and closes.
        case says(String)
        /// Says this and leaves the connection open.
        case keeps(String)
        /// Accepts and says nothing.
        case tarpit
        /// A byte every 200 ms.
        case drips(String)
        /// Resets after the request.
        case resets
        /// This many bytes of body.
        case floods(Int)
        /// This head, then a million bytes again and again, until the other side has enough.
        case pours(String)
        /// The n-th connection gets the n-th text, the last again and again.
        case turns([String])
    }

    let port: Int
    private let channel: any Channel
    private let connections = NIOLockedValueBox<[any Channel]>([])

    /// - Parameters:
    ///   - address: of loopback.
    ///   - port: 0 is a free one.
    init(_ way: Way, at address: String = "127.0.0.1", port: Int = 0, tls: NIOSSLContext? = nil) async throws {
        let counter = NIOLockedValueBox(0)
        let connections = connections
        channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 64)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    connections.withLockedValue { $0.append(channel) }
                    let number = counter.withLockedValue { number in
                        defer { number += 1 }
                        return number
                    }
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(Handler(way, number))
                }
            }
            .bind(host: address, port: port).get()
        self.port = channel.localAddress?.port ?? 0
    }

    func stop() async throws { try await channel.close() }

    var openConnections: Int { connections.withLockedValue { $0.count(where: \.isActive) } }

    /// As a process that is killed: nothing is accepted any more, and all connections end.
    func die() async throws {
        try await stop()
        for connection in connections.withLockedValue({ $0 }) { try? await connection.close() }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let way: Way
        private let number: Int
        private var hasAnswered = false

        init(_ way: Way, _ number: Int) {
            self.way = way
            self.number = number
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard !hasAnswered else { return }
            hasAnswered = true
            switch way {
            case .tarpit: break
            case .says(let text): say(text, context)
            case .keeps(let text): context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            case .turns(let texts): say(texts[min(number, texts.count - 1)], context)
            case .resets:
                var linger = linger()
                linger.l_onoff = 1
                (context.channel as? any SocketOptionProvider)?.setSoLinger(linger).whenFailure { _ in }
                context.close(promise: nil)
            case .floods(let count):
                say("HTTP/1.1 200 OK\r\nContent-Length: \(count)\r\n\r\n" + String(repeating: "x", count: count), context)
            case .pours(let head): pour(ByteBuffer(string: head), context)
            case .drips(let text): drip(Array(text.utf8)[...], context)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func say(_ text: String, _ context: ChannelHandlerContext) {
            let context = NIOLoopBound(context, eventLoop: context.eventLoop)
            context.value.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text))).whenComplete { _ in
                context.value.close(promise: nil)
            }
        }

        private func pour(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
            guard context.channel.isActive else { return }
            let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.writeAndFlush(wrapOutboundOut(bytes)).whenSuccess {
                let (handler, context) = loopBound.value
                handler.pour(ByteBuffer(repeating: UInt8(ascii: "x"), count: 1_000_000), context)
            }
        }

        private func drip(_ bytes: ArraySlice<UInt8>, _ context: ChannelHandlerContext) {
            guard let first = bytes.first, context.channel.isActive else { return context.close(promise: nil) }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: [first])), promise: nil)
            context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(200)) { self.drip(bytes.dropFirst(), context) }
        }
    }
}
