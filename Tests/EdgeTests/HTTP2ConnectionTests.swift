import NIOCore
import Steering
import Testing

@testable import Edge

/// A connection of HTTP/2: what RFC 9113 §3 to §6 ask of a server, and floods.
@Suite struct HTTP2ConnectionTests {
    private static let post = HTTP2Client.frame(1, 4, stream: 1, HTTP2Client.block(HTTP2Client.request("/origin", method: "POST")))

    @Test func `a server begins with its settings and acknowledges the client's`() throws {
        let rig = try HTTP2Rig()
        let frames = try rig.frames()
        #expect(frames.map(\.kind) == [4, 4] && frames.map(\.flags) == [0, 1])
        #expect(frames[0].payload.prefix(6).elementsEqual(HTTP2Client.setting(3, 100)))
    }

    @Test(
        arguments: [
            ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\rx", 1), ("PRI * HTTP/1.1\r\n", 1),
        ] as [(String, UInt32)])
    func `another beginning ends it at the first byte that differs`(text: String, code: UInt32) throws {
        let rig = try HTTP2Rig(says: [])
        rig.send([UInt8](latin1: text))
        #expect(try rig.goodbye() == code)
        #expect(rig.refused(.preface) == 1)
    }

    /// Frames that end the connection, with which code.
    @Test(
        arguments: [
            // §3.4: SETTINGS come first; §4.2: no frame is longer than it may be.
            (HTTP2Client.preface + HTTP2Client.frame(6, 0, [0, 0, 0, 0, 0, 0, 0, 0]), 1),
            (HTTP2Client.hello + [0, 0x40, 1, 0, 0, 0, 0, 0, 1], 6),
            // §5.1: frames on streams that are idle or closed; §5.1.1: their numbers.
            (HTTP2Client.hello + HTTP2Client.frame(0, 0, stream: 1, [1]), 1),
            (HTTP2Client.hello + HTTP2Client.frame(3, 0, stream: 1, HTTP2Client.number(8)), 1),
            (HTTP2Client.hello + HTTP2Client.frame(8, 0, stream: 1, HTTP2Client.number(8)), 1),
            (HTTP2Client.hello + HTTP2Client.frame(9, 4, stream: 1), 1),
            (HTTP2Client.hello + HTTP2Client.get("/", stream: 1) + HTTP2Client.get("/", stream: 1), 5),
            (HTTP2Client.hello + HTTP2Client.get("/", stream: 1) + HTTP2Client.frame(0, 1, stream: 1, [1]), 5),
            (HTTP2Client.hello + HTTP2Client.get("/", stream: 5) + HTTP2Client.get("/", stream: 3), 1),
            (HTTP2Client.hello + HTTP2Client.get("/", stream: 2), 1), (HTTP2Client.hello + HTTP2Client.get("/", stream: 0), 1),
            (HTTP2Client.hello + HTTP2Client.get("/", stream: 3) + HTTP2Client.frame(3, 0, stream: 2, HTTP2Client.number(8)), 1),
            (HTTP2Client.hello + HTTP2Client.get("/", stream: 3) + HTTP2Client.frame(8, 0, stream: 2, HTTP2Client.number(8)), 1),
            // §6.1: DATA.
            (HTTP2Client.hello + HTTP2Client.frame(0, 0, stream: 0, [1]), 1),
            (HTTP2Client.hello + post + HTTP2Client.frame(0, 8, stream: 1, [2, 1]), 1),
            (HTTP2Client.hello + post + HTTP2Client.frame(0, 8, stream: 1), 6),
            // §6.2: HEADERS; §6.10: CONTINUATION.
            (HTTP2Client.hello + HTTP2Client.frame(1, 0xD, stream: 1, [9, 0x82]), 1),
            (HTTP2Client.hello + HTTP2Client.frame(1, 0x25, stream: 1, [0, 0, 0]), 6),
            (HTTP2Client.hello + HTTP2Client.frame(1, 1, stream: 1, [0x82]) + HTTP2Client.frame(6, 0, [0, 0, 0, 0, 0, 0, 0, 0]), 1),
            (HTTP2Client.hello + HTTP2Client.frame(1, 1, stream: 1, [0x82]) + HTTP2Client.frame(9, 4, stream: 3), 1),
            (HTTP2Client.hello + HTTP2Client.frame(1, 1, stream: 1, [0x82]) + HTTP2Client.frame(0x42, 0, stream: 1), 1),
            // §4.3: a block that is no HPACK.
            (HTTP2Client.hello + HTTP2Client.frame(1, 5, stream: 1, [0xC0]), 9),
            // §6.3, §6.4: PRIORITY and RST_STREAM.
            (HTTP2Client.hello + HTTP2Client.frame(2, 0, stream: 0, [0, 0, 0, 0, 0]), 1),
            (HTTP2Client.hello + HTTP2Client.frame(2, 0, stream: 1, [0]), 6),
            (HTTP2Client.hello + HTTP2Client.frame(2, 0, stream: 1, HTTP2Client.number(1) + [0]), 1),
            (HTTP2Client.hello + HTTP2Client.frame(3, 0, stream: 0, HTTP2Client.number(8)), 1),
            (HTTP2Client.hello + HTTP2Client.get("/", stream: 1) + HTTP2Client.frame(3, 0, stream: 1, [0]), 6),
            // §6.5: SETTINGS.
            (HTTP2Client.hello + HTTP2Client.frame(4, 0, stream: 1), 1), (HTTP2Client.hello + HTTP2Client.frame(4, 1, [0]), 6),
            (HTTP2Client.hello + HTTP2Client.frame(4, 0, [0]), 6),
            (HTTP2Client.hello + HTTP2Client.frame(4, 0, HTTP2Client.setting(2, 2)), 1),
            (HTTP2Client.hello + HTTP2Client.frame(4, 0, HTTP2Client.setting(4, 0x8000_0000)), 3),
            (HTTP2Client.hello + HTTP2Client.frame(4, 0, HTTP2Client.setting(5, 16_383)), 1),
            (HTTP2Client.hello + HTTP2Client.frame(4, 0, HTTP2Client.setting(5, 0x100_0000)), 1),
            // §6.6 to §6.9: PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE.
            (HTTP2Client.hello + HTTP2Client.frame(5, 4, stream: 1, [0, 0, 0, 2]), 1),
            (HTTP2Client.hello + HTTP2Client.frame(6, 0, stream: 1, [0, 0, 0, 0, 0, 0, 0, 0]), 1),
            (HTTP2Client.hello + HTTP2Client.frame(6, 0, [0]), 6),
            (HTTP2Client.hello + HTTP2Client.frame(7, 0, stream: 1, [0, 0, 0, 0, 0, 0, 0, 0]), 1),
            (HTTP2Client.hello + HTTP2Client.frame(7, 0, [0]), 6),
            (HTTP2Client.hello + HTTP2Client.frame(8, 0, HTTP2Client.number(0)), 1),
            (HTTP2Client.hello + HTTP2Client.frame(8, 0, [0]), 6),
            (HTTP2Client.hello + HTTP2Client.frame(8, 0, HTTP2Client.number(0x7FFF_FFFF)), 3),
        ] as [([UInt8], UInt32)])
    func `frames that may not be end the connection, with the standard's code`(bytes: [UInt8], code: UInt32) throws {
        for isFast in [false, true] {
            let rig = try HTTP2Rig(says: [])
            rig.isFast = isFast
            rig.send(bytes)
            if isFast, rig.connection.needsSlowPath {
                rig.isFast = false
                rig.resume()
            }
            #expect(try rig.goodbye() == code)
            let count = HTTP2Refusal.allCases.reduce(0) { $0 + rig.refused($1) }
            #expect(count == 1 && rig.connection.streams.isEmpty)
            // Nothing is answered behind it.
            rig.send(HTTP2Client.get("/s1/a", stream: 9))
            #expect(rig.wire.isEmpty)
        }
    }

