import NIOCore
import NIOEmbedded
import Steering
import Testing

@testable import Edge

/// HTTP/2 on the slow path: what its handler does with a channel.
@Suite struct HTTP2HandlerTests {
    /// A handler on an embedded channel with a clock of its own, and a client.
    private final class Rig {
        let slowLoop: SlowLoop
        let wire = Wire()
        private let channel: EmbeddedChannel

        /// - Parameter first: the handler that the connection begins with; nil for one of HTTP/1 that may become HTTP/2.
        init(pages: [EdgePage] = [], unsent: [UInt8] = [], _ first: HTTP2Connection? = nil, reads: Bool = true) throws {
            let table = try Setup().table()
            let responder = Responder(
                table: table, sequences: SequenceBook().set(for: table), pages: pages, clock: { 784_111_777 })
            slowLoop = SlowLoop(responder: responder, limits: Limits(), bodies: BodyMemory(body: 1000))
            slowLoop.knowsHTTP2 = true
            let loop = EmbeddedEventLoop()
            let handler: any ChannelHandler =
                if let first {
                    HTTP2Handler(slowLoop: slowLoop, first, unsent: ByteBuffer(bytes: unsent), over: nil)
                } else {
                    ConnectionHandler(slowLoop: slowLoop, of: .unknown, on: loop)
                }
            wire.isClientReading = reads
            channel = EmbeddedChannel(handlers: [wire, PlainTransport(slowLoop: slowLoop, received: ByteBuffer()), handler], loop: loop)
            wire.channel = channel
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            channel.embeddedEventLoop.run()
        }

        deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

        var isOpen: Bool { channel.isActive }
        var isReading: Bool { channel.options.last { $0.option is ChannelOptions.Types.AutoReadOption }?.value as? Bool ?? true }

        func send(_ bytes: [UInt8]) {
            channel.pipeline.fireChannelRead(ByteBuffer(bytes: bytes))
            channel.embeddedEventLoop.run()
        }

        func endInput() {
            channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            channel.embeddedEventLoop.run()
        }

        func advance(seconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }

        func read(_ count: Int = .max) {
            wire.release(count)
            channel.embeddedEventLoop.run()
        }

        func drain() {
            slowLoop.drain()
            channel.embeddedEventLoop.run()
        }

        func frames() throws -> [HTTP2Client.Frame] { try HTTP2Client.frames(in: wire.takeReceived()) }
    }

    @Test func `a client that begins with HTTP/2 gets it, however its beginning is cut`() throws {
        for cut in 1..<HTTP2Client.hello.count {
            let rig = try Rig()
            rig.send(Array(HTTP2Client.hello[..<cut]))
            rig.send(HTTP2Client.hello[cut...] + HTTP2Client.get("/s1/a", stream: 1))
            #expect(try HTTP2Client.answers(in: rig.frames())[1]?["location"] == atCDN("/a"))
        }
    }

    @Test func `a client of HTTP/1 whose method begins alike gets HTTP/1, however it is cut`() throws {
        let request = Array("POST /nothing HTTP/1.1\r\nHost: b\r\n\r\n".utf8)
        for cut in 1..<request.count {
            let rig = try Rig()
            rig.send(Array(request[..<cut]))
            rig.send(Array(request[cut...]))
            #expect(try Answer.only(in: rig.wire.takeReceived()).status == 404)
        }
    }

    @Test func `what begins as HTTP/2 and goes on otherwise is told so, however it is cut`() throws {
        let beginning = Array(HTTP2Client.preface.dropLast()) + Array("x".utf8)
        for cut in 1..<beginning.count {
            let rig = try Rig()
            rig.send(Array(beginning[..<cut]))
            rig.send(Array(beginning[cut...]))
            #expect(try rig.frames().map(\.kind) == [4, 7])
        }
    }

    @Test func `half a beginning has a deadline`() throws {
        for count in [12, 20] {
            let rig = try Rig()
            rig.send(Array(HTTP2Client.hello.prefix(count)))
            rig.advance(seconds: 5)
            // From the line on that HTTP/1 does not have it is told so, and has a moment to end its side.
            if count == 20 {
                #expect(try rig.frames().map(\.kind) == [4, 7])
                rig.advance(seconds: 1)
            }
            #expect(!rig.isOpen)
        }
    }

