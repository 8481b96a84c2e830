import Foundation
import NIOCore
import NIOSSL
import Steering
import Testing

@testable import Probing

@Suite struct ProbeClientTests {
    static func target(_ port: Int, _ probe: String = #"{"path": "/healthz", "timeout": 60}"#, host: String = "127.0.0.1") throws
        -> ProbeTarget
    {
        try target(port, probe, host: host, name: "cdn-a")
    }

    static func target(_ port: Int, _ probe: String, host: String = "127.0.0.1", name: String, scheme: String = "http") throws
        -> ProbeTarget
    {
        let text = """
            {"version": 1, "origin": {"domains": ["o"], "servers": ["s1"], "scheme": "\(scheme)"},
             "cdns": [{"name": "\(name)", "url": "\(scheme)://\(host):\(port)/base", "probe": \(probe)}]}
            """
        return try #require(ProbeTarget.all(of: Catalog(JSONDecoder().decode(Document.self, from: Data(text.utf8)))).first)
    }

    private func verdict(_ target: ProbeTarget) async -> Verdict {
        let client = ProbeClient(resolver: Resolver(allowsLinkLocal: false, on: Names.eventLoop), on: Names.eventLoop)
        return await verdict(target, client)
    }

    /// What a prober makes of the first answer.
    private func verdict(_ target: ProbeTarget, _ client: ProbeClient) async -> Verdict {
        var watch = Watch()
        let result: Result<[ProbeClient.Found], any Error>
        do { result = .success(try await client.ask(target).get()) } catch { result = .failure(error) }
        return watch.judge(result, target, at: .now(), since: .now())
    }

    private func client(_ names: Names, _ roots: NIOSSLTrustRoots = .default) -> ProbeClient {
        ProbeClient(resolver: names.resolver, on: Names.eventLoop, roots: roots)
    }

    private func verdict(_ way: OddServer.Way, _ probe: String = #"{"path": "/healthz", "timeout": 60}"#) async throws -> Verdict {
        let server = try await OddServer(way)
        let verdict = await verdict(try ProbeClientTests.target(server.port, probe))
        try await server.stop()
        return verdict
    }

    @Test func `a whole answer with an expected status is good`() async throws {
        #expect(try await verdict(.says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) == .good("200"))
        #expect(
            try await verdict(.says("HTTP/1.1 204 No Content\r\n\r\n"), #"{"path": "/", "expect": [200, 204], "timeout": 60}"#)
                == .good("204"))
        #expect(
            try await verdict(.says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), #"{"path": "/", "method": "HEAD", "timeout": 60}"#)
                == .good("200"))
        #expect(try await verdict(.floods(64 * 1024)).isGood)
    }