    /// Frames that end one stream.
    @Test(
        arguments: [
            (post + HTTP2Client.frame(2, 0, stream: 1, [0]), 6),
            (post + HTTP2Client.frame(2, 0, stream: 1, HTTP2Client.number(1) + [0]), 1),
            (post + HTTP2Client.frame(8, 0, stream: 1, HTTP2Client.number(0)), 1),
            (post + HTTP2Client.frame(8, 0, stream: 1, HTTP2Client.number(0x7FFF_FFFF)), 3),
            (HTTP2Client.frame(1, 0x24, stream: 1, HTTP2Client.number(1) + [0] + HTTP2Client.block(HTTP2Client.request("/origin"))), 1),
        ] as [([UInt8], UInt32)])
    func `frames that may not be for a stream end that one`(bytes: [UInt8], code: UInt32) throws {
        let rig = try HTTP2Rig()
        rig.send(bytes)
        // One frame on the stream: what was refused is not answered, too.
        let frames = try rig.frames().filter { $0.stream == 1 }
        #expect(frames.map(\.kind) == [3] && frames[0].code == code)
        #expect(try rig.ask(HTTP2Client.request("/s1/a"), stream: 3).status == 301)
    }

    /// The stream waits for its window: half-closed (remote).
    @Test(arguments: [
        HTTP2Client.frame(0, 1, stream: 1, [1]), HTTP2Client.frame(1, 5, stream: 1, HTTP2Client.block([("x", "y")])),
    ])
    func `a client that goes on behind its own end loses that stream alone`(bytes: [UInt8]) throws {
        let rig = try HTTP2Rig(pages: [Self.page], says: HTTP2Client.preface + HTTP2Client.frame(4, 0, HTTP2Client.setting(4, 0)))
        rig.send(HTTP2Client.get("/page", stream: 1) + bytes)
        #expect(try rig.resetCode(1) == 5)
        #expect(try rig.ask(HTTP2Client.request("/s1/a"), stream: 3).status == 301)
    }

