import Foundation
import NIOCore
import Playlist
import Steering
import TLS
import Testing

@testable import Edge

/// Manifests that are served, and the sessions that begin with them.
@Suite struct ManifestAnswerTests {
    private static let playlist = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n"
    private static let mpd = "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"dynamic\"><Period/></MPD>"
    private static let cdns = [("cdn-a", "http://a.example"), ("cdn-b", "https://b.example/films"), ("cdn-c", "http://c.example")]

    /// Reads the text that it is given as the manifest that is asked for. Used on its loop's thread alone.
    private final class Films: Upstream, @unchecked Sendable {
        var text: String
        var asked: [UpstreamRequest] = []
        var isSilent = false
        /// Whether what was given once is given again without a fetch.
        var keeps = false
        private var given: [[UInt8]: UpstreamContent] = [:]

        init(_ text: String) { self.text = text }

        func kept(_ key: [UInt8], _: Manifest.Format) -> UpstreamContent? { given[key] }

        func fetch(_ request: UpstreamRequest, on loop: any EventLoop) -> EventLoopFuture<UpstreamContent> {
            asked.append(request)
            if isSilent { return loop.makePromise(of: UpstreamContent.self).futureResult }
            guard let source = request.source else { return loop.makeFailedFuture(EdgeError("no source")) }
            let place = Manifest.Place(path: source.path, roots: Roots(source.targets().roots))
            let content: UpstreamContent
            do throws(Manifest.Refusal) {
                content = .manifest(try Manifest(Array(text.utf8), request.format, at: place))
            } catch {
                content = .refused(error)
            }
            if keeps { given[source.key] = content }
            return loop.makeSucceededFuture(content)
        }
    }

    /// A second passes between two looks at the clock.
    private final class Time {
        var step: UInt64 = 1_000_000_000
        private var now: UInt64 = 0

        func next() -> UInt64 {
            now += step
            return now
        }
    }

    private static func rig(
        _ delivery: String = "playlist", every: Int = 3, rules: String = "[]", _ text: String = playlist
    ) throws -> (rig: ConnectionRig, films: Films) {
        let setup = Setup(every: every, cdns: cdns, steers: true, delivery: delivery, rules: rules)
        let time = Time()
        let rig = try ConnectionRig(setup, uptime: { time.next() })
        let films = Films(text)
        rig.slowLoop.upstream = films
        return (rig, films)
    }

    private static func answer(_ rig: ConnectionRig, _ target: String, _ fields: [String] = []) throws -> Answer {
        rig.send(HeadVector.head("GET \(target) HTTP/1.1", ["Host: b.example:8000"] + fields))
        let answers = try rig.answers()
        return try #require(answers.count == 1 ? answers[0] : nil)
    }