    @Test func `what the fast path has not sent goes first, and its request is answered`() throws {
        let http2 = HTTP2Connection(of: .unknown, limits: Limits())
        http2.hasBegun = true
        http2.hasPreface = true
        http2.hasSettings = true
        http2.input = HTTP2Client.get("/s1/a", stream: 1)
        let rig = try Rig(unsent: HTTP2Client.frame(6, 1, [1, 2, 3, 4, 5, 6, 7, 8]), http2)
        let frames = try rig.frames()
        #expect(frames.map(\.kind) == [6, 1])
    }

    private static let page = EdgePage(
        path: "/page", type: "text/plain", body: ByteBuffer(bytes: [UInt8](repeating: 1, count: 1_000_000)), policy: nil)

    @Test func `a client that does not read costs a bounded memory, and gets everything when it does`() throws {
        let rig = try Rig(pages: [Self.page], reads: false)
        let settings = HTTP2Client.preface + HTTP2Client.frame(4, 0, HTTP2Client.setting(4, 10_000_000))
        rig.send(settings + HTTP2Client.frame(8, 0, HTTP2Client.number(100_000_000)))
        for stream in 0..<3 { rig.send(HTTP2Client.get("/page", stream: UInt32(2 * stream + 1))) }
        #expect(rig.wire.maximumHeld < 200_000)
        rig.wire.isClientReading = true
        for _ in 0..<1000 { rig.read() }
        let answers = try HTTP2Client.answers(in: rig.frames())
        for stream in [1, 3, 5] as [UInt32] { #expect(answers[stream]?.isWhole == true && answers[stream]?.body.count == 1_000_000) }
    }

    @Test func `reading waits while answers are not taken`() throws {
        let rig = try Rig(reads: false)
        rig.send(HTTP2Client.hello)
        for batch in 0..<40 { rig.send((0..<50).flatMap { HTTP2Client.get("/s1/a", stream: UInt32(100 * batch + 2 * $0 + 1)) }) }
        #expect(!rig.isReading && rig.wire.maximumHeld < 200_000)
        rig.wire.isClientReading = true
        for _ in 0..<100 { rig.read() }
        #expect(rig.isReading)
        #expect(try HTTP2Client.answers(in: rig.frames()).count == 2000)
    }

    @Test func `after a goodbye this side ends, and what still comes is dropped for a moment`() throws {
        let rig = try Rig()
        rig.send(HTTP2Client.hello + HTTP2Client.frame(8, 0, HTTP2Client.number(0)))
        #expect(try rig.frames().last?.kind == 7)
        #expect(rig.wire.isOutputClosed && rig.isOpen)
        rig.send(HTTP2Client.get("/s1/a", stream: 1))
        #expect(try rig.frames().isEmpty)
        rig.advance(seconds: 1)
        #expect(!rig.isOpen)
    }

    @Test func `a client that ends its side still gets its answers`() throws {
        let rig = try Rig(reads: false)
        rig.send(HTTP2Client.hello + HTTP2Client.get("/s1/a", stream: 1))
        rig.endInput()
        #expect(rig.isOpen)
        rig.read()
        #expect(try HTTP2Client.answers(in: rig.frames())[1]?["location"] == atCDN("/a"))
        #expect(!rig.isOpen)
    }

    @Test func `a node that stops says goodbye twice and ends when its client knows`() throws {
        let rig = try Rig()
        rig.send(HTTP2Client.hello + HTTP2Client.get("/s1/a", stream: 1))
        _ = try rig.frames()
        rig.drain()
        let ping = try #require(try rig.frames().last)
        #expect(ping.kind == 6 && rig.isOpen && !rig.wire.isOutputClosed)
        rig.send(HTTP2Client.frame(6, 1, ping.payload))
        #expect(try rig.frames().last?.kind == 7)
        #expect(rig.wire.isOutputClosed)
        rig.endInput()
        #expect(!rig.isOpen)
    }

    @Test func `at the limit of connections an idle one is told and makes room`() throws {
        let rig = try Rig()
        rig.send(HTTP2Client.hello + HTTP2Client.get("/s1/a", stream: 1))
        rig.slowLoop.endIdle(atMost: 1)
        #expect(try rig.frames().last?.kind == 7)
        #expect(rig.wire.isOutputClosed)
    }
}
