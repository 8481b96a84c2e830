import NIOCore
import NIOEmbedded

/// The kernel's side of an embedded connection: keeps what the client has not read, tells the channel when that is too much, and closes by
/// halves, which `EmbeddedChannel` cannot.
final class Wire: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    /// As NIO's default: not writable above 64 KiB, writable again below 32 KiB.
    private static let high = 64 * 1024
    private static let low = 32 * 1024

    weak var channel: EmbeddedChannel?
    /// Whether the client takes what is sent to it.
    var isClientReading = true
    /// What the client has got.
    private(set) var received: [UInt8] = []
    /// The server has shut down writing.
    private(set) var isOutputClosed = false
    /// The most bytes that ever waited for the client.
    private(set) var maximumHeld = 0
    private var held: [(bytes: ByteBuffer, promise: EventLoopPromise<Void>?)] = []

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isOutputClosed else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        held.append((unwrapOutboundIn(data), promise))
        maximumHeld = max(maximumHeld, heldBytes)
        if heldBytes > Wire.high { setWritable(false) }
    }

    func flush(context: ChannelHandlerContext) { if isClientReading { release() } }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else {
            let lost = held
            held = []
            for entry in lost { entry.promise?.fail(ChannelError.ioOnClosedChannel) }
            context.close(mode: mode, promise: promise)
            return
        }
        isOutputClosed = true
        promise?.succeed(())
    }

    /// The client reads up to `count` bytes, whole writes at a time.
    func release(_ count: Int = .max) {
        var left = count
        while left > 0, let entry = held.first {
            held.removeFirst()
            left -= entry.bytes.readableBytes
            received += entry.bytes.readableBytesView
            entry.promise?.succeed(())
        }
        if heldBytes < Wire.low { setWritable(true) }
    }

    func takeReceived() -> [UInt8] {
        defer { received = [] }
        return received
    }

    private var heldBytes: Int { held.reduce(0) { $0 + $1.bytes.readableBytes } }

    private func setWritable(_ isWritable: Bool) {
        guard let channel, channel.isWritable != isWritable else { return }
        channel.isWritable = isWritable
        channel.pipeline.fireChannelWritabilityChanged()
    }
}
