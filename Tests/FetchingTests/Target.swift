import Glibc
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A target on loopback that answers its n-th request, from 0, in the way that it is told.
final class Target: Sendable {
    enum Way: Sendable {
        /// Says this and closes.
        case says(String)
        case sends([UInt8])
        /// Says it once `release` was called.
        case holds(String)
        /// Accepts and says nothing.
        case silent
        /// A byte every 50 ms.
        case drips(String)
        case resets
    }

    let port: Int
    private let channel: any Channel
    private let state = NIOLockedValueBox(State())

    private struct State {
        var requests: [String] = []
        var held: [@Sendable () -> Void] = []
        var isReleased = false
    }

    init(_ way: @escaping @Sendable (Int) -> Way) async throws {
        let state = state
        channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 256)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Handler(way, state)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    /// Heads of requests, in the order in which they came.
    var requests: [String] { state.withLockedValue { $0.requests } }

    func release() {
        let held = state.withLockedValue { state in
            state.isReleased = true
            defer { state.held = [] }
            return state.held
        }
        for answer in held { answer() }
    }

    func stop() async throws { try await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let way: @Sendable (Int) -> Way
        private let state: NIOLockedValueBox<State>
        private var head = ""

        init(_ way: @escaping @Sendable (Int) -> Way, _ state: NIOLockedValueBox<State>) {
            self.way = way
            self.state = state
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            head += String(buffer: unwrapInboundIn(data))
            guard head.hasSuffix("\r\n\r\n") else { return }
            let request = head
            head = ""
            let number = state.withLockedValue { state in
                state.requests.append(request)
                return state.requests.count - 1
            }
            answer(way(number), context.channel)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func answer(_ way: Way, _ channel: any Channel) {
            switch way {
            case .says(let text): Self.say(text, channel)
            case .sends(let bytes): channel.writeAndFlush(ByteBuffer(bytes: bytes)).whenComplete { _ in channel.close(promise: nil) }
            case .holds(let text):
                let isReleased = state.withLockedValue { state in
                    if !state.isReleased { state.held.append { Self.say(text, channel) } }
                    return state.isReleased
                }
                if isReleased { Self.say(text, channel) }
            case .silent: break
            case .drips(let text): Self.drip(Array(text.utf8)[...], channel)
            case .resets:
                var linger = linger()
                linger.l_onoff = 1
                (channel as? any SocketOptionProvider)?.setSoLinger(linger).whenFailure { _ in }
                channel.close(promise: nil)
            }
        }

        private static func say(_ text: String, _ channel: any Channel) {
            channel.writeAndFlush(ByteBuffer(string: text)).whenComplete { _ in channel.close(promise: nil) }
        }

        private static func drip(_ bytes: ArraySlice<UInt8>, _ channel: any Channel) {
            guard let first = bytes.first, channel.isActive else { return channel.close(promise: nil) }
            channel.writeAndFlush(ByteBuffer(bytes: [first]), promise: nil)
            channel.eventLoop.scheduleTask(in: .milliseconds(50)) { drip(bytes.dropFirst(), channel) }
        }
    }
}
