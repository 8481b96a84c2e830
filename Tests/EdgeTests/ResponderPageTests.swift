import Testing

@testable import Edge

/// Health pages and OPTIONS, to the byte.
@Suite struct ResponderPageTests {
    private static let ok = ["Content-Type: text/plain; charset=utf-8", "Content-Length: 3"]

    @Test func `health pages are well`() throws {
        var asker = try Asker()
        for path in ["/livez", "/readyz", "/livez?x=y"] {
            #expect(asker.ask("GET \(path) HTTP/1.1") == answerText("200 OK", Self.ok, body: "ok\n"))
            #expect(asker.ask("HEAD \(path) HTTP/1.1") == answerText("200 OK", Self.ok))
            #expect(asker.ask("OPTIONS \(path) HTTP/1.1") == answerText("200 OK", Self.ok, body: "ok\n"))
        }
    }

    @Test func `a draining node is alive and not ready, and goes on redirecting`() throws {
        var asker = try Asker()
        asker.responder.isDraining = true
        let draining = ["Content-Type: text/plain; charset=utf-8", "Content-Length: 9"]
        #expect(asker.ask("GET /readyz HTTP/1.1") == answerText("503 Service Unavailable", draining, body: "draining\n"))
        #expect(asker.ask("OPTIONS /readyz HTTP/1.1") == answerText("503 Service Unavailable", draining, body: "draining\n"))
        #expect(asker.ask("HEAD /readyz HTTP/1.1") == answerText("503 Service Unavailable", draining))
        #expect(asker.ask("GET /livez HTTP/1.1") == answerText("200 OK", Self.ok, body: "ok\n"))
        #expect(try asker.answer("GET /s1/v HTTP/1.1").status == 301)
    }

    @Test(arguments: [
        ("/", "GET, HEAD, OPTIONS"), ("*", "GET, HEAD, OPTIONS"), ("/s1/v.m3u8", "GET, HEAD, OPTIONS"),
        ("/origin", "GET, HEAD, POST, OPTIONS"),
        ("/?video=x", "GET, HEAD, OPTIONS"), ("http://b", "GET, HEAD, OPTIONS"),
    ])
    func `OPTIONS answers a preflight without a body or a length`(target: String, allow: String) throws {
        var asker = try Asker()
        let fields = [
            "Allow: \(allow)", "Access-Control-Allow-Methods: \(allow)", "Access-Control-Allow-Headers: *, Authorization",
            "Access-Control-Max-Age: 86400", "Vary: Access-Control-Request-Headers",
        ]
        #expect(asker.ask("OPTIONS \(target) HTTP/1.1") == answerText("204 No Content", fields))
    }

    @Test func `fixed names win over servers of the same name`() throws {
        var asker = try Asker(Setup(servers: ["livez", "readyz", "origin", "s1"]))
        #expect(try asker.answer("GET /livez HTTP/1.1").status == 200)
        #expect(try asker.answer("GET /readyz HTTP/1.1").status == 200)
        #expect(try asker.answer("GET /origin HTTP/1.1").status == 400)
        #expect(try asker.answer("GET /livez/v HTTP/1.1")["Location"] == "http://cdn.example.com/livez/v")
    }

    @Test func `the Date is the clock's`() throws {
        let table = try Setup().table()
        nonisolated(unsafe) var now = 0
        var asker = try Asker()
        asker.responder = Responder(table: table, sequences: asker.responder.sequences, clock: { unsafe now })
        #expect(try asker.answer("GET /livez HTTP/1.1")["Date"] == "Thu, 01 Jan 1970 00:00:00 GMT")
        unsafe now = 86_399
        #expect(try asker.answer("GET /livez HTTP/1.1")["Date"] == "Thu, 01 Jan 1970 23:59:59 GMT")
    }

    @Test func `answers to pipelined requests follow one another`() throws {
        var asker = try Asker()
        var bytes: [UInt8] = []
        for target in ["/livez", "/s1/a", "/x"] { bytes += Array(asker.ask("GET \(target) HTTP/1.1").utf8) }
        #expect(try Answer.all(in: bytes).map(\.status) == [200, 301, 404])
    }
}
