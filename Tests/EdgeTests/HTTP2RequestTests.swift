import NIOCore
import Steering
import Testing

@testable import Edge

/// Requests by HTTP/2 (RFC 9113 §8) and their answers.
@Suite struct HTTP2RequestTests {
    private typealias Fields = [(String, String)]

    private struct Request {
        let line: String
        var fields: Fields = []
        var body: String?

        init(_ line: String, _ fields: Fields = [], body: String? = nil) {
            self.line = line
            self.fields = fields
            self.body = body
        }
    }

    private static let video = "{\"video\": \"http://s1.origin-cluster/a\"}"

    private static let requests: [Request] = [
        Request("GET /s1/a"), Request("HEAD /s1/a"), Request("GET /?video=http://s1.origin-cluster/a/b.m3u8"),
        Request("GET /?video=http%3A%2F%2Fs2.origin-cluster%2Fa%20b"), Request("GET /s1/a", [("accept", "application/json")]),
        Request("GET /?video=http://s1.origin-cluster/a&format=json"), Request("GET /"), Request("GET /nothing"), Request("GET /?video=no"),
        Request("GET /livez"), Request("GET /readyz"), Request("HEAD /livez"), Request("DELETE /livez"), Request("BREW /"),
        Request("OPTIONS /", [("access-control-request-headers", "x-a, x-b")]), Request("OPTIONS *"), Request("TRACE /s1/a"),
        Request("ABCDEFGHIJKLMNOPQ /"), Request("GET /s1/a#b"), Request("GET /s1/a\u{FF}"), Request("GET /page"), Request("HEAD /page"),
        Request("GET /s1/a", [("x", "\u{1}")]), Request("GET /s1/a", [("x", "\u{80}")]), Request("GET /s1/a", [("expect", "tea")]),
        Request("POST /origin", [("content-length", "\(video.utf8.count)")], body: video),
        Request("POST /origin", [("content-length", "5")], body: "nono!"), Request("POST /nothing", [("content-length", "1")], body: "x"),
        Request("GET /s1/a", [("content-length", "1x")]), Request("GET /steering/hls/s1/a.m3u8"),
        Request("GET /s1/" + String(repeating: "a", count: 9000)),
        Request("GET /s1/a", [("x", String(repeating: "y", count: 17_000))]), Request("GET /s1/a", (0..<100).map { ("x\($0)", "") }),
    ]

    private static func setup() -> Setup {
        var setup = Setup()
        setup.links = true
        setup.steers = true
        setup.every = 3
        return setup
    }

    private static let pages = [EdgePage(path: "/page", type: "text/html", body: ByteBuffer(string: "<p>page</p>"), policy: nil)]

    /// The answer by HTTP/1, on a connection of its own.
    private static func first(_ line: String, _ fields: Fields, _ body: String?) throws -> Answer {
        let rig = try ConnectionRig(setup(), pages: pages)
        rig.send(HeadVector.head("\(line) HTTP/1.1", ["Host: b"] + fields.map { "\($0.0): \($0.1)" }) + (body ?? ""))
        return try #require(try rig.answersToHead(line.hasPrefix("HEAD")).first)
    }

    @Test(arguments: [false, true])
    func `every answer has the status, the fields and the body that HTTP/1 gives`(beginsFast: Bool) throws {
        for request in Self.requests {
            let (line, fields, body) = (request.line, request.fields, request.body)
            let parts = line.split(separator: " ", maxSplits: 1).map { String($0) }
            let rig = try HTTP2Rig(Self.setup(), pages: Self.pages)
            rig.wire = []
            rig.isFast = beginsFast
            rig.second = 784_111_777
            let all = HTTP2Client.request(parts[1], method: parts[0]) + fields
            rig.send(HTTP2Client.headers(body == nil ? 1 : 0, stream: 1, HTTP2Client.block(all)))
            if let body { rig.send(HTTP2Client.frame(0, 1, stream: 1, [UInt8](latin1: body))) }
            if beginsFast {
                rig.isFast = false
                rig.resume()
            }
            let got = try #require(try rig.answers()[1], "no answer to \(line)")
            let told = try Self.first(line, fields, body)
            #expect(got.status == told.status && got.isWhole, "\(line)")
            #expect(got.body.latin1 == told.body, "\(line)")
            let expected = told.fields.filter { $0.name != "Connection" }.map { ($0.name.lowercased(), $0.value) }
            #expect(got.fields.dropFirst().elementsEqual(expected) { $0 == $1 }, "\(line): \(got.fields) instead of \(expected)")
        }
    }