    @Test func `on a stream that is over nothing is said, whatever comes`() throws {
        let rig = try HTTP2Rig()
        _ = try rig.ask(HTTP2Client.request("/s1/a"), stream: 1)
        rig.wire = []
        rig.send(HTTP2Client.frame(8, 0, stream: 1, HTTP2Client.number(0)) + HTTP2Client.frame(2, 0, stream: 1, [0]))
        rig.send(
            HTTP2Client.frame(2, 0, stream: 1, HTTP2Client.number(1) + [0]) + HTTP2Client.frame(3, 0, stream: 1, HTTP2Client.number(8)))
        #expect(rig.wire.isEmpty && !rig.connection.isOver)
    }

    /// A client may have a hundred requests with bodies on their way before it learns that nobody waits for these.
    @Test func `bodies of a hundred streams that were answered already are passed over`() throws {
        let rig = try HTTP2Rig()
        let streams = (0..<100).map { UInt32(2 * $0 + 1) }
        let request = HTTP2Client.block(HTTP2Client.request("/s1/a"))
        for stream in streams { rig.send(HTTP2Client.frame(1, 4, stream: stream, request)) }
        for stream in streams { rig.send(HTTP2Client.frame(0, 0, stream: stream, [1])) }
        for stream in streams { rig.send(HTTP2Client.frame(1, 5, stream: stream, HTTP2Client.block([("x", "y")]))) }
        #expect(!rig.connection.isOver)
        #expect(try rig.ask(HTTP2Client.request("/s1/a"), stream: 201).status == 301)
    }

    @Test func `frames and settings that are not known are passed over`() throws {
        let rig = try HTTP2Rig()
        rig.send(HTTP2Client.frame(0x42, 0xFF, stream: 7, [1, 2, 3]) + HTTP2Client.frame(4, 0, HTTP2Client.setting(0xF000, 7)))
        #expect(try rig.ask(HTTP2Client.request("/s1/a"), stream: 1).status == 301)
    }

    @Test func `a ping is answered with its own eight bytes, and an answer to one is not`() throws {
        let rig = try HTTP2Rig()
        rig.wire = []
        rig.send(HTTP2Client.frame(6, 0, [1, 2, 3, 4, 5, 6, 7, 8]) + HTTP2Client.frame(6, 1, [1, 2, 3, 4, 5, 6, 7, 8]))
        #expect(try rig.frames() == [.init(kind: 6, flags: 1, stream: 0, payload: [1, 2, 3, 4, 5, 6, 7, 8])])
    }

    @Test func `more streams at once than were allowed are refused, and may be asked for again`() throws {
        let rig = try HTTP2Rig()
        for stream in 0..<100 { rig.send(HTTP2Client.frame(1, 4, stream: UInt32(2 * stream + 1), Array(Self.post.dropFirst(9)))) }
        rig.wire = []
        rig.send(HTTP2Client.get("/s1/a", stream: 201))
        #expect(try rig.resetCode(201) == 7)
        rig.send(HTTP2Client.frame(3, 0, stream: 1, HTTP2Client.number(8)))
        #expect(try rig.ask(HTTP2Client.request("/s1/a"), stream: 203).status == 301)
        #expect(rig.refused(.streams) == 1)
    }

    // MARK: Windows

