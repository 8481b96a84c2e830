import NIOCore
import Playlist
import Steering
import TLS
import TLSPeer
import Testing

@testable import Edge

/// Manifests that are kept: the fast path answers with them.
@Suite struct KeptManifestTests {
    fileprivate static let setup = Setup(
        every: 3, cdns: [("cdn-a", "http://a.example"), ("cdn-b", "https://b.example/films"), ("cdn-c", "http://c.example")], steers: true,
        delivery: "playlist")

    /// Has one manifest at every path, and lets nobody fetch.
    fileprivate struct Shelf: Upstream {
        let playlist: Manifest
        let mpd: Manifest
        var has = true

        init(variants: Int = 1) throws {
            let place = Manifest.Place(path: Array("/film/a".utf8), roots: Roots([]))
            let lines = (1...variants).map { "#EXT-X-STREAM-INF:BANDWIDTH=\($0)\n\($0).m3u8\n" }
            playlist = try Manifest(Array(("#EXTM3U\n" + lines.joined()).utf8), .hls, at: place)
            let text = "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"dynamic\"><Period/></MPD>"
            mpd = try Manifest(Array(text.utf8), .dash, at: place)
        }

        func kept(_ key: [UInt8], _ format: Manifest.Format) -> UpstreamContent? {
            has ? .manifest(format == .dash ? mpd : playlist) : nil
        }

        func fetch(_ request: UpstreamRequest, on loop: any EventLoop) -> EventLoopFuture<UpstreamContent> {
            loop.makeSucceededFuture(.refused(.unreachable))
        }
    }

    private static func responder(_ setup: Setup = setup, shelf: Shelf, rate: ClientRate? = nil) throws -> Responder {
        let table = try setup.table()
        var responder = Responder(table: table, sequences: SequenceBook().set(for: table), rate: rate, clock: { 784_111_777 })
        responder.upstream = shelf
        responder.answersEnd = Limits.pendingAnswerBytes
        return responder
    }

    private static func ask(
        _ responder: inout Responder, _ target: String, _ fields: [String] = [], isFast: Bool = true
    ) throws -> (outcome: Responder.Outcome, text: String) {
        let bytes = [UInt8](latin1: HeadVector.head("GET \(target) HTTP/1.1", ["Host: b.example"] + fields))
        var scanner = HeadScanner(limits: Limits())
        guard case .complete(let head) = scanner.scan(bytes.span) else { throw Answer.Malformed(description: target) }
        let start = responder.writer.bytes.count
        let outcome = responder.respond(to: head, bytes.span, from: .unknown, closes: false, isFast: isFast)
        return (outcome, responder.writer.bytes[start...].map { $0 }.latin1)
    }

    @Test(arguments: [
        "/s1/film/a.m3u8", "/?video=http%3A%2F%2Fs1.origin-cluster%2Ffilm%2Fa.m3u8", "/s1/film/a.mpd", "/session/7/s1/film/a.mpd",
    ])
    func `the fast path answers as the slow one does, and takes as many sessions`(target: String) throws {
        var fast = try Self.responder(shelf: Shelf())
        var slow = try Self.responder(shelf: Shelf())
        for _ in 0..<7 {
            let (quick, thorough) = (try Self.ask(&fast, target), try Self.ask(&slow, target, isFast: false))
            #expect(quick.outcome == .answered && quick.text == thorough.text && quick.text.contains("\r\n\r\n"))
            fast.writer.bytes = []
        }
        #expect(fast.total.manifestsToOrigin == slow.total.manifestsToOrigin)
        #expect(fast.takenManifest() == nil && slow.takenManifest() != nil)
    }

