import Steering
import Testing

@testable import Edge

/// Everything that is no redirect, to the byte.
@Suite struct ResponderRefusalTests {
    @Test(arguments: [
        ("GET / HTTP/1.1", 400, "Bad Request", "missing-video", "Name the video: /?video=http://SERVER.DOMAIN/PATH"),
        ("GET /nothing HTTP/1.1", 404, "Not Found", "unknown-server", "There is nothing here, and no origin server of this name."),
        (
            "GET /?video=http://evil.example/v HTTP/1.1", 403, "Forbidden", "unknown-host",
            "The video's host is not an origin server or CDN of this service."
        ),
        ("BREW / HTTP/1.1", 501, "Not Implemented", "unknown-method", "This method is not known here."),
    ])
    func `a refusal is a problem document`(line: String, status: Int, title: String, name: String, detail: String) throws {
        var asker = try Asker()
        let body =
            "{\"type\":\"about:blank\",\"title\":\"\(title)\",\"status\":\(status),\"detail\":\"\(detail)\",\"reason\":\"\(name)\"}\n"
        let fields = [
            "Access-Control-Expose-Headers: Allow, Date, Retry-After", "Content-Type: application/problem+json",
            "Content-Length: \(body.utf8.count)",
        ]
        #expect(asker.ask(line) == answerText("\(status) \(title)", fields, body: body))
        if line.hasPrefix("GET") {
            #expect(asker.ask("HEAD" + line.dropFirst(3)) == answerText("\(status) \(title)", fields))
            #expect(asker.ask(line, ["Connection: close"]) == answerText("\(status) \(title)", connection: "close", fields, body: body))
        }
    }

    @Test func `a refusal that mends itself says when to try again`() throws {
        var asker = try Asker(Setup(every: 0))
        let answer = try asker.answer("GET /?video=http://s1.origin-cluster/v&avoid=cdn-a HTTP/1.1")
        #expect(answer.status == 503)
        #expect(answer["Retry-After"] == "5")
        #expect(answer["Content-Type"] == "application/problem+json")
        #expect(try Document(json: answer.body)["reason"] == .string("no-target"))
        #expect(answer[all: "Location"] == [])
    }

    @Test(arguments: [
        ("/?video=", 400, "not-http"), ("/?video", 400, "missing-video"), ("/?vIdeo=http://s1.origin-cluster/", 400, "missing-video"),
        ("/origin", 400, "missing-video"),
        ("/?video=http://s1.origin-cluster/&video=x", 400, "repeated-video"), ("/?video=x&avoid=a&avoid=b", 400, "repeated-avoid"),
        ("/?video=ftp://s1.origin-cluster/", 400, "not-http"),
        ("/?video=//s1.origin-cluster/", 400, "not-http"), ("/?video=s1.origin-cluster", 400, "not-http"),
        ("/?video=http://s1.origin-cluster/%", 400, "invalid-escape"),
        ("/?video=http%3A%2F%2Fs1.origin-cluster/%0a", 400, "forbidden-character"),
        ("/?video=http://u@s1.origin-cluster/", 400, "userinfo"),
        ("/?video=http://s1.origin-cluster/../s2/", 400, "dot-segment"), ("/?video=http://s4.origin-cluster/", 403, "unknown-host"),
        ("/?video=http://s1.origin-cluster.evil/", 403, "unknown-host"),
        ("/?video=http://s1.origin-cluster:81/", 403, "unknown-host"), ("/?video=http://[::1]/", 403, "unknown-host"),
        ("/s4/v", 404, "unknown-server"), ("//s1/v", 404, "unknown-server"),
        ("/s1/../s2/v", 400, "dot-segment"), ("/livez/", 404, "unknown-server"), ("/origin/x", 404, "unknown-server"),
        ("/%73%31/v", 404, "unknown-server"),
    ])
    func `each wrong target has its status and name`(target: String, status: Int, name: String) throws {
        var asker = try Asker(Setup(every: 1))
        let answer = try asker.answer("GET \(target) HTTP/1.1")
        #expect(answer.status == status, "\(target)")
        #expect(try Document(json: answer.body)["reason"] == .string(name), "\(target)")
        #expect(answer[all: "Location"] == [])
        #expect(asker.responder.counters.refusals == [.init(status: status, reason: name): 1])
    }

    @Test(arguments: ["", "x", "{}", "[1]", "{\"video\":1}", "\u{FF}", "{\"video\":\"x\",\"y\":1}"])
    func `a body that names no video is refused`(body: String) throws {
        var asker = try Asker()
        let request = HeadVector.head("POST /origin HTTP/1.1", ["Host: b", "Transfer-Encoding: chunked"]) + body
        let answer = try Answer.only(in: asker.ask([UInt8](latin1: request)))
        #expect(answer.status == 400)
        #expect(try Document(json: answer.body)["reason"] == .string("bad-body"))
        #expect(answer.closes)
    }

    @Test(arguments: [
        ("PUT /", "GET, HEAD, OPTIONS"), ("POST /?video=http://s1.origin-cluster/", "GET, HEAD, OPTIONS"),
        ("DELETE /s1/v", "GET, HEAD, OPTIONS"), ("PATCH /", "GET, HEAD, OPTIONS"),
        ("TRACE /", "GET, HEAD, OPTIONS"), ("PUT /origin", "GET, HEAD, POST, OPTIONS"), ("POST /livez", "GET, HEAD, OPTIONS"),
        ("PUT /readyz", "GET, HEAD, OPTIONS"), ("DELETE /livez", "GET, HEAD, OPTIONS"),
        ("PUT http://b", "GET, HEAD, OPTIONS"),
    ])
    func `a known path with a wrong method says which are right`(request: String, allow: String) throws {
        var asker = try Asker()
        let answer = try asker.answer("\(request) HTTP/1.1")
        #expect(answer.status == 405)
        #expect(answer["Allow"] == allow)
        #expect(try Document(json: answer.body)["reason"] == .string("method-not-allowed"))
        #expect(!answer.closes)
    }

    @Test func `an unknown path is not found whatever the method`() throws {
        var asker = try Asker()
        for method in ["GET", "POST", "OPTIONS", "DELETE"] {
            #expect(try asker.answer("\(method) /nothing HTTP/1.1").status == 404, "\(method)")
        }
    }

    @Test func `CONNECT is refused and closes`() throws {
        var asker = try Asker()
        let answer = try asker.answer("CONNECT b:80 HTTP/1.1")
        #expect(answer.status == 405)
        #expect(answer["Allow"] == "GET, HEAD, OPTIONS")
        #expect(answer.closes)
    }

    @Test(arguments: HTTPFault.allCases)
    func `a fault of HTTP closes and says what is wrong`(fault: HTTPFault) throws {
        var asker = try Asker()
        asker.responder.refuse(fault, from: .unknown)
        let answer = try Answer.only(in: asker.responder.writer.bytes)
        #expect(answer.status == fault.table.status)
        #expect(answer.closes)
        #expect(answer["Date"] == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(answer["Cache-Control"] == "no-store")
        #expect(try Document(json: answer.body)["reason"] == .string(fault.table.name))
        #expect(asker.responder.counters.refusals == [.init(status: fault.table.status, reason: fault.table.name): 1])
    }
}