    @Test func `many streams of a read are answered in one write, in their order`() throws {
        let rig = try HTTP2Rig()
        rig.isFast = true
        rig.wire = []
        rig.send((0..<50).flatMap { HTTP2Client.get("/s1/\($0)", stream: UInt32(2 * $0 + 1)) })
        let frames = try rig.frames()
        #expect(frames.map(\.stream) == (0..<50).map { 2 * $0 + 1 })
        let answers = try HTTP2Client.answers(in: frames)
        for round in 0..<50 { #expect(answers[UInt32(2 * round + 1)]?["location"] == atCDN("/\(round)")) }
        #expect(!rig.connection.needsSlowPath && rig.connection.streams.isEmpty && rig.connection.input.isEmpty)
    }

    @Test func `frames may come byte by byte`() throws {
        let rig = try HTTP2Rig(says: [])
        for byte in HTTP2Client.hello + HTTP2Client.get("/s1/a", stream: 1) { rig.send([byte]) }
        #expect(try rig.answers()[1]?["location"] == atCDN("/a"))
    }

    @Test func `a header block may come in pieces, with padding and a priority`() throws {
        let rig = try HTTP2Rig()
        rig.wire = []
        let block = HTTP2Client.block(HTTP2Client.request("/s1/a"))
        let first = [3] + HTTP2Client.number(0) + [7] + block.prefix(10) + [0, 0, 0]
        rig.send(HTTP2Client.frame(1, 0x29, stream: 1, first) + HTTP2Client.frame(9, 0, stream: 1))
        rig.send(HTTP2Client.frame(9, 4, stream: 1, Array(block.dropFirst(10))))
        #expect(try rig.answers()[1]?["location"] == atCDN("/a"))
    }

    /// What is no request: ended with PROTOCOL_ERROR, and the next one is answered.
    @Test(
        arguments: [
            [(":method", "GET"), (":scheme", "https")], [(":method", "GET"), (":path", "/")], [(":scheme", "https"), (":path", "/")], [],
            [(":method", "GET"), (":scheme", "https"), (":path", ""), (":authority", "b")],
            HTTP2Client.request("/") + [(":path", "/")], HTTP2Client.request("/") + [(":method", "GET")],
            HTTP2Client.request("/") + [(":authority", "b")], HTTP2Client.request("/") + [(":scheme", "https")],
            HTTP2Client.request("/") + [(":status", "200")], HTTP2Client.request("/") + [(":protocol", "websocket")],
            [("x", "y")] + HTTP2Client.request("/"), HTTP2Client.request("/") + [("X-Upper", "y")], HTTP2Client.request("/") + [("", "y")],
            HTTP2Client.request("/") + [("a b", "y")], HTTP2Client.request("/") + [("x", "a\r\nb: c")],
            HTTP2Client.request("/") + [("x", "a\u{0}")], HTTP2Client.request("/") + [("x", " a")],
            HTTP2Client.request("/") + [("x", "a\t")],
            HTTP2Client.request("/") + [("connection", "close")], HTTP2Client.request("/") + [("keep-alive", "1")],
            HTTP2Client.request("/") + [("proxy-connection", "close")], HTTP2Client.request("/") + [("transfer-encoding", "chunked")],
            HTTP2Client.request("/") + [("upgrade", "h2c")], HTTP2Client.request("/") + [("te", "gzip")],
            HTTP2Client.request("/a\r\nb"), HTTP2Client.request("/", authority: "b\r\nx: y"),
            HTTP2Client.request("/") + [("content-length", "3")],
            [(":method", "CONNECT"), (":scheme", "https"), (":path", "/"), (":authority", "b:1")], [(":method", "CONNECT")],
            [(":method", ""), (":scheme", "https"), (":path", "/")], [(":method", "G T"), (":scheme", "https"), (":path", "/")],
        ] as [[(String, String)]])
    func `fields that no request may have end their stream alone`(fields: [(String, String)]) throws {
        let rig = try HTTP2Rig()
        rig.send(HTTP2Client.frame(1, 5, stream: 1, HTTP2Client.block(fields)))
        #expect(try rig.resetCode(1) == 1, "\(fields)")
        #expect(rig.refused(.malformed) == 1)
        #expect(try rig.ask(HTTP2Client.request("/s1/a"), stream: 3)["location"] == atCDN("/a"))
    }

    /// What HTTP/1 would refuse in the same place.
    @Test(
        arguments: [
            (HTTP2Client.request("/s1/a", authority: nil), 400), (HTTP2Client.request("/s1/a", authority: ""), 400),
            (HTTP2Client.request("/s1/a", authority: "user@b"), 400), (HTTP2Client.request("/s1/a") + [("host", "c")], 400),
            (HTTP2Client.request("/s1/a") + [("host", "B")], 301), (HTTP2Client.request("/s1/a", authority: nil) + [("host", "b")], 301),
            (HTTP2Client.request("/s1/a", authority: nil) + [("host", "b"), ("host", "b")], 400),
            (HTTP2Client.request("http://b/s1/a"), 400), (HTTP2Client.request("*"), 400), (HTTP2Client.request("s1/a"), 400),
            (HTTP2Client.request("/s1/a", scheme: "ftp"), 400), (HTTP2Client.request("/s1/a", scheme: "HTTP"), 301),
            (HTTP2Client.request("/s1/a") + [("te", "trailers")], 301), (HTTP2Client.request("/s1/a") + [("content-length", "0")], 301),
            ([(":method", "CONNECT"), (":authority", "b:1")], 405), ([(":method", "CONNECT"), (":authority", "b")], 400),
        ] as [([(String, String)], Int)])
    func `one host, a target of its own, a scheme of the web`(fields: [(String, String)], status: Int) throws {
        let rig = try HTTP2Rig()
        #expect(try rig.ask(fields, stream: 1).status == status, "\(fields)")
    }

    @Test func `cookies that come one by one are one field`() throws {
        var head = HTTP2Head()
        head.begin(Limits(), isTrailer: false)
        var decoder = HPACKDecoder()
        let fields = HTTP2Client.request("/") + [("cookie", "a=1"), ("x", "y"), ("cookie", "b=2")]
        try decoder.decode(HTTP2Client.block(fields).span, into: &head)
        let finished = head.finish(hasBody: false)
        let request = try #require(finished)
        #expect(head.text[request.fields.range].latin1 == "host: b\r\nx: y\r\ncookie: a=1; b=2\r\n")
    }

    @Test(arguments: [(8, 301), (15, 301), (17, 431)]) func `cookies may be as large as all fields together`(kilobytes: Int, status: Int)
        throws
    {
        let rig = try HTTP2Rig()
        let crumbs = (0..<kilobytes).map { ("cookie", "c\($0)=" + String(repeating: "x", count: 1000)) }
        #expect(try rig.ask(HTTP2Client.request("/s1/a") + crumbs, stream: 1).status == status)
    }

    // MARK: Bodies

    @Test func `a body may come in pieces, with padding, and end with fields`() throws {
        let rig = try HTTP2Rig()
        rig.wire = []
        let request = HTTP2Client.block(HTTP2Client.request("/origin", method: "POST"))
        rig.send(HTTP2Client.frame(1, 4, stream: 1, request))
        for byte in [UInt8](latin1: Self.video) { rig.send(HTTP2Client.frame(0, 8, stream: 1, [2, byte, 0, 0])) }
        #expect(try rig.answers().isEmpty)
        rig.send(HTTP2Client.frame(1, 5, stream: 1, HTTP2Client.block([("x-sum", "1")])))
        #expect(try rig.answers()[1]?["location"] == atCDN("/a"))
        #expect(rig.connection.streams.isEmpty && rig.bodies.take(rig.bodies.limit))
    }

    @Test(arguments: [[(":status", "200")], [("X", "y")]] as [[(String, String)]])
    func `fields behind a body that may not be there end its stream`(fields: [(String, String)]) throws {
        let rig = try HTTP2Rig()
        rig.send(HTTP2Client.frame(1, 4, stream: 1, HTTP2Client.block(HTTP2Client.request("/origin", method: "POST"))))
        rig.send(HTTP2Client.frame(1, 5, stream: 1, HTTP2Client.block(fields)))
        #expect(try rig.resetCode(1) == 1)
    }

    @Test func `fields that begin no end of a body end its stream`() throws {
        let rig = try HTTP2Rig()
        rig.send(HTTP2Client.frame(1, 4, stream: 1, HTTP2Client.block(HTTP2Client.request("/origin", method: "POST"))))
        rig.send(HTTP2Client.frame(1, 4, stream: 1, HTTP2Client.block([("x", "y")])))
        #expect(try rig.resetCode(1) == 1)
    }

    @Test(arguments: ["3", "40"]) func `a body of another length than was said ends its stream`(length: String) throws {
        let rig = try HTTP2Rig()
        let fields = HTTP2Client.request("/origin", method: "POST") + [("content-length", length)]
        rig.send(HTTP2Client.frame(1, 4, stream: 1, HTTP2Client.block(fields)))
        rig.send(HTTP2Client.frame(0, 1, stream: 1, [UInt8](latin1: "12345")))
        #expect(try rig.resetCode(1) == 1)
        #expect(rig.refused(.bodyLength) == 1 && rig.bodies.take(rig.bodies.limit))
    }

    @Test func `a body that is too large is refused, and nobody reads on`() throws {
        var limits = Limits()
        limits.body = 100
        let rig = try HTTP2Rig(limits: limits)
        rig.send(HTTP2Client.frame(1, 4, stream: 1, HTTP2Client.block(HTTP2Client.request("/origin", method: "POST"))))
        rig.wire = []
        rig.send(HTTP2Client.frame(0, 0, stream: 1, [UInt8](repeating: 0x20, count: 101)))
        let frames = try rig.frames()
        #expect(try HTTP2Client.answers(in: frames)[1]?.status == 413)
        #expect(frames.last?.kind == 3 && frames.last?.code == 0)
        // What was on its way is passed over.
        rig.send(HTTP2Client.frame(0, 1, stream: 1, [1, 2, 3]))
        #expect(try rig.ask(HTTP2Client.request("/s1/a"), stream: 3).status == 301)
        #expect(rig.bodies.take(rig.bodies.limit))
    }

    @Test func `a body that nobody asked for is not waited for`() throws {
        let rig = try HTTP2Rig()
        rig.wire = []
        rig.send(HTTP2Client.frame(1, 4, stream: 1, HTTP2Client.block(HTTP2Client.request("/s1/a"))))
        let frames = try rig.frames()
        #expect(try HTTP2Client.answers(in: frames)[1]?["location"] == atCDN("/a"))
        #expect(frames.last?.kind == 3 && frames.last?.code == 0)
    }

    @Test func `a body of length 0 is none, as by HTTP/1`() throws {
        let fields = [("content-length", "0")]
        let told = try Self.first("POST /origin", fields, "")
        for isAnnounced in [true, false] {
            let rig = try HTTP2Rig(Self.setup())
            rig.wire = []
            let block = HTTP2Client.block(HTTP2Client.request("/origin", method: "POST") + fields)
            rig.send(HTTP2Client.frame(1, isAnnounced ? 4 : 5, stream: 1, block) + (isAnnounced ? HTTP2Client.frame(0, 1, stream: 1) : []))
            let got = try #require(try rig.answers()[1])
            #expect(got.status == told.status && got.body.latin1 == told.body)
        }
    }

    @Test func `a client that waits for leave to send a body gets it`() throws {
        let rig = try HTTP2Rig()
        rig.wire = []
        let fields = HTTP2Client.request("/origin", method: "POST") + [("expect", "100-continue")]
        rig.send(HTTP2Client.frame(1, 4, stream: 1, HTTP2Client.block(fields)))
        let interim = try rig.frames()
        #expect(interim.count == 1 && interim[0].kind == 1 && !interim[0].endsStream)
        #expect(try HTTP2Client.fields(in: interim[0].payload).map(\.value) == ["100"])
        rig.send(HTTP2Client.frame(0, 1, stream: 1, [UInt8](latin1: Self.video)))
        #expect(try rig.answers()[1]?["location"] == atCDN("/a"))
    }

    @Test func `large bodies are let in as they are taken`() throws {
        var limits = Limits()
        limits.body = 300_000
        let rig = try HTTP2Rig(limits: limits)
        rig.send(HTTP2Client.frame(1, 4, stream: 1, HTTP2Client.block(HTTP2Client.request("/origin", method: "POST"))))
        var (window, streamWindow) = (65_535, 65_535)
        for _ in 0..<15 {
            rig.wire = []
            rig.send(HTTP2Client.frame(0, 0, stream: 1, [UInt8](repeating: 0x20, count: 16_384)))
            window -= 16_384
            streamWindow -= 16_384
            for frame in try rig.frames() where frame.kind == 8 {
                if frame.stream == 0 { window += Int(frame.code) } else { streamWindow += Int(frame.code) }
            }
            #expect(window >= 16_384 && streamWindow >= 16_384)
        }
        rig.send(HTTP2Client.frame(0, 1, stream: 1, [UInt8](latin1: Self.video)))
        #expect(try rig.answers()[1]?["location"] == atCDN("/a"))
    }

    // MARK: What has to be fetched

    @Test func `an answer that is fetched does not hold up the others`() throws {
        var router = Router()
        router.add("/fetched", .init(resource: .upstream, methods: .reading, isFast: false))
        let rig = try HTTP2Rig(router: router)
        rig.wire = []
        rig.send(HTTP2Client.get("/fetched", stream: 1) + HTTP2Client.get("/s1/a", stream: 3))
        #expect(try rig.answers()[3]?["location"] == atCDN("/a"))
        #expect(rig.connection.fetches.map(\.stream) == [1])
        rig.give(.page(EdgePage(path: "", type: "text/plain", body: ByteBuffer(string: "far"), policy: nil)), for: 1)
        #expect(try rig.answers()[1]?.body.latin1 == "far")
        rig.give(nil, for: 1)
        #expect(try rig.frames().isEmpty)
    }

    @Test func `what comes for a stream that its client has left is nobody's`() throws {
        var router = Router()
        router.add("/fetched", .init(resource: .upstream, methods: .reading, isFast: false))
        let rig = try HTTP2Rig(router: router)
        rig.send(HTTP2Client.get("/fetched", stream: 1) + HTTP2Client.frame(3, 0, stream: 1, HTTP2Client.number(8)))
        rig.wire = []
        rig.give(.page(EdgePage(path: "", type: "text/plain", body: ByteBuffer(string: "far"), policy: nil)), for: 1)
        #expect(rig.wire.isEmpty && rig.connection.streams.isEmpty)
    }
}

extension ConnectionRig {
    /// The answers to one request.
    fileprivate func answersToHead(_ isHead: Bool) throws -> [Answer] { try Answer.all(in: wire.takeReceived(), toHead: isHead) }
}