    @Test func `what is not kept, is signed, or has no room is left to the slow path, at the cost of one request`() throws {
        let rate = ClientRate(perSecond: 1, burst: 1)
        var shelf = try Shelf()
        shelf.has = false
        var responder = try Self.responder(shelf: shelf, rate: rate)
        #expect(try Self.ask(&responder, "/s1/film/a.m3u8").outcome == .needsSlowPath)
        responder.upstream = try Shelf()
        responder.answersEnd = 0
        #expect(try Self.ask(&responder, "/s1/film/a.m3u8").outcome == .needsSlowPath)
        responder.answersEnd = Limits.pendingAnswerBytes
        #expect(try Self.ask(&responder, "/s1/film/a.m3u8").text.hasPrefix("HTTP/1.1 200 "))
        #expect(try Self.ask(&responder, "/s1/film/a.m3u8").text.hasPrefix("HTTP/1.1 429 "))
        var signed = Self.setup
        signed.signs = ["cdn-a": #"{"scheme": "akamai", "key": "k", "covers": "directory"}"#]
        responder = try Self.responder(signed, shelf: Shelf())
        #expect(try Self.ask(&responder, "/s1/film/a.m3u8").outcome == .needsSlowPath)
    }

    @Test func `what is known to be no manifest, and who has credentials, is redirected on the fast path`() throws {
        struct Refusing: Upstream {
            func kept(_ key: [UInt8], _ format: Manifest.Format) -> UpstreamContent? { .refused(.media) }

            func fetch(_ request: UpstreamRequest, on loop: any EventLoop) -> EventLoopFuture<UpstreamContent> {
                loop.makeSucceededFuture(.refused(.media))
            }
        }
        var responder = try Self.responder(shelf: Shelf())
        #expect(try Self.ask(&responder, "/s1/film/a.m3u8", ["Cookie: a=b"]).text.hasPrefix("HTTP/1.1 301 "))
        responder.upstream = Refusing()
        #expect(try Self.ask(&responder, "/s1/film/a.m3u8").text.hasPrefix("HTTP/1.1 301 "))
        #expect(responder.total.manifestRefusals == ["credentials": 1, "media-playlist": 1])
    }

    @Test func `a connection gets no more than it may have waiting, and takes no session beyond`() throws {
        var responder = try Self.responder(shelf: Shelf(variants: 40))
        var sessions = 0
        while try Self.ask(&responder, "/s1/film/a.m3u8").outcome == .answered { sessions += 1 }
        #expect(sessions > 0 && responder.writer.bytes.count <= Limits.pendingAnswerBytes)
        #expect(try Self.ask(&responder, "/s1/film/a.m3u8", isFast: false).text.contains("session=\(sessions + 1)\""))
        responder = try Self.responder(shelf: Shelf(variants: 4000))
        #expect(try Self.ask(&responder, "/s1/film/a.m3u8").outcome == .needsSlowPath)
        let long = try Self.ask(&responder, "/s1/film/a.m3u8", isFast: false)
        #expect(long.outcome == .answered && long.text.hasSuffix("\r\n\r\n"), "a long one is not copied to the answers before it")
        #expect(responder.writer.attachment?.readableBytes ?? 0 > Limits.pendingAnswerBytes)
    }
}

/// The same by HTTP/2.
@Suite struct KeptManifestsByHTTP2Tests {
    private static func rig(variants: Int, says: [UInt8] = HTTP2Client.hello) throws -> HTTP2Rig {
        let rig = try HTTP2Rig(KeptManifestTests.setup, says: says)
        rig.responder.upstream = try KeptManifestTests.Shelf(variants: variants)
        rig.isFast = true
        rig.wire = []
        return rig
    }

    @Test func `the fast path answers with what is kept as long as the client's windows and the turn have room`() throws {
        let rig = try Self.rig(variants: 8)
        for number in 1...5 {
            let answer = try rig.ask(HTTP2Client.request("/s1/film/a.m3u8"), stream: UInt32(2 * number - 1))
            #expect(answer.status == 200 && answer.body.latin1.contains("session=\(number)\""))
            #expect(answer["content-length"] == "\(answer.body.count)")
        }
        #expect(!rig.connection.needsSlowPath && rig.connection.streams.isEmpty)
        #expect(rig.responder.takenManifest() == nil)
    }

    @Test func `a manifest that the windows do not take whole is handed over with what is left of it, and nothing after it is answered`()
        throws
    {
        let small = HTTP2Client.preface + HTTP2Client.frame(4, 0, HTTP2Client.setting(4, 100))
        let rig = try Self.rig(variants: 8, says: small)
        rig.send(HTTP2Client.get("/s1/film/a.m3u8", stream: 1) + HTTP2Client.get("/s1/film/a.m3u8", stream: 3))
        #expect(rig.connection.needsSlowPath)
        #expect(try rig.frames().filter { $0.kind == 0 }.map(\.payload.count) == [100])
        rig.isFast = false
        rig.connection.beginDeadlines(rig.turn)
        rig.resume()
        rig.send([UInt32(1), 3].flatMap { HTTP2Client.frame(8, 0, stream: $0, HTTP2Client.number(100_000)) })
        let frames = try rig.frames()
        #expect(frames.filter { $0.kind == 0 && $0.flags & 1 == 1 }.map(\.stream) == [1, 3], "both end")
        #expect(rig.connection.streams.isEmpty)
        #expect(rig.responder.manifests.take(Limits.manifestBytes), "what the slow path took is given back")
    }