    private static let page = EdgePage(
        path: "/page", type: "text/plain", body: ByteBuffer(bytes: (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }), policy: nil)

    @Test func `an answer is sent as far as both windows let it, and goes on when they open`() throws {
        let rig = try HTTP2Rig(pages: [Self.page], says: HTTP2Client.preface + HTTP2Client.frame(4, 0, HTTP2Client.setting(4, 100_000)))
        rig.room = .max
        rig.wire = []
        rig.send(HTTP2Client.get("/page", stream: 1))
        var body = try #require(try rig.answers()[1]?.body)
        #expect(body.count == 65_535)
        rig.send(HTTP2Client.frame(8, 0, HTTP2Client.number(1_000_000)))
        body += try #require(try rig.answers()[1]?.body)
        #expect(body.count == 100_000)
        // A smaller first window may make a stream's own negative (§6.9.2).
        rig.send(HTTP2Client.frame(4, 0, HTTP2Client.setting(4, 0)))
        rig.send(HTTP2Client.frame(8, 0, stream: 1, HTTP2Client.number(100_000)))
        #expect(try rig.answers().isEmpty)
        rig.send(HTTP2Client.frame(4, 0, HTTP2Client.setting(4, 200_000)))
        let last = try #require(try rig.answers()[1])
        #expect(last.isWhole && body + last.body == Array(Self.page.body.readableBytesView))
        #expect(rig.connection.streams.isEmpty)
    }

    @Test func `large answers take turns`() throws {
        let rig = try HTTP2Rig(pages: [Self.page])
        rig.room = .max
        rig.wire = []
        rig.send(HTTP2Client.frame(8, 0, HTTP2Client.number(1_000_000)))
        rig.send(HTTP2Client.get("/page", stream: 1) + HTTP2Client.get("/page", stream: 3))
        rig.wire = []
        rig.send(HTTP2Client.frame(4, 0, HTTP2Client.setting(4, 200_000)))
        let streams = try rig.frames().filter { $0.kind == 0 }.map(\.stream)
        #expect(streams.starts(with: [1, 3, 1, 3, 1, 3]))
    }

    @Test func `a client that lets nothing be sent is waited for so long, and then loses that answer`() throws {
        let rig = try HTTP2Rig(pages: [Self.page], says: HTTP2Client.preface + HTTP2Client.frame(4, 0, HTTP2Client.setting(4, 0)))
        rig.send(HTTP2Client.get("/page", stream: 1))
        #expect(rig.connection.streams.count == 1)
        rig.wire = []
        // One byte a second gains nothing.
        for _ in 0..<59 {
            rig.send(HTTP2Client.frame(8, 0, stream: 1, HTTP2Client.number(1)))
            rig.advance(seconds: 1)
        }
        #expect(rig.connection.streams.count == 1)
        rig.advance(seconds: 1)
        #expect(try rig.resetCode(1) == 8)
        #expect(rig.refused(.windowTimeout) == 1 && rig.connection.streams.isEmpty)
    }

    @Test func `an answer to a body too large goes out through the window that its stream has`() throws {
        var limits = Limits()
        limits.body = 10
        let rig = try HTTP2Rig(
            limits: limits, says: HTTP2Client.preface + HTTP2Client.frame(4, 0, HTTP2Client.setting(4, 0)))
        rig.send(Self.post + HTTP2Client.frame(8, 0, stream: 1, HTTP2Client.number(10_000)))
        rig.wire = []
        rig.send(HTTP2Client.frame(0, 1, stream: 1, [UInt8](repeating: 0x20, count: 11)))
        let answer = try #require(try rig.answers()[1])
        #expect(answer.status == 413 && answer.isWhole)
    }

    @Test func `a redirect needs no window`() throws {
        let rig = try HTTP2Rig(says: HTTP2Client.preface + HTTP2Client.frame(4, 0, HTTP2Client.setting(4, 0)))
        rig.isFast = true
        for stream in 0..<1000 {
            #expect(try rig.ask(HTTP2Client.request("/s1/a"), stream: UInt32(2 * stream + 1))["location"] == atCDN("/a"))
        }
        #expect(!rig.connection.needsSlowPath)
    }

    @Test func `a client that sends more than it may is cut`() throws {
        let rig = try HTTP2Rig()
        rig.send(Self.post)
        // A window of its own is not opened for a stream whose body is not wanted.
        rig.connection.windowLeft = 10
        rig.send(HTTP2Client.frame(0, 0, stream: 1, [UInt8](repeating: 0x20, count: 11)))
        #expect(try rig.goodbye() == 3)
    }

