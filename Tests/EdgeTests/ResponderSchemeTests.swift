import Foundation
import Steering
import TLS
import Testing

@testable import Edge

/// Who came by HTTPS gets targets by HTTPS, in whatever form they are told.
@Suite struct ResponderSchemeTests {
    private static func asker(links: Bool = false, source: ClientSource = ClientSource()) throws -> Asker {
        let document = try Document(
            json: """
                {"version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s1"], "every": 2, "keepScheme": true},
                 "cdns": [{"name": "cdn-a", "url": "http://a.example", "httpsUrl": "https://b.example/x"}], "redirect": {"links": \(links)}}
                """)
        let table = RoutingTable(try Catalog(document), revision: 1)
        return Asker(
            responder: Responder(table: table, sequences: SequenceBook().set(for: table), clientSource: source, clock: { 784_111_777 }))
    }

    private static let secure = TransportNote.tls(.tls13, isResumed: false)
    private static let question = "GET /?video=http://s1.origin-cluster/v HTTP/1.1"

    @Test(arguments: [question, "GET /s1/v HTTP/1.1", "GET /?video=http%3A%2F%2Fs1.origin-cluster%2Fv HTTP/1.1"])
    func `a redirect over TLS goes to CDN and origin by HTTPS, one without to what it always did`(line: String) throws {
        var asker = try Self.asker()
        #expect(try asker.answer(line)["Location"] == "http://a.example/s1/v")
        #expect(try asker.answer(line)["Location"] == "http://s1.origin-cluster/v")
        asker.responder.record.transport = Self.secure
        #expect(try asker.answer(line)["Location"] == "https://b.example/x/s1/v")
        #expect(try asker.answer(line)["Location"] == "https://s1.origin-cluster/v")
        asker.responder.record.transport = .plain
        #expect(try asker.answer(line)["Location"] == "http://a.example/s1/v")
    }

    @Test func `Link, JSON, the decision alone and the answer to a body name them by HTTPS too`() throws {
        var asker = try Self.asker(links: true)
        asker.responder.record.transport = Self.secure
        let answer = try asker.answer(Self.question, ["Accept: application/json"])
        #expect(answer["Location"] == "https://b.example/x/s1/v")
        #expect(answer["Link"] == "<https://s1.origin-cluster/v>; rel=duplicate; pri=1")
        #expect(answer.body.contains(#""location":"https://s1.origin-cluster/v""#) && !answer.body.contains("http://"))
        let alone = try asker.answer("GET /?redirect=false&video=http://s1.origin-cluster/v HTTP/1.1")
        #expect(alone.status == 200 && alone.body.contains("https://b.example/x/s1/v") && !alone.body.contains("http://"))
        let body = "\"http://s1.origin-cluster/v\""
        let posted = try asker.answer("POST /origin HTTP/1.1", ["Content-Length: \(body.utf8.count)"], body: body)
        #expect(posted["Location"] == "https://b.example/x/s1/v")
    }

    @Test(arguments: [
        (ClientSource.Field.xForwardedFor, ["X-Forwarded-For: 192.0.2.9", "X-Forwarded-Proto: https"], true),
        (.xForwardedFor, ["X-Forwarded-For: 192.0.2.9", "x-forwarded-proto:  HTTPS , http"], true),
        (.xForwardedFor, ["X-Forwarded-For: 192.0.2.9", "X-Forwarded-Proto: http"], false),
        (.xForwardedFor, ["X-Forwarded-For: 192.0.2.9", "X-Forwarded-Proto: httpsx"], false),
        (.xForwardedFor, ["X-Forwarded-For: 192.0.2.9", "X-Forwarded-Proto:"], false),
        (.xForwardedFor, ["X-Forwarded-For: 192.0.2.9", "Forwarded: for=192.0.2.9;proto=https"], false),
        (.xForwardedFor, ["X-Forwarded-For: 192.0.2.9"], false),
        (.forwarded, ["Forwarded: for=192.0.2.9;proto=https"], true),
        (.forwarded, ["Forwarded: Proto=\"HTTPS\" ; for=192.0.2.9, for=10.0.0.1;proto=http"], true),
        (.forwarded, ["Forwarded: for=192.0.2.9;proto=http, for=10.0.0.1;proto=https"], false),
        (.forwarded, ["Forwarded: for=192.0.2.9"], false),
        (.forwarded, ["Forwarded: for=192.0.2.9", "X-Forwarded-Proto: https"], false),
    ])
    func `behind a trusted proxy it says how the client came`(field: ClientSource.Field, fields: [String], isSecure: Bool) throws {
        var source = ClientSource()
        source.field = field
        source.trustedProxies = [try #require(Network("192.0.2.0/24"))]
        var asker = try Self.asker(source: source)
        #expect(try asker.answer(Self.question, fields)["Location"] == (isSecure ? "https://b.example/x/s1/v" : "http://a.example/s1/v"))
        // Without proxies nothing is believed.
        var plain = try Self.asker()
        #expect(try plain.answer(Self.question, fields)["Location"] == "http://a.example/s1/v")
    }
}
