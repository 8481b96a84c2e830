import Foundation
import Steering
import Testing

@testable import Probing

@Suite struct ProbeClientTests {
    static func target(_ port: Int, _ probe: String = #"{"path": "/healthz", "timeout": 60}"#, host: String = "127.0.0.1") throws
        -> ProbeTarget
    {
        let text = """
            {"version": 1, "origin": {"domains": ["o"], "servers": ["s1"]},
             "cdns": [{"name": "cdn-a", "url": "http://\(host):\(port)/base", "probe": \(probe)}]}
            """
        return try #require(ProbeTarget.all(of: Catalog(JSONDecoder().decode(Document.self, from: Data(text.utf8)))).first)
    }

    private func verdict(_ target: ProbeTarget, allowsLinkLocal: Bool = false) async -> Verdict {
        switch await ProbeClient(resolver: Resolver(allowsLinkLocal: allowsLinkLocal)).ask(target) {
        case .verdict(let verdict): verdict
        case .body(let status, let text): .good("\(status) \(text)")
        }
    }

    private func verdict(_ way: OddServer.Way, _ probe: String = #"{"path": "/healthz", "timeout": 60}"#) async throws -> Verdict {
        let server = try await OddServer(way)
        let verdict = await verdict(try ProbeClientTests.target(server.port, probe))
        try await server.stop()
        return verdict
    }

    @Test func `a whole answer with an expected status is good`() async throws {
        #expect(try await verdict(.says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) == .good("200 ok"))
        #expect(
            try await verdict(.says("HTTP/1.1 204 No Content\r\n\r\n"), #"{"path": "/", "expect": [200, 204], "timeout": 60}"#)
                == .good("204 "))
        #expect(
            try await verdict(.says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), #"{"path": "/", "method": "HEAD", "timeout": 60}"#)
                == .good("200 "))
        #expect(try await verdict(.floods(64 * 1024)).isGood)
    }

    @Test(arguments: [
        (OddServer.Way.says("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"), "status 503, not 200"),
        (.says("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), "status 302, not 200"),
        (.says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), "closed before the answer was whole"),
        (.says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal"), "closed before the answer was whole"),
        (.says(""), "closed before the answer was whole"),
        (.resets, "connection reset by peer"),
        (.floods(64 * 1024 + 1), "the answer has more than 64 KiB"),
        (.floods(10 * 1024 * 1024), "the answer has more than 64 KiB"),
    ]) func `anything else is bad, and said so`(way: OddServer.Way, reason: String) async throws {
        let verdict = try await verdict(way)
        #expect(!verdict.isGood)
        #expect(verdict.reason == reason)
    }

    @Test(arguments: [OddServer.Way.tarpit, .drips("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")])
    func `an answer that is not whole in time is bad`(way: OddServer.Way) async throws {
        #expect(try await verdict(way, #"{"path": "/", "timeout": 1}"#) == .bad("no whole answer within 1 s"))
    }

    @Test(arguments: ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "\0\0\0\0"])
    func `what is not HTTP is bad`(text: String) async throws {
        #expect(try await !verdict(.says(text)).isGood)
    }

    @Test func `a port that nobody listens on is refused, to both kinds of probe`() async throws {
        let server = try await OddServer(.tarpit)
        let connects = try ProbeClientTests.target(server.port, #"{"type": "tcp", "timeout": 60}"#)
        #expect(await verdict(connects) == .good("connected"))
        try await server.stop()
        #expect(await verdict(connects) == .bad("connection refused"))
        #expect(await verdict(try ProbeClientTests.target(server.port)) == .bad("connection refused"))
    }

    @Test(arguments: ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "100.100.100.200", "[fd00:ec2::254]"])
    func `link-local and metadata addresses are not asked`(host: String) async throws {
        let verdict = await verdict(try ProbeClientTests.target(80, host: host))
        #expect(!verdict.isGood && verdict.reason.contains("which probes may not ask"), "\(verdict)")
    }

    @Test func `a name that is not known is said so`() async throws {
        #expect(
            await verdict(try ProbeClientTests.target(80, host: "no-such-host.invalid")).reason.contains(
                "no-such-host.invalid is not known"))
    }

    @Test func `the request has the CDN's path, the wanted Host, and the wanted fields`() async throws {
        let echo = try await EchoServer()
        let probe =
            #"{"path": "/healthz?a=b", "host": "video.example.com", "headers": {"X-Probe": "1", "User-Agent": "mine"}, "timeout": 60}"#
        let verdict = await verdict(try ProbeClientTests.target(echo.port, probe))
        try await echo.stop()
        #expect(verdict.reason.contains("GET /base/healthz?a=b HTTP/1.1\r\n"), "\(verdict)")
        for line in ["Host: video.example.com", "X-Probe: 1", "User-Agent: mine"] {
            #expect(verdict.reason.contains(line + "\r\n"), "\(verdict)")
        }
        #expect(!verdict.reason.contains("video-balancer"))
    }
}
