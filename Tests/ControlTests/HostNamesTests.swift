import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import Testing

@testable import Control

@Suite struct HostNamesTests {
    @Test(arguments: [
        ("a", "a"), ("A.example.com:8001", "A.example.com"), ("127.0.0.1", "127.0.0.1"), ("[::1]:8001", "[::1]"), ("[::1]", "[::1]"),
        ("a_b.c-d.", "a_b.c-d."), ("a:", "a"), ("a:0", "a"), ("a:65535", "a"),
    ])
    func `a Host is a name or an address, with or without a port`(_ field: String, _ host: String) {
        #expect(HostNames.host(in: field) == host)
    }

    @Test(arguments: [
        "", ":80", "a:99999", "..:99999/x", "a b", "a/b", "a@b", "a:b", "a:80:80", "[::1", "::1", "[127.0.0.1]", "[::1]x", "[::1%25eth0]",
        "a,b", "ü",
        "a:-1", "a:+1", "a\\b", String(repeating: "a", count: 254),
    ])
    func `whatever else is malformed`(_ field: String) { #expect(HostNames.host(in: field) == nil) }

    @Test func `names that nobody outside can own are known, and those of the setting`() {
        let names = HostNames(["Balancer.Example.com"])
        for host in [
            "localhost", "x.localhost", "LOCALHOST.", "127.0.0.1", "10.1.2.3", "[2001:db8::1]", "balancer", "balancer.default.svc",
            "balancer.default.svc.cluster.local", "balancer.example.com", "BALANCER.example.COM.",
        ] { #expect(names.knows(host), "\(host)") }
        for host in [
            "evil.example", "evil-localhost.com", "localhost.evil.example", "127.0.0.1.evil.example", "x.balancer.example.com",
            "svc.example",
            "1.2.3", "cluster.local.evil",
        ] { #expect(!names.knows(host), "\(host)") }
    }

    @Test(arguments: ["", "a b", "http://a", "a:80", "127.0.0.1", "*.example.com"]) func `the setting takes names alone`(_ text: String) {
        #expect(!HostNames.isName(text))
    }

    // Regression: the admin port answered whatever Host said, also to another site's page (DNS rebinding).
    @Test func `a foreign name reads nothing but whether the node lives and is ready`() async throws {
        let plane = try await ControlPlane()
        for path in ["/api/v1/catalog", "/metrics", "/nothing", "/api/v1/status"] {
            let answer = try await plane.ask(.get, path, host: "evil.example:8001")
            #expect(answer.status == 421 && answer.text.contains("--admin-names"), "\(path)")
        }
        #expect(try await plane.ask(.get, "/livez", host: "evil.example").text == "ok\n")
        #expect(try await plane.ask(.get, "/readyz", host: "evil.example").text == "ready, degraded\n")
        #expect(try await plane.ask(.get, "/readyz", host: "127.0.0.1:8001").text == "ready, degraded: mysql://user@db is gone\n")
        #expect(try await plane.ask(.get, "/readyz", host: nil).text.contains("mysql"))
        #expect(try await plane.ask(.get, "/metrics", host: "balancer.example.com").status == 200)
    }

    @Test func `a port that others reach is scraped by any name`() async throws {
        let plane = try await ControlPlane(isExposed: true)
        #expect(try await plane.ask(.get, "/metrics", host: "node1.prod.example").status == 200)
        #expect(try await plane.ask(.get, "/api/v1/status", host: "node1.prod.example").status == 421)
    }

    @Test func `OPTIONS asks for health as GET does`() async throws {
        let plane = try await ControlPlane()
        for path in ["/livez", "/readyz"] { #expect(try await plane.ask(.options, path).text == plane.ask(.get, path).text) }
        #expect(try await plane.ask(.options, "/metrics").status == 405)
    }

    @Test(arguments: ["/", "*"]) func `OPTIONS without a path asks whether the node is ready, as HAProxy's option httpchk does`(
        path: String
    ) async throws {
        let plane = try await ControlPlane()
        #expect(try await plane.ask(.options, path).status == 200)
        #expect(try await plane.ask(.options, path).text == plane.ask(.get, "/readyz").text)
    }

    // MARK: Heads

    private func channel() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers([HTTP1ToHTTPServerCodec(secure: false), ParserAnswer()])
        return channel
    }

    private func fault(_ version: HTTPVersion, _ hosts: [String], others: [(String, String)] = []) throws -> String? {
        let channel = try channel()
        let headers = HTTPHeaders(hosts.map { ("Host", $0) } + others)
        try channel.writeInbound(HTTPServerRequestPart.head(.init(version: version, method: .GET, uri: "/livez", headers: headers)))
        guard case .head(let head)? = try channel.readInbound(as: HTTPRequestPart.self) else { return "no head" }
        return head.headerFields[.hostFault]
    }

    // Regression: none, two and malformed ones were 200 (RFC 9112, section 3.2).
    @Test func `one Host and a valid one, except in HTTP 1.0`() throws {
        #expect(try fault(.http1_1, ["a"]) == nil)
        #expect(try fault(.http1_0, []) == nil)
        #expect(try fault(.http1_1, []) == "Send a Host")
        #expect(try fault(.http1_1, ["a", "a"]) == "Send one Host, not 2")
        #expect(try fault(.http1_0, ["a", "b"]) == "Send one Host, not 2")
        #expect(try fault(.http1_1, ["..:99999/x"])?.contains("Host must be") == true)
        // A client cannot forge the mark.
        #expect(try fault(.http1_1, ["a"], others: [("x-balancer-host-fault", "x")]) == nil)
    }

    // Regression: a foreign host in an absolute target was 200 while Host was known.
    @Test(arguments: [
        ("http://evil.example/livez", "evil.example"), ("HTTPS://evil.example:8001?x", "evil.example:8001"),
        ("http://[::1]:8001/livez", "[::1]:8001"), ("/http://evil.example/", "localhost"), ("*", "localhost"),
    ])
    func `the host of an absolute target counts in place of Host`(target: String, authority: String) throws {
        let channel = try channel()
        try channel.writeInbound(
            HTTPServerRequestPart.head(.init(version: .http1_1, method: .GET, uri: target, headers: ["Host": "localhost"])))
        guard case .head(let head)? = try channel.readInbound(as: HTTPRequestPart.self) else { return #expect(Bool(false)) }
        #expect(head.authority == authority && head.headerFields[.hostFault] == nil)
    }

    @Test(arguments: ["http://", "http:///livez", "http://ann@localhost/livez", "http://localhost:x/livez"])
    func `an absolute target without a valid host is a fault`(target: String) throws {
        let channel = try channel()
        try channel.writeInbound(
            HTTPServerRequestPart.head(.init(version: .http1_1, method: .GET, uri: target, headers: ["Host": "localhost"])))
        guard case .head(let head)? = try channel.readInbound(as: HTTPRequestPart.self) else { return #expect(Bool(false)) }
        #expect(head.headerFields[.hostFault]?.contains("target's host") == true)
    }

    @Test func `the parser's own answer is a problem document with a date`() throws {
        let channel = try channel()
        try channel.writeOutbound(
            HTTPResponsePart.head(HTTPResponse(status: .badRequest, headerFields: [.connection: "close", .contentLength: "0"])))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        guard case .head(let head)? = try channel.readOutbound(as: HTTPServerResponsePart.self),
            case .body(.byteBuffer(let body))? = try channel.readOutbound(as: HTTPServerResponsePart.self)
        else { return #expect(Bool(false)) }
        #expect(head.headers["content-type"] == ["application/problem+json"] && head.headers["connection"] == ["close"])
        #expect(head.headers["content-length"] == ["\(body.readableBytes)"])
        #expect(head.headers["date"].first?.hasSuffix(" GMT") == true)
        #expect(String(buffer: body).contains("\"status\": 400"))
    }
}
