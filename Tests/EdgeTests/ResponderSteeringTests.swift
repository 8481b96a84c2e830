import Foundation
import Steering
import Testing

@testable import Edge

/// Steering documents, to the byte.
@Suite struct ResponderSteeringTests {
    private static let cdns = [("cdn-a", "http://a.example"), ("CDN.b_2", "http://b.example")]

    private static func asker(every: Int = 3, _ cdns: [(String, String)] = cdns, servers: [String] = ["s[1-3]"]) throws -> Asker {
        try Asker(Setup(servers: servers, every: every, cdns: cdns, steers: true))
    }

    private static func priorities(_ answer: Answer) throws -> [String] {
        let object = try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any]
        return try #require(object?["PATHWAY-PRIORITY"] as? [String])
    }

    @Test(arguments: [("hls", "application/vnd.apple.steering-list"), ("dash", "application/json")])
    func `a document has the names of both specifications, is never kept, and may be read by every page`(format: String, type: String)
        throws
    {
        var asker = try Self.asker([("cdn-a", "http://a.example")])
        let line = "GET /steering/\(format)/s1/film/master.m3u8?session=3 HTTP/1.1"
        let text = asker.ask(line)
        let ttl = try #require(text.firstMatch(of: /"TTL":(\d+)/)).1
        let body = "{\"VERSION\":1,\"TTL\":\(ttl),\"PATHWAY-PRIORITY\":[\"origin\",\"cdn-a\"]}"
        #expect(text == answerText("200 OK", ["Content-Type: \(type)", "Content-Length: \(body.utf8.count)"], body: body))
        #expect(asker.ask(line) == text, "the same session is told the same")
        let head = asker.ask(line.replacing("GET", with: "HEAD"))
        #expect(head == text.dropLast(body.utf8.count))
        #expect(try asker.answer(line.replacing("session=3", with: "session=2")).body.contains("[\"cdn-a\",\"origin\"]"))
    }

    @Test func `a name is written as the catalog has it, and found in any case`() throws {
        var asker = try Self.asker(every: 0)
        let base = "GET /steering/hls/s1/a?session=1"
        #expect(try Set(Self.priorities(asker.answer("\(base) HTTP/1.1"))) == ["cdn-a", "CDN.b_2"])
        #expect(try Self.priorities(asker.answer("\(base)&avoid=cdn.B_2 HTTP/1.1")) == ["cdn-a"])
        #expect(try Self.priorities(asker.answer("\(base)&avoid=gone HTTP/1.1")).count == 2)
    }

    @Test func `OPTIONS is answered as everywhere, and another method is not allowed`() throws {
        var asker = try Self.asker()
        let options = try asker.answer("OPTIONS /steering/hls/s1/a HTTP/1.1", ["Origin: https://p.example"])
        #expect(options.status == 204 && options["Allow"] == "GET, HEAD, OPTIONS")
        let post = try asker.answer("POST /steering/dash/s1/a HTTP/1.1")
        #expect(post.status == 405 && post["Allow"] == "GET, HEAD, OPTIONS")
        #expect(try asker.answer("BREW /steering/hls/s1/a HTTP/1.1").status == 501)
    }

    @Test(arguments: [
        ("/steering/hls/s9/a", 404, "unknown-server"), ("/steering/hls/", 404, "unknown-server"),
        ("/steering/dash//a", 404, "unknown-server"),
        ("/steering/hls/s1/../s2/a", 400, "dot-segment"), ("/steering/hls/s1/a%2", 400, "invalid-escape"),
        ("/steering/hls/s1/a\\b", 400, "forbidden-character"), ("/steering/hls/s1/a?avoid=a&avoid=b", 400, "repeated-avoid"),
        ("/steering/x/s1/a", 404, "unknown-server"), ("/steering/hls", 404, "unknown-server"),
    ])
    func `refusals are those of a redirect by path`(target: String, status: Int, reason: String) throws {
        var asker = try Self.asker()
        let answer = try asker.answer("GET \(target) HTTP/1.1")
        #expect(answer.status == status && answer.body.contains("\"reason\":\"\(reason)\""))
    }

    @Test func `the query is the balancer's own: what is wrong with it is no fault of the video`() throws {
        var asker = try Self.asker()
        for query in ["x=%zz", "_HLS_pathway=%", "session=..", "/../", "a\\b", "\"<>"] {
            #expect(try asker.answer("GET /steering/hls/s1/a?\(query) HTTP/1.1").status == 200)
        }
    }

    @Test func `where the catalog does not steer, the paths are as any other`() throws {
        var asker = try Asker(Setup(servers: ["s1", "steering"]))
        #expect(try asker.answer("GET /steering/hls/s1/a HTTP/1.1")["Location"] == "http://cdn.example.com/steering/hls/s1/a")
        var plain = try Asker()
        for method in ["GET", "PUT"] {
            let answer = try plain.answer("\(method) /steering/hls/s1/a HTTP/1.1")
            #expect(answer.status == 404 && answer.body.contains("unknown-server"))
        }
    }

    @Test func `steering goes before a server of the same name, but for its other paths`() throws {
        var asker = try Self.asker(every: 0, [("cdn-a", "http://a.example")], servers: ["s1", "steering"])
        #expect(try asker.answer("GET /steering/hls/s1/a HTTP/1.1").status == 200)
        #expect(try asker.answer("GET /steering/film/a HTTP/1.1")["Location"] == "http://a.example/steering/film/a")
    }

    @Test func `asking takes no number, so every N-th redirect stays exact`() throws {
        var asker = try Self.asker()
        var targets: [Bool] = []
        for session in 0..<9 {
            for _ in 0..<session { _ = asker.ask("GET /steering/hls/s1/a?session=\(session) HTTP/1.1") }
            targets.append(try asker.answer("GET /s1/a HTTP/1.1")["Location"] == "http://s1.origin-cluster/a")
        }
        #expect(targets == [false, false, true, false, false, true, false, false, true])
    }

    @Test func `answers are counted by first pathway, with moves and with what did not parse, and are no redirects`() throws {
        var asker = try Self.asker([("cdn-a", "http://a.example")])
        for query in [
            "session=1", "session=2&_HLS_pathway=cdn-a", "session=3&_HLS_pathway=cdn-a", "session=x&_HLS_throughput=y",
            "session=6&_HLS_pathway=%22origin%22", "session=4&_HLS_pathway=.",
        ] { _ = asker.ask("GET /steering/hls/s1/a?\(query) HTTP/1.1") }
        let total = asker.responder.total
        #expect(total.steeringToOrigin + (total.steeringToCDN["cdn-a"] ?? 0) == 6)
        #expect(total.steeringToOrigin >= 2 && total.steeringMoves == [0, 0, 0, 1] && total.steeringParametersIgnored == 2)
        #expect(total.redirectsToOrigin == 0 && total.redirectsToCDN.isEmpty && total.otherAnswers == 0 && total.answers == [200: 6])
        #expect(asker.responder.takeTraffic().entries.isEmpty)
        #expect(asker.responder.total.steeringToOrigin == total.steeringToOrigin, "taking the traffic loses none")
    }

    @Test func `who asks too often gets a longer TTL and never 429`() throws {
        let table = try Setup(every: 3, steers: true).table()
        let rate = ClientRate(perSecond: 1, burst: 1)
        var asker = Asker(
            responder: Responder(table: table, sequences: SequenceBook().set(for: table), rate: rate, clock: { 784_111_777 }))
        let ttls = try (0..<50).map { _ -> Int in
            let answer = try asker.answer("GET /steering/hls/s1/a?session=1 HTTP/1.1")
            #expect(answer.status == 200)
            return try #require(answer.body.firstMatch(of: /"TTL":(\d+)/).flatMap { Int($0.1) })
        }
        #expect((260...360).contains(ttls[0]) && ttls.dropFirst().contains { (560...660).contains($0) }, "\(ttls)")
        #expect(try asker.answer("GET /s1/a HTTP/1.1").status == 429)
    }

    @Test func `pages that send credentials are answered as everywhere`() throws {
        var asker = try Asker(Setup(steers: true), credentialOrigins: ["https://p.example"])
        let answer = try asker.answer("GET /steering/hls/s1/a HTTP/1.1", ["Origin: https://p.example"])
        #expect(answer["Access-Control-Allow-Origin"] == "https://p.example" && answer["Access-Control-Allow-Credentials"] == "true")
    }
}