    @Test func `what is longer than a connection may have waiting is left to the slow path`() throws {
        let rig = try Self.rig(variants: 4000)
        rig.send(HTTP2Client.get("/s1/film/a.m3u8", stream: 1))
        #expect(rig.connection.needsSlowPath)
        #expect(try rig.frames().isEmpty)
    }
}

extension SocketTests {
    /// The same on real sockets.
    @Suite struct KeptManifestsOnTheWireTests {
        private func withServer(
            variants: Int, usesFastPath: Bool, _ body: (EdgeServer, _ plain: ListenAddress, _ secure: ListenAddress) async throws -> Void
        ) async throws {
            let any = try #require(ListenAddress("127.0.0.1:0"))
            var configuration = EdgeServer.Configuration(
                listeners: [Listener(any), Listener(tls: any)], workers: 1, usesFastPath: usesFastPath)
            let files = try SelfSigned.make(names: ["b.example.com"], from: 1_600_000_000, until: 4_000_000_000)
            configuration.identity = TLSIdentity([try ServerCertificate(chain: files.chain, key: files.key, at: ("cert.pem", "key.pem"))])
            configuration.upstream = try KeptManifestTests.Shelf(variants: variants)
            let table = try KeptManifestTests.setup.table()
            let server = try await EdgeServer(configuration, table: table, sequences: SequenceBook().set(for: table)) { line in
                Issue.record("the server reports: \(line)")
            }
            do { try await body(server, server.addresses[0], server.addresses[1]) } catch { Issue.record(error) }
            try await server.stopAccepting()
            #expect(try await server.finish(within: 5) == 0, "connections were cut")
        }

        private static let playlist = get("/film/a.m3u8")

        @Test(arguments: [1, 300]) func `requests in a row get their sessions in turn on both paths, however long the manifest is`(
            variants: Int
        ) async throws {
            let requests = (0..<120).map { $0 % 4 == 3 ? get("/film/\($0).ts") : Self.playlist } + [get("/end", "Connection: close")]
            for usesFastPath in [true, false] {
                try await withServer(variants: variants, usesFastPath: usesFastPath) { _, plain, secure in
                    let client = try Client(to: plain)
                    try client.send(requests.joined())
                    try Self.check(Answer.all(in: client.rest()))
                    let safe = try SecureClient(to: secure)
                    try safe.send(requests.joined())
                    try Self.check(Answer.all(in: safe.rest()), from: 90)
                }
            }
        }

        private static func check(_ answers: [Answer], from before: Int = 0) throws {
            #expect(answers.count == 121)
            var session = before
            for (index, answer) in answers.enumerated() {
                if index % 4 == 3 || index == 120 {
                    #expect(answer.status == 301)
                } else {
                    session += 1
                    #expect(answer.status == 200 && answer.body.contains("session=\(session)\""), "\(index)")
                }
            }
        }

        @Test func `connections that ask for what is kept stay on the fast path`() async throws {
            try await withServer(variants: 8, usesFastPath: true) { server, plain, secure in
                let clients = try (0..<30).map { _ in try Client(to: plain) }
                let safe = try SecureClient(to: secure)
                for _ in 0..<3 {
                    for client in clients { try client.send(Self.playlist) }
                    for client in clients { #expect(try client.answer().status == 200) }
                    try safe.send(Self.playlist)
                    #expect(try safe.answer().status == 200)
                }
                #expect(try await server.counters().handOvers.values.reduce(0, +) == 0)
            }
        }

        @Test func `a client that reads nothing for a while loses nothing`() async throws {
            try await withServer(variants: 100, usesFastPath: true) { server, plain, _ in
                let client = try Client(to: plain)
                // More than all buffers between hold.
                let count = 1200
                for _ in 0..<count { try client.send(Self.playlist) }
                try client.send(get("/end", "Connection: close"))
                let answers = try Answer.all(in: client.rest())
                #expect(answers.count == count + 1 && answers.allSatisfy { $0.status == 200 || $0.status == 301 })
                let numbers = answers.dropLast().compactMap { $0.body.firstMatch(of: /session=(\d+)/).flatMap { Int($0.1) } }
                #expect(numbers == Array(1...count))
                #expect(try await server.counters().handOvers.values.reduce(0, +) == 1)
            }
        }
    }
}
