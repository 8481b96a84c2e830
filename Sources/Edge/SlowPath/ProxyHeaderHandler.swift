import NIOCore
import Steering
import TLS

/// Waits for the whole PROXY header of a connection, then makes room for what answers its requests.
final class ProxyHeaderHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let slowLoop: SlowLoop
    private let peer: ClientAddress
    private var input = ByteBuffer()
    private let report: QuietReport
    private let session: TLSSession?
    private var timer: Scheduled<Void>?

    /// - Parameter session: of TLS, which begins after the header.
    init(slowLoop: SlowLoop, of peer: ClientAddress, before session: TLSSession? = nil, report: QuietReport) {
        self.session = session
        self.slowLoop = slowLoop
        self.peer = peer
        self.report = report
    }

    func channelActive(context: ChannelHandlerContext) {
        let seconds = Int64(slowLoop.limits.headSeconds)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(seconds)) { [weak self] in
            self?.refuse(.late, context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        input.writeImmutableBuffer(unwrapInboundIn(data))
        read(context)
    }

    func channelInactive(context: ChannelHandlerContext) { timer?.cancel() }

    private func read(_ context: ChannelHandlerContext) {
        switch ProxyHeader.read(input.readableBytesUInt8Span, count: input.readableBytes) {
        case .incomplete: break
        case .invalid: refuse(.missing, context)
        case .complete(let length, let client):
            timer?.cancel()
            input.moveReaderIndex(forwardBy: length)
            let client = client ?? peer
            let handler = ConnectionHandler(slowLoop: slowLoop, of: client, over: session, on: context.eventLoop)
            let transport: [any ChannelHandler] = session.map { [TLSTransport(slowLoop: slowLoop, session: $0, of: client)] } ?? []
            do {
                try context.pipeline.syncOperations.addHandlers(transport + [handler], position: .after(self))
                context.fireChannelActive()
                if input.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(input)) }
                context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
            } catch {
                context.close(promise: nil)
            }
        }
    }

    private func refuse(_ fault: ProxyHeader.Fault, _ context: ChannelHandlerContext) {
        timer?.cancel()
        slowLoop.responder.counters.proxyHeadersRefused += 1
        report(fault.kind, fault.line(peer))
        context.close(promise: nil)
    }
}
