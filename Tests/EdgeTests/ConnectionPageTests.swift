import NIOCore
import Testing

@testable import Edge

/// Pages of the documentation: served as they are, in order with other answers, and in bounded memory.
@Suite struct ConnectionPageTests {
    private static let body = "<p>\(String(repeating: "x", count: 100_000))</p>"
    private static let pages = [
        EdgePage(path: "/docs/swagger", type: "text/html", body: ByteBuffer(string: body), policy: "default-src 'self'"),
        EdgePage(path: "/openapi.json", type: "application/json", body: ByteBuffer(string: "{}"), policy: nil),
    ]

    @Test func `a page is answered to the byte, and HEAD without the body`() throws {
        for (method, body) in [("GET", "{}"), ("HEAD", "")] {
            let rig = try ConnectionRig(pages: Self.pages)
            rig.send("\(method) /openapi.json?x HTTP/1.1\r\nHost: b\r\n\r\n")
            let fields = [
                "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'", "X-Content-Type-Options: nosniff",
                "Content-Type: application/json",
                "Content-Length: 2",
            ]
            #expect(rig.wire.takeReceived().latin1 == answerText("200 OK", fields, body: body))
        }
    }

    @Test func `pages and redirects keep their order`() throws {
        let rig = try ConnectionRig(pages: Self.pages)
        rig.send(get("/a") + Self.ask("/docs/swagger") + get("/b") + Self.ask("/openapi.json") + Self.ask("/openapi.json") + get("/c"))
        let answers = try rig.answers()
        #expect(answers.map(\.status) == [301, 200, 301, 200, 200, 301])
        #expect(answers[1].body == Self.body)
        #expect(answers[1]["Content-Security-Policy"] == "default-src 'self'")
        #expect(rig.isOpen)
    }

    @Test func `a page may be the last answer`() throws {
        let rig = try ConnectionRig(pages: Self.pages)
        rig.send(HeadVector.head("GET /docs/swagger HTTP/1.1", ["Host: b", "Connection: close"]) + get("/a"))
        let answers = try rig.answers()
        #expect(answers.map(\.body) == [Self.body])
        #expect(answers.first?.closes == true)
        #expect(rig.wire.isOutputClosed)
    }

    @Test func `a page is read, not written to`() throws {
        let rig = try ConnectionRig(pages: Self.pages)
        rig.send(
            "OPTIONS /openapi.json HTTP/1.1\r\nHost: b\r\n\r\nPUT /openapi.json HTTP/1.1\r\nHost: b\r\n\r\n" + Self.ask("/openapi.json/"))
        let answers = try rig.answers()
        #expect(answers.map(\.status) == [405, 405, 404])
        #expect(answers.map { $0["Allow"] } == ["GET, HEAD", "GET, HEAD", nil])
    }

    @Test func `a client that asks for pages and never reads costs bounded memory, and gets all when it reads`() throws {
        let rig = try ConnectionRig(pages: Self.pages, clientReads: false)
        for _ in 0..<50 { rig.send(String(repeating: Self.ask("/docs/swagger"), count: 10)) }
        #expect(!rig.isReading)
        #expect(rig.wire.maximumHeld <= 300_000, "\(rig.wire.maximumHeld) bytes of pages wait")
        for _ in 0..<1100 { rig.read(1) }
        #expect(try rig.answers().map(\.body.utf8.count) == [Int](repeating: Self.body.utf8.count, count: 500))
    }

    private static func ask(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: b\r\n\r\n" }
}