    // MARK: Floods

    private static let floods: [(HTTP2Refusal, [UInt8])] = [
        (.pingFlood, HTTP2Client.frame(6, 0, [0, 0, 0, 0, 0, 0, 0, 0])), (.settingsFlood, HTTP2Client.frame(4)),
        (.settingsFlood, HTTP2Client.frame(4, 1)), (.frameFlood, HTTP2Client.frame(2, 0, stream: 3, [0, 0, 0, 0, 0])),
        (.frameFlood, HTTP2Client.frame(0x42)), (.frameFlood, HTTP2Client.frame(8, 0, HTTP2Client.number(1))),
        (.frameFlood, HTTP2Client.frame(7, 0, [0, 0, 0, 0, 0, 0, 0, 0])),
        (.pingFlood, HTTP2Client.frame(6, 1, [0, 0, 0, 0, 0, 0, 0, 0])), (.emptyFrameFlood, HTTP2Client.frame(0, 0, stream: 1)),
        (.emptyFrameFlood, HTTP2Client.frame(0, 8, stream: 1, [0])),
    ]

    @Test(arguments: floods) func `a flood of frames that ask for nothing ends the connection`(flood: HTTP2Refusal, frame: [UInt8]) throws {
        let rig = try HTTP2Rig()
        rig.send(Self.post)
        for _ in 0..<1100 where !rig.connection.isOver { rig.send(frame) }
        #expect(try rig.goodbye() == 11)
        #expect(rig.refused(flood) == 1)
        #expect(rig.bodies.take(rig.bodies.limit))
    }

    @Test(arguments: floods) func `the same frames now and then do no harm`(flood: HTTP2Refusal, frame: [UInt8]) throws {
        let rig = try HTTP2Rig()
        rig.send(Self.post)
        for _ in 0..<3000 {
            rig.second += 1
            rig.send(frame)
        }
        #expect(!rig.connection.isOver)
    }

    @Test func `requests that are reset at once end the connection, and many that are not do not`() throws {
        let rig = try HTTP2Rig()
        for stream in 0..<2000 { rig.send(HTTP2Client.get("/s1/a", stream: UInt32(2 * stream + 1))) }
        #expect(!rig.connection.isOver)
        var count = 0
        for stream in 2000..<4000 where !rig.connection.isOver {
            count += 1
            let number = UInt32(2 * stream + 1)
            rig.send(HTTP2Client.get("/s1/a", stream: number) + HTTP2Client.frame(3, 0, stream: number, HTTP2Client.number(8)))
        }
        #expect(try rig.goodbye() == 11)
        #expect(rig.refused(.resetFlood) == 1 && count < 200)
    }

    /// What has the server reset a stream on which it works (CVE-2025-8671, "MadeYouReset").
    private static let provocations: [[UInt8]] = [
        HTTP2Client.frame(8, 0, stream: 1, HTTP2Client.number(0x7FFF_FFFF)), HTTP2Client.frame(8, 0, stream: 1, HTTP2Client.number(0)),
        HTTP2Client.frame(2, 0, stream: 1, [0]), HTTP2Client.frame(2, 0, stream: 1, HTTP2Client.number(1) + [0]),
        HTTP2Client.frame(0, 1, stream: 1, [1]), HTTP2Client.frame(1, 5, stream: 1, HTTP2Client.block([("x", "y")])),
    ]

    @Test(arguments: provocations) func `a client that has its requests reset is cut as one that resets them`(frame: [UInt8]) throws {
        var router = Router()
        router.add("/fetched", .init(resource: .upstream, methods: .reading, isFast: false))
        let rig = try HTTP2Rig(router: router)
        var count = 0
        for stream in 0..<1000 where !rig.connection.isOver {
            count += 1
            let number = HTTP2Client.number(UInt32(2 * stream + 1))
            var provocation = frame
            provocation.replaceSubrange(5..<9, with: number)
            if frame[3] == 2, frame.count == 14 { provocation.replaceSubrange(9..<13, with: number) }
            rig.send(HTTP2Client.get("/fetched", stream: UInt32(2 * stream + 1)) + provocation)
        }
        #expect(try rig.goodbye() == 11)
        #expect(count < 200 && rig.refused(.errorFlood) == 1)
    }