    @Test(arguments: [
        (OddServer.Way.says("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"), "status 503, not 200"),
        (.says("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), "status 302, not 200"),
        (.says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), "closed before the answer was whole"),
        (.says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal"), "closed before the answer was whole"),
        (.says(""), "closed before the answer was whole"),
        (.resets, "connection reset by peer"),
    ]) func `anything else is bad, and said so`(way: OddServer.Way, reason: String) async throws {
        let verdict = try await verdict(way)
        #expect(!verdict.isGood)
        #expect(verdict.reason == reason)
    }

    @Test(arguments: [
        OddServer.Way.floods(64 * 1024 + 1), .floods(10 * 1024 * 1024), .pours("HTTP/1.1 200 OK\r\n\r\n"),
        .pours("HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n"),
    ]) func `of an answer of any length only the beginning is read, and it is as good as a short one`(way: OddServer.Way) async throws {
        #expect(try await verdict(way) == .good("200"))
    }

    @Test func `of a playlist of any length what was read is judged`() async throws {
        let head = "HTTP/1.1 200 OK\r\n\r\n#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n"
        for kind in ["any", "live"] {
            let probe = #"{"path": "/", "playlist": "\#(kind)", "timeout": 60}"#
            #expect(try await verdict(.pours(head), probe) == .good("200, playlist"))
            #expect(try await verdict(.floods(70_000), probe) == .bad("200, but no playlist: it does not begin with #EXTM3U"))
        }
    }

    @Test func `all addresses of a name are asked, and one that answers is enough`() async throws {
        let closed = try ClosedPort()
        let good = OddServer.Way.says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        let server = try await OddServer(good, at: "127.0.0.2", port: closed.port)
        let names = Names(["cdn.test": Names.at("::1", "127.0.0.1", "127.0.0.2")])
        for probe in [#"{"path": "/", "timeout": 60}"#, #"{"type": "tcp", "timeout": 60}"#] {
            let found = try await client(names).ask(try ProbeClientTests.target(server.port, probe, host: "cdn.test")).get()
            let lines = found.map { found in
                if case .verdict(let verdict) = found.answer { "\(found.address) \(verdict.outcome)" } else { "" }
            }
            // A machine without IPv6 cannot say anything of ::1.
            #expect(lines.dropFirst() == ["127.0.0.1 bad", "127.0.0.2 good"] && lines[0] != "::1 good")
        }
        let target = try ProbeClientTests.target(closed.port, host: "cdn.test")
        #expect(await verdict(target, client(Names(["cdn.test": Names.at("127.0.0.1")]))) == .bad("connection refused"))
        try await server.stop()
    }

    @Test func `an address that hangs costs the others nothing but the wait`() async throws {
        let hanging = try await OddServer(.tarpit)
        let good = try await OddServer(.says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), at: "127.0.0.2", port: hanging.port)
        let names = Names(["cdn.test": Names.at("127.0.0.1", "127.0.0.2")])
        // Long enough for the good one on a machine with all tests at once.
        let target = try ProbeClientTests.target(hanging.port, #"{"path": "/", "timeout": 15}"#, host: "cdn.test")
        #expect(await verdict(target, client(names)) == .good("200"))
        try await good.stop()
        try await hanging.stop()
    }

    @Test(arguments: [EMFILE, ENFILE, ENOMEM, ENOBUFS, EADDRNOTAVAIL, EPERM]) func `what this machine lacks is no verdict`(code: CInt)
        throws
    {
        let address = try #require(ClientAddress("127.0.0.1"))
        #expect(ProbeFault.verdict(IOError(errnoCode: code, reason: "connect"), at: address).outcome == .unknown)
    }

    @Test func `unreachable is a verdict when this machine has a route, so that a router said it`() throws {
        let loopback = try #require(ClientAddress("127.0.0.1"))
        #expect(ProbeFault.verdict(IOError(errnoCode: ENETUNREACH, reason: "connect"), at: loopback).outcome == .bad)
        #expect(ProbeFault.verdict(IOError(errnoCode: EHOSTUNREACH, reason: "connect"), at: loopback).outcome == .bad)
    }

    @Test func `a probe without a descriptor keeps quiet about its target`() async {
        await #expect(processExitsWith: .success) {
            let server = try await OddServer(.says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
            let resolver = Resolver(allowsLinkLocal: false, on: Names.eventLoop)
            let client = ProbeClient(resolver: resolver, on: Names.eventLoop)
            let targets = try ["127.0.0.1", "no-such-host.invalid"].map { try ProbeClientTests.target(server.port, host: $0) }
            _ = try await client.ask(targets[0]).get()
            var limit = rlimit()
            limit.rlim_cur = 3
            limit.rlim_max = 3
            // A call of libc on a local.
            precondition(unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
            for target in targets {
                var watch = Watch()
                let result: Result<[ProbeClient.Found], any Error>
                do { result = .success(try await client.ask(target).get()) } catch { result = .failure(error) }
                let verdict = watch.judge(result, target, at: .now(), since: .now())
                precondition(verdict.outcome == .unknown && verdict.reason.contains("too many open files"), "\(verdict)")
            }
        }
    }

    @Test(arguments: [
        ("localhost", Certificates.good, true, "200"), ("127.0.0.1", Certificates.good, true, "200"),
        (
            "localhost", Certificates.other, true,
            "its certificate is for cdn.example.com, not for localhost: its operator must add that name, or the catalog must use one that it has"
        ),
        ("localhost", Certificates.expired, true, "its certificate has expired on 2020-02-01: its operator must renew it"),
        ("localhost", Certificates.good, false, "its certificate leads to no authority that this machine trusts"),
    ]) func `a probe by HTTPS says what is wrong with the certificate`(host: String, pem: String, isTrusted: Bool, reason: String)
        async throws
    {
        let certificate = try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8))
        let configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificate.map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(Certificates.key.utf8), format: .pem)))
        let server = try await OddServer(
            .says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), tls: NIOSSLContext(configuration: configuration))
        let roots = isTrusted ? try NIOSSLCertificate.fromPEMBytes(Array(Certificates.authority.utf8)) : []
        let names = Names(["localhost": Names.at("127.0.0.1")])
        let target = try ProbeClientTests.target(server.port, #"{"path": "/", "timeout": 60}"#, host: host, name: "cdn-a", scheme: "https")
        var watch = Watch()
        let found = try await client(names, .certificates(roots)).ask(target).get()
        let verdict = watch.judge(.success(found), target, at: .now(), since: .now())
        #expect(verdict.reason.hasPrefix(reason), "\(verdict)")
        // Good or bad: when it ends is known.
        let until = pem == Certificates.expired ? 1_580_515_200 : try #require(certificate.first).notValidAfter
        #expect(watch.certificate?.validUntil == Int64(until))
        try await server.stop()
    }

    @Test func `without TLS there is no certificate, and an answer without one leaves the last that was shown`() async throws {
        let server = try await OddServer(.says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
        let target = try ProbeClientTests.target(server.port)
        var watch = Watch()
        let client = ProbeClient(resolver: Resolver(allowsLinkLocal: false, on: Names.eventLoop), on: Names.eventLoop)
        _ = watch.judge(.success(try await client.ask(target).get()), target, at: .now(), since: .now())
        #expect(watch.certificate == nil)
        let shown = ProbeCertificate(validFrom: 1, validUntil: 2)
        watch.certificate = shown
        _ = watch.judge(.success(try await client.ask(target).get()), target, at: .now(), since: .now())
        #expect(watch.certificate == shown)
        try await server.stop()
    }

    @Test func `a CDN with an address by HTTPS is probed there`() throws {
        let text = """
            {"version": 1, "origin": {"domains": ["o"], "servers": ["s1"]},
             "cdns": [{"name": "a", "url": "http://a:81/x", "httpsUrl": "https://b:8443/y", "probe": {"path": "/p"}}]}
            """
        let target = try #require(ProbeTarget.all(of: Catalog(JSONDecoder().decode(Document.self, from: Data(text.utf8)))).first)
        #expect(target.scheme == .https && target.host == "b" && target.port == 8443 && target.prefix == "/y")
    }

    @Test func `a probe by HTTPS of a port without TLS says so`() async throws {
        let server = try await OddServer(.says("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
        let target = try ProbeClientTests.target(server.port, #"{"path": "/", "timeout": 60}"#, name: "cdn-a", scheme: "https")
        #expect(await verdict(target) == .bad("does not speak TLS on this port"))
        try await server.stop()
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
        let closed = try ClosedPort()
        let refused = [
            await verdict(try ProbeClientTests.target(closed.port, #"{"type": "tcp", "timeout": 60}"#)),
            await verdict(try ProbeClientTests.target(closed.port)),
        ]
        #expect(refused == [.bad("connection refused"), .bad("connection refused")])
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
        _ = await verdict(try ProbeClientTests.target(echo.port, probe))
        try await echo.stop()
        let request = echo.request
        #expect(request.hasPrefix("GET /base/healthz?a=b HTTP/1.1\r\n"), "\(request)")
        for line in ["Host: video.example.com", "X-Probe: 1", "User-Agent: mine"] {
            #expect(request.contains(line + "\r\n"), "\(request)")
        }
        #expect(!request.contains("video-balancer"))
    }
}
