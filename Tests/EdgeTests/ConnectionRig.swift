import NIOCore
import NIOEmbedded
import Steering
import Testing

@testable import Edge

/// A connection handler on an embedded channel with a clock of its own, and a client that sends and reads.
///
/// Like a socket it delivers nothing while the handler has stopped reading.
final class ConnectionRig {
    let slowLoop: SlowLoop
    let wire = Wire()
    private let handler: ConnectionHandler
    private let channel: EmbeddedChannel
    private var undelivered: [[UInt8]] = []

    /// - Parameters:
    ///   - firstBytes: read by the fast path and not answered.
    ///   - firstAnswers: written by the fast path and not sent.
    ///   - closes: the connection ends after `firstAnswers`.
    init(
        _ setup: Setup = Setup(), limits: Limits = Limits(), pages: [EdgePage] = [], firstBytes: String = "", firstAnswers: String = "",
        closes: Bool = false, clientReads: Bool = true,
        bodies: BodyMemory? = nil, router: Router? = nil, uptime: @escaping () -> UInt64 = { 0 }
    ) throws {
        let table = try setup.table()
        let responder = Responder(
            table: table, sequences: SequenceBook().set(for: table), pages: pages, router: router, links: LinkMemory(), uptime: uptime,
            clock: { 784_111_777 })
        slowLoop = SlowLoop(responder: responder, limits: limits, bodies: bodies ?? BodyMemory(body: limits.body))
        let loop = EmbeddedEventLoop()
        handler = ConnectionHandler(
            slowLoop: slowLoop, of: ClientAddress(ipv4: 0xC000_0201), unsent: ByteBuffer(bytes: [UInt8](latin1: firstAnswers)),
            closes: closes,
            on: loop)
        wire.isClientReading = clientReads
        let transport = PlainTransport(slowLoop: slowLoop, received: ByteBuffer(bytes: [UInt8](latin1: firstBytes)))
        channel = EmbeddedChannel(handlers: [wire, transport, handler], loop: loop)
        wire.channel = channel
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        channel.embeddedEventLoop.run()
    }

    deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

    var isOpen: Bool { channel.isActive }
    /// Whether the handler asks for more input.
    var isReading: Bool { channel.options.last { $0.option is ChannelOptions.Types.AutoReadOption }?.value as? Bool ?? true }
    /// Bytes of input that the handler keeps memory for.
    var inputCapacity: Int { handler.connection.input.storageCapacity }
    /// Bytes the client has sent that the handler has not read.
    var undeliveredBytes: Int { undelivered.reduce(0) { $0 + $1.count } }

    func send(_ text: String) { send([UInt8](latin1: text)) }

    func send(_ bytes: [UInt8]) {
        undelivered.append(bytes)
        deliver()
    }

    /// The client ends its side.
    func endInput() {
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        deliver()
    }

    /// The client is gone.
    func disconnect() {
        channel.close(promise: nil)
        channel.embeddedEventLoop.run()
    }

    func fail(_ error: any Error) {
        channel.pipeline.fireErrorCaught(error)
        deliver()
    }

    func advance(milliseconds: Int) {
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(Int64(milliseconds)))
        deliver()
    }

    func advance(seconds: Int) { advance(milliseconds: seconds * 1000) }

    /// The client takes some of what waits for it.
    func read(_ count: Int = .max) {
        wire.release(count)
        deliver()
    }

    /// The answers since the last call.
    func answers() throws -> [Answer] { try Answer.all(in: wire.takeReceived()) }

    private func deliver() {
        channel.embeddedEventLoop.run()
        while isReading, isOpen, !undelivered.isEmpty {
            channel.pipeline.fireChannelRead(ByteBuffer(bytes: undelivered.removeFirst()))
            channel.pipeline.fireChannelReadComplete()
            channel.embeddedEventLoop.run()
        }
    }
}

/// A whole GET for a path on server s1.
func get(_ path: String, _ fields: String...) -> String { HeadVector.head("GET /s1\(path) HTTP/1.1", ["Host: b"] + fields) }

/// The Location that `get(path)` leads to with the default catalog.
func atCDN(_ path: String) -> String { "http://cdn.example.com/s1\(path)" }