    @Test func `bodies that nobody waits for cost their client something`() throws {
        let rig = try HTTP2Rig(pages: [Self.page], says: HTTP2Client.preface + HTTP2Client.frame(4, 0, HTTP2Client.setting(4, 0)))
        rig.send(HTTP2Client.frame(1, 4, stream: 1, HTTP2Client.block(HTTP2Client.request("/page"))))
        for _ in 0..<1100 where !rig.connection.isOver { rig.send(HTTP2Client.frame(0, 0, stream: 1, [1])) }
        #expect(try rig.goodbye() == 11)
    }

    @Test func `who lets an answer come byte by byte is cut, and in kilobytes not`() throws {
        for (count, isCut) in [(1, true), (1024, false)] {
            let rig = try HTTP2Rig(pages: [Self.page], says: HTTP2Client.preface + HTTP2Client.frame(4, 0, HTTP2Client.setting(4, 0)))
            rig.send(HTTP2Client.frame(8, 0, HTTP2Client.number(10_000_000)))
            for stream in 0..<10 {
                rig.send(HTTP2Client.get("/page", stream: UInt32(2 * stream + 1)))
                for _ in 0..<196 {
                    rig.send(HTTP2Client.frame(8, 0, stream: UInt32(2 * stream + 1), HTTP2Client.number(UInt32(count))))
                }
            }
            #expect(rig.connection.isOver == isCut && rig.refused(.frameFlood) == (isCut ? 1 : 0))
        }
    }

    @Test func `requests that are none, one after the other, end the connection`() throws {
        let rig = try HTTP2Rig()
        for stream in 0..<2000 where !rig.connection.isOver {
            rig.send(HTTP2Client.frame(1, 5, stream: UInt32(2 * stream + 1), HTTP2Client.block([("x", "y")])))
        }
        #expect(try rig.goodbye() == 11)
        #expect(rig.refused(.errorFlood) == 1)
    }

    @Test(arguments: [0, 1, 16_000]) func `a header block without end ends the connection`(size: Int) throws {
        let rig = try HTTP2Rig()
        rig.send(HTTP2Client.frame(1, 1, stream: 1, HTTP2Client.block(HTTP2Client.request("/"))))
        for _ in 0..<40 where !rig.connection.isOver { rig.send(HTTP2Client.frame(9, 0, stream: 1, [UInt8](repeating: 0, count: size))) }
        #expect(try rig.goodbye() == 11)
        #expect(rig.refused(.continuationFlood) == 1)
        #expect(rig.connection.block.isEmpty)
    }

    @Test func `a header block that unpacks to too much ends the connection`() throws {
        let rig = try HTTP2Rig()
        let fields =
            HTTP2Client.block(HTTP2Client.request("/")) + [0x40]
            + Array(HTTP2Client.block([("x", String(repeating: "y", count: 4000))])[1...])
        rig.send(HTTP2Client.frame(1, 5, stream: 1, fields))
        rig.send(HTTP2Client.frame(1, 5, stream: 3, HTTP2Client.block(HTTP2Client.request("/")) + [UInt8](repeating: 0xBE, count: 5000)))
        #expect(try rig.goodbye() == 11)
        #expect(rig.refused(.headerBomb) == 1)
    }

    @Test func `answers that are not taken make requests wait, and none is lost`() throws {
        let rig = try HTTP2Rig()
        rig.room = 1000
        rig.wire = []
        rig.send((0..<90).flatMap { HTTP2Client.get("/s1/\($0)", stream: UInt32(2 * $0 + 1)) })
        #expect(rig.connection.isPaused && rig.wire.count < 2000)
        for _ in 0..<90 where rig.connection.isPaused { rig.resume() }
        let answers = try rig.answers()
        #expect((0..<90).allSatisfy { answers[UInt32(2 * $0 + 1)]?["location"] == atCDN("/\($0)") })
    }

    // MARK: Deadlines

    @Test func `a client that says nothing after its beginning has as long as for a head`() throws {
        let rig = try HTTP2Rig()
        rig.advance(seconds: 4)
        #expect(!rig.connection.isOver)
        rig.advance(seconds: 1)
        #expect(try rig.goodbye() == 0)
    }

    @Test func `an idle connection is told that it ends`() throws {
        let rig = try HTTP2Rig()
        _ = try rig.ask(HTTP2Client.request("/s1/a"), stream: 1)
        rig.advance(seconds: 59)
        // Pings are no requests.
        rig.send(HTTP2Client.frame(6, 0, [0, 0, 0, 0, 0, 0, 0, 0]))
        #expect(!rig.connection.isOver)
        rig.advance(seconds: 1)
        #expect(try rig.goodbye() == 0)
    }