    /// Pathways in the order of a playlist.
    private static func pathways(_ text: String) -> [String] {
        text.matches(of: /PATHWAY-ID="([^"]*)"\n/).map { String($0.1) }.dropFirst().map { $0 }
    }

    private static func session(_ text: String) throws -> Int { try #require(text.firstMatch(of: /session=(\d+)/).flatMap { Int($0.1) }) }

    @Test func `a playlist is served with a session, typed, never kept, and open to every page`() throws {
        let (rig, films) = try Self.rig()
        let answer = try Self.answer(rig, "/s1/film/master.m3u8?token=a")
        #expect(answer.status == 200 && answer["Content-Type"] == "application/vnd.apple.mpegurl")
        #expect(answer["Cache-Control"] == "no-store" && answer["Access-Control-Allow-Origin"] == "*")
        #expect(answer.body.contains("SERVER-URI=\"/steering/hls/s1/film/master.m3u8?session=1\""))
        #expect(
            answer.body.contains("\nhttps://b.example/films/s1/film/v.m3u8\n")
                && answer.body.contains("\nhttp://s1.origin-cluster/film/v.m3u8\n"))
        let source = try #require(films.asked.first?.source)
        #expect(source.path == Array("/film/master.m3u8".utf8))
        #expect(
            source.targets().roots.map { String(decoding: $0, as: UTF8.self) } == [
                "http://s1.origin-cluster", "http://a.example/s1", "https://b.example/films/s1", "http://c.example/s1",
            ])
        #expect(
            Set(source.targets().urls.map { String(decoding: $0, as: UTF8.self) }) == [
                "http://a.example/s1/film/master.m3u8?token=a", "https://b.example/films/s1/film/master.m3u8?token=a",
                "http://c.example/s1/film/master.m3u8?token=a", "http://s1.origin-cluster/film/master.m3u8?token=a",
            ])
        #expect(source.targets().urls.last == Array("http://s1.origin-cluster/film/master.m3u8?token=a".utf8), "the origin is asked last")
    }

    @Test(arguments: [0, 1, 2, 3, 10])
    func `exactly every N-th session begins at the origin, whatever else is asked for, and its playlist has the order of its steering`(
        every: Int
    )
        throws
    {
        let (rig, _) = try Self.rig(every: every)
        var atOrigin: [Int] = []
        for number in 1...30 {
            for _ in 0..<number % 3 { #expect(try Self.answer(rig, "/s1/other.ts").status == 301) }
            let answer = try Self.answer(
                rig, number % 2 == 0 ? "/s1/film/m.M3U8" : "/?video=http%3A%2F%2Fs1.origin-cluster%2Ffilm%2Fm.m3u8")
            let session = try Self.session(answer.body)
            #expect(session == number)
            let pathways = Self.pathways(answer.body)
            if pathways[0] == "origin" { atOrigin.append(number) }
            let steering = try Self.answer(rig, "/steering/hls/s1/film/m.m3u8?session=\(session)")
            let object = try JSONSerialization.jsonObject(with: Data(steering.body.utf8)) as? [String: Any]
            #expect(object?["PATHWAY-PRIORITY"] as? [String] == pathways)
            #expect(answer.body.contains("PATHWAY-ID=\"\(pathways[0])\"\n#EXT-X-STREAM-INF"))
        }
        #expect(atOrigin == (every == 0 ? [] : (1...30).filter { $0 % every == 0 }))
        #expect(rig.slowLoop.responder.total.manifestsToOrigin == UInt64(atOrigin.count))
    }

    @Test func `what was fetched before is given without a fetch, in its turn, under its own rule, and to none with credentials`() throws {
        let rules = #"[{"name": "x", "when": {"paths": ["/x/"]}, "status": 302}]"#
        let (rig, films) = try Self.rig(rules: rules)
        films.keeps = true
        #expect(try Self.session(Self.answer(rig, "/s1/film/master.m3u8").body) == 1)
        let targets = ["/s1/a.ts", "/s1/film/master.m3u8", "/s1/film/master.m3u8", "/s1/b.ts", "/s1/film/master.m3u8"]
        rig.send(targets.map { HeadVector.head("GET \($0) HTTP/1.1", ["Host: b.example:8000"]) }.joined())
        let answers = try rig.answers()
        #expect(answers.map(\.status) == [301, 200, 200, 301, 200])
        #expect(try answers.filter { $0.status == 200 }.map { try Self.session($0.body) } == [2, 3, 4])
        #expect(films.asked.count == 1)
        #expect(try Self.answer(rig, "/s1/film/master.m3u8", ["Cookie: a=b"]).status == 301)
        #expect(try Self.answer(rig, "/s1/film/master.m3u8?other").status == 200 && films.asked.count == 2)
        films.text = "<html>"
        for _ in 0..<2 { #expect(try Self.answer(rig, "/s1/x/master.m3u8").status == 302) }
        #expect(films.asked.count == 3)
        rig.send(HeadVector.head("GET /s1/film/master.m3u8 HTTP/1.1", ["Host: b.example:8000", "Connection: close"]))
        #expect(try rig.answers().map(\.status) == [200])
    }

    @Test(arguments: ["Authorization: Bearer x", "Cookie: a=b"])
    func `who sends credentials is redirected, and nothing is fetched`(field: String) throws {
        let (rig, films) = try Self.rig()
        #expect(try Self.answer(rig, "/s1/film/master.m3u8", [field]).status == 301)
        #expect(films.asked.isEmpty && rig.slowLoop.responder.total.manifestRefusals == ["credentials": 1])
    }

    @Test(arguments: [
        ("/s1/film/v.ts", ""), ("/s1/film/master.m3u8x", ""), ("/s1/film/x?master.m3u8", ""),
        ("/s1/film/master.m3u8", "Accept: application/json"),
        ("/?video=http://s1.origin-cluster/film/master.m3u8&redirect=false", ""),
    ])
    func `what is no manifest, or asks for a decision, is answered as without delivery`(target: String, field: String) throws {
        let (rig, films) = try Self.rig()
        let plain = try ConnectionRig(Setup(every: 3, cdns: Self.cdns, steers: true))
        let fields = field.isEmpty ? [] : [field]
        #expect(try Self.answer(rig, target, fields) == Self.answer(plain, target, fields))
        #expect(films.asked.isEmpty && rig.slowLoop.responder.total.manifestRefusals.isEmpty)
    }

    @Test func `what cannot be rewritten is redirected with its reason counted, and takes no session`() throws {
        let (rig, films) = try Self.rig("playlist", every: 2, "#EXTM3U\n#EXT-X-TARGETDURATION:2\n")
        let answers = try (0..<4).map { _ in try Self.answer(rig, "/s1/film/v.m3u8") }
        #expect(answers.map(\.status) == [301, 301, 301, 301])
        #expect(answers.map { $0["Location"] == "http://s1.origin-cluster/film/v.m3u8" } == [false, true, false, true])
        films.text = Self.playlist
        #expect(try Self.session(Self.answer(rig, "/s1/film/master.m3u8").body) == 1)
        #expect(rig.slowLoop.responder.total.manifestRefusals == ["media-playlist": 4])
    }

    @Test func `an upstream that is silent costs a redirect after five seconds`() throws {
        let (rig, films) = try Self.rig(every: 0)
        films.isSilent = true
        rig.send(HeadVector.head("GET /s1/film/master.m3u8 HTTP/1.1", ["Host: b"]) + get("/next"))
        rig.advance(seconds: 4)
        #expect(try rig.answers().isEmpty)
        rig.advance(seconds: 1)
        #expect(try rig.answers().map(\.status) == [301, 301])
        #expect(rig.slowLoop.responder.total.manifestRefusals == ["unreachable": 1])
    }

    @Test func `manifests that clients do not take have a bound; beyond it they are redirected`() throws {
        let (rig, _) = try Self.rig(every: 0)
        let memory = rig.slowLoop.responder.manifests
        #expect(try Self.answer(rig, "/s1/film/master.m3u8").status == 200)
        #expect(memory.take(Limits.manifestBytes), "what was taken is given back")
        #expect(try Self.answer(rig, "/s1/film/master.m3u8").status == 301)
        #expect(rig.slowLoop.responder.total.manifestRefusals == ["busy": 1])
        memory.give(Limits.manifestBytes)
        #expect(try Self.session(Self.answer(rig, "/s1/film/master.m3u8").body) == 2, "no session's number is lost")
        rig.wire.isClientReading = false
        rig.send(HeadVector.head("GET /s1/film/master.m3u8 HTTP/1.1", ["Host: b"]))
        #expect(!memory.take(Limits.manifestBytes), "a client has not taken its own")
        rig.disconnect()
        #expect(memory.take(Limits.manifestBytes))
    }

    @Test func `HEAD has the fields of GET`() throws {
        let (rig, _) = try Self.rig(every: 0)
        let get = try Self.answer(rig, "/s1/film/master.m3u8")
        rig.send(HeadVector.head("HEAD /s1/film/master.m3u8 HTTP/1.1", ["Host: b"]))
        var bytes = rig.wire.takeReceived()[...]
        let head = try Answer(from: &bytes, toHead: true)
        #expect(head.status == 200 && head["Content-Length"] == "\(get.body.utf8.count)" && bytes.isEmpty)
    }

    @Test func `a rule has its own delivery, and its sessions count by themselves where its redirects do`() throws {
        let rules = """
            [{"name": "live", "when": {"paths": ["/live/"]}, "delivery": "playlist", "every": 2},
             {"name": "old", "when": {"paths": ["/old/"]}, "delivery": "redirect"}]
            """
        let (rig, films) = try Self.rig("redirect", rules: rules)
        #expect(try Self.answer(rig, "/s1/film/master.m3u8").status == 301)
        #expect(
            try (0..<4).map { _ in Self.pathways(try Self.answer(rig, "/s1/live/master.m3u8").body)[0] == "origin" } == [
                false, true, false, true,
            ])
        #expect(films.asked.allSatisfy { $0.source?.key.starts(with: "live".utf8) == true }, "fetches of different rules are apart")
        let (other, _) = try Self.rig("playlist", rules: rules)
        #expect(try Self.answer(other, "/s1/old/master.m3u8").status == 301)
        #expect(try Self.answer(other, "/s1/film/master.m3u8").status == 200)
    }

    @Test func `links lead where the session plays, take no number, and keep their CDN`() throws {
        let (rig, _) = try Self.rig("links")
        for number in 1...12 {
            let answer = try Self.answer(rig, "/s1/film/master.m3u8")
            #expect(!answer.body.contains("STEERING") && answer.body.hasSuffix("\n/session/\(number)/s1/film/v.m3u8\n"))
            let steering = try Self.answer(rig, "/steering/hls/s1/film/master.m3u8?session=\(number)").body
            let isOrigin = steering.contains("[\"origin\"")
            let locations = try (0..<3).map { _ in try Self.answer(rig, "/session/\(number)/s1/film/v.m3u8?x=1")["Location"] ?? "" }
            #expect(Set(locations).count == 1 && locations[0].hasSuffix("/film/v.m3u8?x=1"))
            #expect(locations[0].hasPrefix("http://s1.origin-cluster/") == isOrigin && isOrigin == (number % 3 == 0))
        }
    }

    @Test func `who follows the same link again in the same instant is sent elsewhere, and later back`() throws {
        let time = Time()
        let rig = try ConnectionRig(Setup(cdns: Self.cdns, steers: true, delivery: "links"), uptime: { time.next() })
        func host(_ target: String) throws -> String? { try Self.answer(rig, target)["Location"]?.split(separator: "/")[1].description }
        let home = try host("/session/1/s1/v.m3u8")
        #expect(try host("/session/1/s1/v.m3u8") == home, "a second later it is a reload")
        time.step = 300_000_000
        let other = try host("/session/1/s1/v.m3u8")
        #expect(other != home && other != nil)
        #expect(try host("/session/1/s1/v.m3u8") != other, "and not again there either")
        #expect(try host("/session/1/s1/v.m3u8?_HLS_msn=2") == home, "another query is another playlist")
        #expect(try host("/session/1/s1/w.m3u8") == home)
        time.step = 1_000_000_000
        #expect(try host("/session/1/s1/v.m3u8") == home)
        let single = try ConnectionRig(Setup(every: 2, steers: true, delivery: "links"), uptime: { 0 })
        #expect(try (0..<3).map { _ in try Self.answer(single, "/session/1/s1/v.m3u8").status } == [301, 301, 301])
    }

    @Test func `over TLS an MPD names this balancer with https`() throws {
        let table = try Setup(cdns: Self.cdns, steers: true, delivery: "playlist").table()
        var responder = Responder(table: table, sequences: SequenceBook().set(for: table), clock: { 784_111_777 })
        responder.record.transport = .tls(.tls13, isResumed: false)
        let bytes = [UInt8](latin1: HeadVector.head("GET /s1/a.mpd HTTP/1.1", ["Host: b.example"]))
        var scanner = HeadScanner(limits: Limits())
        guard case .complete(let head) = scanner.scan(bytes.span) else { throw Answer.Malformed(description: "no head") }
        let manifest = try Manifest(Array(Self.mpd.utf8), .dash, at: Manifest.Place(path: Array("/a.mpd".utf8), roots: Roots([])))
        responder.respond(toUpstream: .manifest(manifest), of: head, bytes, from: .unknown, closes: false)
        let sent = responder.writer.bytes.latin1
        #expect(sent.contains(">https://b.example/steering/dash/s1/a.mpd?session=1<"))
        #expect(sent.contains("<Location>https://b.example/session/1/s1/a.mpd</Location>"))
    }

    @Test(arguments: ["/session/x/s1/a.ts", "/session//s1/a.ts", "/session/123456789012345678901/s1/a.ts", "/session/1", "/session/"])
    func `what is no link names no server`(target: String) throws {
        let (rig, _) = try Self.rig("links")
        #expect(try Self.answer(rig, target).status == 404)
        let (plain, _) = try Self.rig("redirect")
        #expect(try Self.answer(plain, target).status == 404)
    }

    @Test func `a link has the checks of every path, and other methods are refused`() throws {
        let (rig, _) = try Self.rig("links")
        #expect(try Self.answer(rig, "/session/1/s9/a.ts").status == 404)
        #expect(try Self.answer(rig, "/session/1/s1/../s2/a.ts").status == 400)
        rig.send(
            HeadVector.head("PUT /session/1/s1/a.ts HTTP/1.1", ["Host: b"])
                + HeadVector.head("OPTIONS /session/1/s1/a.ts HTTP/1.1", ["Host: b"]))
        #expect(try rig.answers().map(\.status) == [405, 204])
    }

    @Test func `an MPD names this balancer in full, and is served again to its session`() throws {
        let (rig, _) = try Self.rig("playlist", every: 0, Self.mpd)
        let first = try Self.answer(rig, "/s1/live/a.mpd?x=1")
        #expect(first["Content-Type"] == "application/dash+xml")
        #expect(
            first.body.contains("queryBeforeStart=\"true\">http://b.example:8000/steering/dash/s1/live/a.mpd?session=1</ContentSteering>"))
        #expect(first.body.contains("<Location>http://b.example:8000/session/1/s1/live/a.mpd?x=1</Location>"))
        #expect(try Self.answer(rig, "/session/1/s1/live/a.mpd?x=1").body == first.body)
        #expect(try Self.session(Self.answer(rig, "/s1/live/a.mpd").body) == 2)
        rig.send("GET /s1/live/a.mpd HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        #expect(try rig.answers().map(\.status) == [301])
        #expect(rig.slowLoop.responder.total.manifestRefusals == ["host": 1])
    }

    @Test func `the fast path leaves manifests that have to be fetched to the slow one, and answers links and all else`() throws {
        let table = try Setup(every: 0, cdns: Self.cdns, steers: true, delivery: "links").table()
        var responder = Responder(table: table, sequences: SequenceBook().set(for: table), clock: { 784_111_777 })
        for (target, isFast) in [
            ("/s1/a.m3u8", false), ("/?video=http://s1.origin-cluster/a.mpd", false), ("/s1/a.ts", true), ("/session/1/s1/a.m3u8", true),
            ("/session/1/s1/a.mpd", false),
        ] {
            let bytes = [UInt8](latin1: HeadVector.head("GET \(target) HTTP/1.1", ["Host: b"]))
            var scanner = HeadScanner(limits: Limits())
            guard case .complete(let head) = scanner.scan(bytes.span) else { throw Answer.Malformed(description: target) }
            let outcome = responder.respond(to: head, bytes.span, from: .unknown, closes: false, isFast: true)
            #expect(outcome == (isFast ? .answered : .needsSlowPath), "\(target)")
        }
        #expect(responder.total.answers == [301: 2])
    }

    @Test(arguments: ["/s1/a.m3u8", "/?video=http://s1.origin-cluster/a.mpd"])
    func `regression: a manifest that the fast path hands over costs its client one request, not two`(target: String) throws {
        let table = try Setup(every: 0, cdns: Self.cdns, steers: true, delivery: "playlist").table()
        var responder = Responder(
            table: table, sequences: SequenceBook().set(for: table), rate: ClientRate(perSecond: 1, burst: 1), clock: { 784_111_777 })
        responder.upstream = Films(Self.playlist)
        let bytes = [UInt8](latin1: HeadVector.head("GET \(target) HTTP/1.1", ["Host: b"]))
        var scanner = HeadScanner(limits: Limits())
        guard case .complete(let head) = scanner.scan(bytes.span) else { throw Answer.Malformed(description: target) }
        let client = ClientAddress(ipv4: 0xC000_0201)
        #expect(responder.respond(to: head, bytes.span, from: client, closes: false, isFast: true) == .needsSlowPath)
        #expect(responder.respond(to: head, bytes.span, from: client, closes: false) == .needsUpstream)
        #expect(responder.respond(to: head, bytes.span, from: client, closes: false) == .answered, "the next one is too many")
        #expect(responder.total.answers == [429: 1])
    }

    @Test func `a manifest takes its part of a CDN's cap, and who comes after goes elsewhere`() throws {
        let document = try Document(
            json: """
                {"version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s1"], "every": 0},
                 "cdns": [{"name": "a", "url": "http://a.example", "maxPerSecond": 2}, {"name": "b", "url": "http://b.example", "weight": 1}],
                 "steering": {"enabled": true}, "delivery": "playlist"}
                """)
        let table = RoutingTable(try Catalog(document), revision: 1)
        let sequences = SequenceBook().set(for: table)
        let path = Array("/s1/x.m3u8".utf8)
        let video = try table.video(atPath: 0..<path.count, of: path.span)
        let asker = Steering.Asker(client: .unknown, second: 1)
        var ranking: [Decision.Target] = []
        var toA = 0
        for _ in 0..<20 {
            let (_, list) = try table.beginSession(video, of: path.span, asker, head: path.span, sequences: sequences, ranking: &ranking)
            toA += list[0] == .cdn(0) ? 1 : 0
        }
        #expect(toA == 2)
    }
}