    @Test(arguments: [HTTP2Client.get("/s1/a", stream: 3).dropLast(), HTTP2Client.frame(1, 1, stream: 3, [0x82])[...]])
    func `half a frame or header block has a deadline that does not move as bytes drip in`(half: ArraySlice<UInt8>) throws {
        let rig = try HTTP2Rig()
        _ = try rig.ask(HTTP2Client.request("/s1/a"), stream: 1)
        for byte in half.dropLast(3) { rig.send([byte]) }
        for byte in half.suffix(3) {
            rig.advance(seconds: 1)
            rig.send([byte])
        }
        if half.count < 12 { for _ in 0..<3 { rig.send(HTTP2Client.frame(9, 0, stream: 3)) } }
        rig.advance(seconds: 2)
        #expect(try rig.goodbye() == 0)
        #expect(rig.refused(.headTimeout) == 1)
    }

    @Test(arguments: [
        HTTP2Client.get("/s1/a", stream: 1), HTTP2Client.frame(1, 1, stream: 1, HTTP2Client.block(HTTP2Client.request("/s1/a"))),
    ])
    func `half a head that the fast path has read has its time on the slow one`(half: [UInt8]) throws {
        let rig = try HTTP2Rig(says: [])
        rig.isFast = true
        rig.send(HTTP2Client.hello + half.dropLast(half[4] & 4 == 4 ? 1 : 0))
        #expect(rig.connection.needsSlowPath)
        (rig.isFast, rig.now) = (false, .uptimeNanoseconds(1_000_000_000_000))
        rig.connection.beginDeadlines(rig.turn)
        rig.resume()
        rig.advance(seconds: 4)
        #expect(!rig.connection.isOver)
        rig.advance(seconds: 1)
        #expect(try rig.goodbye() == 0)
        #expect(rig.refused(.headTimeout) == 1)
    }

    @Test func `a body that does not come in time is refused on its stream alone`() throws {
        let rig = try HTTP2Rig()
        rig.send(Self.post)
        rig.advance(seconds: 9)
        rig.send(HTTP2Client.frame(0, 0, stream: 1, [0x20]))
        rig.wire = []
        rig.advance(seconds: 1)
        #expect(try rig.answers()[1]?.status == 408)
        #expect(try rig.ask(HTTP2Client.request("/s1/a"), stream: 3).status == 301)
        #expect(rig.bodies.take(rig.bodies.limit))
    }

    // MARK: Goodbyes

    @Test func `a node that stops says so twice, and answers what comes between`() throws {
        let rig = try HTTP2Rig()
        _ = try rig.ask(HTTP2Client.request("/s1/a"), stream: 1)
        rig.drain()
        let first = try rig.frames()
        #expect(first.map(\.kind) == [7, 6] && first[0].payload == HTTP2Client.number(0x7FFF_FFFF) + HTTP2Client.number(0))
        #expect(try rig.ask(HTTP2Client.request("/s1/b"), stream: 3)["location"] == atCDN("/b"))
        rig.send(HTTP2Client.frame(6, 1, first[1].payload))
        #expect(try rig.frames().last?.payload == HTTP2Client.number(3) + HTTP2Client.number(0))
        #expect(rig.connection.isOver)
    }

    @Test func `a client that does not answer the first goodbye gets the second after a second`() throws {
        let rig = try HTTP2Rig()
        rig.send(Self.post)
        rig.drain()
        rig.advance(seconds: 1)
        let last = try rig.frames().last
        #expect(last?.kind == 7 && last?.payload == HTTP2Client.number(1) + HTTP2Client.number(0))
        // What was begun is answered, what begins now is not.
        #expect(!rig.connection.isOver)
        rig.send(HTTP2Client.get("/s1/a", stream: 3))
        rig.send(HTTP2Client.frame(0, 1, stream: 1, [UInt8](latin1: "{\"video\": \"http://s1.origin-cluster/a\"}")))
        let answers = try rig.answers()
        #expect(answers[1]?["location"] == atCDN("/a") && answers[3] == nil)
        #expect(rig.connection.isOver)
    }

    @Test func `what is on its way behind the last goodbye is passed over`() throws {
        let rig = try HTTP2Rig()
        rig.send(Self.post)
        rig.drain()
        rig.advance(seconds: 1)
        rig.wire = []
        // A request in pieces, with a body and trailers, whose client did not know yet.
        let kept = [0x40] + HTTP2Client.block([("x", "y")]).dropFirst()
        let late = HTTP2Client.block(HTTP2Client.request("/origin", method: "POST")) + kept
        rig.send(HTTP2Client.frame(1, 4, stream: 3, late) + HTTP2Client.frame(0, 0, stream: 3, [1]))
        rig.send(HTTP2Client.frame(8, 0, stream: 3, HTTP2Client.number(1)) + HTTP2Client.frame(1, 5, stream: 3, [0xBE]))
        rig.send(HTTP2Client.frame(0, 1, stream: 1, [UInt8](latin1: "{\"video\": \"http://s1.origin-cluster/a\"}")))
        #expect(try rig.answers()[1]?["location"] == atCDN("/a"))
        #expect(rig.connection.isOver)
    }

    @Test func `a goodbye for an error takes back nothing of the one before`() throws {
        let rig = try HTTP2Rig()
        rig.send(Self.post)
        rig.drain()
        rig.advance(seconds: 1)
        rig.send(HTTP2Client.get("/s1/a", stream: 3) + HTTP2Client.frame(6, 0, stream: 1, [0]))
        let goodbyes = try rig.frames().filter { $0.kind == 7 }
        #expect(goodbyes.map { $0.payload.prefix(4).last } == [255, 1, 1] && goodbyes.last?.code == 1)
    }

    @Test func `what is answered does not depend on how it is cut`() throws {
        var random = SplitMix64(for: "cuts of HTTP/2")
        let block = HTTP2Client.block(HTTP2Client.request("/s1/a") + [("cookie", "a"), ("cookie", "b")])
        for _ in 0..<300 {
            var bytes = HTTP2Client.hello
            for stream in 0..<8 {
                let number = UInt32(2 * stream + 1)
                switch random.next() % 7 {
                case 0: bytes += HTTP2Client.frame(1, 4, stream: number, HTTP2Client.block(HTTP2Client.request("/origin", method: "POST")))
                case 1: bytes += HTTP2Client.frame(0, 1, stream: max(1, number &- 2), Array("{}".utf8))
                case 2:
                    bytes +=
                        HTTP2Client.frame(1, 1, stream: number, Array(block[..<9]))
                        + HTTP2Client.frame(9, 4, stream: number, Array(block[9...]))
                case 3: bytes += HTTP2Client.frame(6, 0, [1, 2, 3, 4, 5, 6, 7, 8])
                case 4: bytes += HTTP2Client.get("/nothing", stream: number, [("x", "\u{1}")])
                default: bytes += HTTP2Client.frame(1, 5, stream: number, block)
                }
            }
            if random.next() % 2 == 0 {
                bytes[24 + Int(random.next() % UInt64(bytes.count - 24))] = UInt8(truncatingIfNeeded: random.next())
            }
            let whole = try HTTP2Rig(says: [])
            whole.send(bytes)
            let cut = try HTTP2Rig(says: [])
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = random.next() % 2 == 0 ? 1 : Int(1 + random.next() % 40)
                cut.send(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(whole.wire == cut.wire && whole.connection.isOver == cut.connection.isOver, "\(bytes)")
        }
    }

    @Test func `whatever comes, nothing traps and memory is bounded`() throws {
        var random = SplitMix64(for: "frames of HTTP/2")
        let block = HTTP2Client.block(HTTP2Client.request("/s1/a"))
        for _ in 0..<3000 {
            let rig = try HTTP2Rig()
            rig.isFast = random.next() % 2 == 0
            for _ in 0..<20 where !rig.connection.isOver {
                var payload =
                    random.next() % 3 == 0 ? block : (0..<Int(random.next() % 24)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                if random.next() % 4 == 0, !payload.isEmpty {
                    payload[Int(random.next() % UInt64(payload.count))] = UInt8(truncatingIfNeeded: random.next())
                }
                let stream = UInt32(truncatingIfNeeded: random.next() % 8)
                rig.send(HTTP2Client.frame(UInt8(random.next() % 11), UInt8(truncatingIfNeeded: random.next()), stream: stream, payload))
                if random.next() % 8 == 0 {
                    rig.isFast = false
                    rig.resume()
                }
            }
            #expect(rig.connection.streams.count <= HTTP2Connection.maximumStreams && rig.connection.input.count < 20_000)
            _ = try rig.frames()
        }
    }
}
