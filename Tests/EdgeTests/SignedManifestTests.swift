import Foundation
import NIOCore
import Playlist
import Steering
import Synchronization
import Testing

@testable import Edge

/// Manifests of CDNs that answer nothing without a token.
@Suite struct SignedManifestTests {
    private static let path = #"{"scheme": "bunny", "key": "k", "placement": "path"}"#
    private static let query = #"{"scheme": "akamai", "key": "k"}"#
    private static let file = #"{"scheme": "gcore", "key": "k", "covers": "file"}"#
    private static let bound = #"{"scheme": "bunny", "key": "k", "placement": "path", "bindAddress": true}"#
    private static let playlist = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv/i.m3u8?x=1\n"
    private static let media = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n0.ts\n#EXTINF:2,\n1.ts?y\n"
    private static let mpd = "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"><Period/></MPD>"

    /// Reads its texts as the manifests that are asked for. Used on its loop's thread alone.
    private final class Films: Upstream, @unchecked Sendable {
        var texts: [Manifest.Format: String]
        var asked: [UpstreamRequest] = []

        init(_ texts: [Manifest.Format: String]) { self.texts = texts }

        func fetch(_ request: UpstreamRequest, on loop: any EventLoop) -> EventLoopFuture<UpstreamContent> {
            asked.append(request)
            guard let source = request.source, let text = texts[request.format] else {
                return loop.makeSucceededFuture(.refused(.unreachable))
            }
            let place = Manifest.Place(path: source.path, roots: Roots(source.targets().roots))
            do throws(Manifest.Refusal) {
                return loop.makeSucceededFuture(.manifest(try Manifest(Array(text.utf8), request.format, at: place)))
            } catch {
                return loop.makeSucceededFuture(.refused(error))
            }
        }
    }

    private static func rig(
        _ delivery: String, _ sign: String, cdns: [(String, String)] = [("a", "http://a.example")], publicURL: String? = nil
    ) throws -> (rig: ConnectionRig, films: Films) {
        let setup = Setup(cdns: cdns, steers: true, delivery: delivery, signs: ["a": sign], publicURL: publicURL)
        var now: UInt64 = 0
        let rig = try ConnectionRig(
            setup,
            uptime: {
                now += 1_000_000_000
                return now
            })
        let films = Films([.hls: playlist, .media: media, .dash: mpd])
        rig.slowLoop.upstream = films
        return (rig, films)
    }

    private static func answer(_ rig: ConnectionRig, _ target: String, _ fields: [String] = []) throws -> Answer {
        rig.send(HeadVector.head("GET \(target) HTTP/1.1", ["Host: b.example:8000"] + fields))
        let answers = try rig.answers()
        return try #require(answers.count == 1 ? answers[0] : nil)
    }

    @Test func `regression: a link to a media playlist waits for the playlist too where a private key signs its folder`() throws {
        let signer = SlowSigner()
        var setup = Setup(
            cdns: [("a", "http://a.example")], steers: true, delivery: "links",
            signs: ["a": #"{"scheme": "cloudfront", "key": "k", "covers": "directory"}"#])
        setup.signers = Signers([.unneeded, .ready(signer)])
        let table = try setup.table()
        var responder = Responder(
            table: table, sequences: SequenceBook().set(for: table), signing: SigningQueue(), clock: { 784_111_777 })
        responder.upstream = Films([:])
        let bytes = [UInt8](latin1: HeadVector.head("GET /session/1/s1/film/hd/i.m3u8 HTTP/1.1", ["Host: b.example"]))
        var scanner = HeadScanner(limits: Limits())
        guard case .complete(let head) = scanner.scan(bytes.span) else { throw EdgeError("no head") }
        #expect(responder.respond(to: head, bytes.span, from: .unknown, closes: false) == .needsUpstream)
        let wanted = try #require(responder.wanted)
        #expect(wanted.format == .media && wanted.signatures.count == 1)
        for work in wanted.signatures { work.run() }
        let source = try #require(wanted.source)
        let place = Manifest.Place(path: source.path, roots: Roots(source.targets().roots))
        let manifest = try Manifest(Array(Self.media.utf8), .media, at: place)
        responder.writer.bytes = []
        responder.respond(toUpstream: .manifest(manifest), of: head, bytes, from: .unknown, closes: false)
        let text = responder.writer.bytes.latin1
        #expect(text.hasPrefix("HTTP/1.1 200 "), "\(text)")
        #expect(signer.onTheSpot.withLock { $0 } == [], "signed beside the loop")
    }

    private static func refusals(_ rig: ConnectionRig) -> [String: UInt64] { rig.slowLoop.responder.total.manifestRefusals }

    @Test func `a token in the path is good for the manifest's folder, wherever below it a playlist lies`() throws {
        let (rig, films) = try Self.rig("playlist", Self.path)
        let body = try Self.answer(rig, "/s1/film/master.m3u8").body
        #expect(body.contains("\nhttp://a.example/TOKEN-.s1.film.-192.0.2.1/s1/film/v/i.m3u8?x=1\n"), "\(body)")
        let urls = try #require(films.asked.first?.source).targets().urls.map { String(decoding: $0, as: UTF8.self) }
        #expect(
            urls == ["http://a.example/TOKEN-.s1.film.-::/s1/film/master.m3u8"], "asked for with a token, and with nothing of the viewer")
        #expect(try Self.answer(rig, "/s1/film/a.mpd").body.contains(">http://a.example/TOKEN-.s1.film.-192.0.2.1/s1/film/</BaseURL>"))
        #expect(Self.refusals(rig).isEmpty)
    }

    @Test func `a token in the query stands in the URL of each playlist, and an MPD is redirected`() throws {
        let (rig, _) = try Self.rig("playlist", Self.query)
        let body = try Self.answer(rig, "/s1/film/master.m3u8").body
        #expect(body.contains("\nhttp://a.example/s1/film/v/i.m3u8?x=1&hdnts=TOKEN-.s1.film.-192.0.2.1\n"), "\(body)")
        #expect(try Self.answer(rig, "/s1/film/a.mpd").status == 301)
        #expect(Self.refusals(rig) == ["signed-query": 1])
    }

    @Test func `a token that does not say what it covers is good for the directory of what has it`() throws {
        let (rig, films) = try Self.rig("playlist", #"{"scheme": "gcore", "key": "k", "covers": "directory"}"#)
        films.texts[.hls] = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv/i.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nw.m3u8?a=b/c&md5=x\n"
        let body = try Self.answer(rig, "/s1/film/master.m3u8").body
        #expect(body.contains("/s1/film/v/i.m3u8?md5=TOKEN-.s1.film.v.-192.0.2.1\n"), "\(body)")
        #expect(body.contains("/s1/film/w.m3u8?a=b/c&md5=TOKEN-.s1.film.-192.0.2.1\n"), "a token that was there is replaced")
    }

    @Test(arguments: ["playlist", "both"]) func `a token for one file sends the player to the CDN, as a redirect, with its reason`(
        delivery: String
    ) throws {
        let (rig, films) = try Self.rig(delivery, Self.file)
        let answer = try Self.answer(rig, "/s1/film/master.m3u8")
        #expect(answer.status == 301 && answer["Location"]?.hasPrefix("http://a.example/s1/film/master.m3u8?md5=TOKEN") == true)
        #expect(try Self.answer(rig, "/s1/film/a.mpd").status == 301)
        #expect(films.asked.isEmpty && Self.refusals(rig) == ["signed-file": 2])
    }

    @Test func `where tokens are bound to the viewer, whoever may be asked without one is asked, and else nobody`() throws {
        let (rig, films) = try Self.rig("playlist", Self.bound)
        #expect(try Self.answer(rig, "/s1/film/master.m3u8").status == 301)
        #expect(films.asked.isEmpty && Self.refusals(rig) == ["signed-address": 1])
        let (both, asked) = try Self.rig("playlist", Self.bound, cdns: [("a", "http://a.example"), ("b", "http://b.example")])
        let body = try Self.answer(both, "/s1/film/master.m3u8").body
        #expect(body.contains("http://a.example/TOKEN-.s1.film.-192.0.2.1/s1/film/v/i.m3u8?x=1\n"))
        #expect(asked.asked.first?.source?.targets().urls == [Array("http://b.example/s1/film/master.m3u8".utf8)])
    }

    @Test func `a link says how deep the film's folder lies, and leads there with a token for it`() throws {
        let (rig, films) = try Self.rig("links", Self.path)
        let body = try Self.answer(rig, "/s1/films/film/master.m3u8").body
        #expect(body.hasSuffix("\n/session/1-2/s1/films/film/v/i.m3u8?x=1\n"), "\(body)")
        for (link, token) in [
            ("/session/1-2/s1/films/film/v/i.m3u8?x=1", ".s1.films.film."), ("/session/1-0/s1/films/film/v/i.m3u8?x=1", ".s1."),
            ("/session/1/s1/films/film/v/i.m3u8?x=1", ".s1.films.film.v."),
            ("/session/1-4/s1/films/film/v/i.m3u8?x=1", ".s1.films.film.v."),
            ("/session/1-99/s1/films/film/v/i.m3u8?x=1", ".s1.films.film.v."),
        ] {
            let location = try Self.answer(rig, link)["Location"]
            #expect(location == "http://a.example/TOKEN-\(token)-192.0.2.1/s1/films/film/v/i.m3u8?x=1", "\(link)")
        }
        for link in ["/session/1-/s1/v.m3u8", "/session/1-100/s1/v.m3u8", "/session/-1/s1/v.m3u8", "/session/1-1-1/s1/v.m3u8"] {
            #expect(try Self.answer(rig, link).status == 404, "\(link)")
        }
        #expect(films.asked.map(\.format) == [.hls])
    }

    @Test(arguments: [query, file]) func `a link leads to the media playlist itself, where each segment needs a token`(sign: String) throws
    {
        let (rig, films) = try Self.rig("links", sign)
        #expect(try Self.answer(rig, "/s1/film/master.m3u8").body.hasSuffix("\n/session/1/s1/film/v/i.m3u8?x=1\n"))
        for _ in 0..<2 {
            let answer = try Self.answer(rig, "/session/1/s1/film/v/i.m3u8?x=1")
            let (name, first, second) =
                sign == Self.file
                ? ("md5", ".s1.film.v.0.ts", ".s1.film.v.1.ts") : ("hdnts", ".s1.film.v.", ".s1.film.v.")
            #expect(answer["Content-Type"] == "application/vnd.apple.mpegurl" && answer["Cache-Control"] == "no-store")
            #expect(
                answer.body == """
                    #EXTM3U
                    #EXT-X-TARGETDURATION:2
                    #EXTINF:2,
                    http://a.example/s1/film/v/0.ts?\(name)=TOKEN-\(first)-192.0.2.1
                    #EXTINF:2,
                    http://a.example/s1/film/v/1.ts?y&\(name)=TOKEN-\(second)-192.0.2.1

                    """)
        }
        #expect(films.asked.map(\.format) == [.hls, .media, .media])
        let total = rig.slowLoop.responder.total
        #expect(total.mediaPlaylists == 2 && total.manifestsToCDN == ["a": 1] && total.manifestRefusals.isEmpty)
        rig.send(HeadVector.head("HEAD /session/1/s1/film/v/i.m3u8 HTTP/1.1", ["Host: b"]))
        var bytes = rig.wire.takeReceived()[...]
        #expect(try Answer(from: &bytes, toHead: true).status == 200 && bytes.isEmpty)
        #expect(try Self.answer(rig, "/session/1/s1/film/v/0.ts").status == 301, "no playlist is redirected")
        #expect(try Self.answer(rig, "/session/1/s1/film/v/i.m3u8", ["Cookie: a=b"]).status == 301)
        films.texts[.media] = Self.playlist
        #expect(try Self.answer(rig, "/session/1/s1/film/v/i.m3u8").status == 301)
        #expect(Self.refusals(rig) == ["credentials": 1, "malformed": 1])
    }

    @Test func `with both, links come first, and pathways have their tokens`() throws {
        let (rig, _) = try Self.rig("both", Self.path)
        let body = try Self.answer(rig, "/s1/film/master.m3u8").body
        let uris = body.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(
            uris == [
                "/session/1-1/s1/film/v/i.m3u8?x=1", "http://a.example/TOKEN-.s1.film.-192.0.2.1/s1/film/v/i.m3u8?x=1",
            ])
        #expect(body.contains("SERVER-URI=\"/steering/hls/s1/film/master.m3u8?session=1\",PATHWAY-ID=\"a\""))
    }

    @Test func `the balancer's public URL stands in the place of what the request says`() throws {
        let (rig, _) = try Self.rig("both", Self.path, publicURL: "https://play.example/x/")
        let body = try Self.answer(rig, "/s1/film/master.m3u8").body
        #expect(body.contains("SERVER-URI=\"https://play.example/x/steering/hls/s1/film/master.m3u8?session=1\""))
        #expect(body.contains("\nhttps://play.example/x/session/1-1/s1/film/v/i.m3u8?x=1\n"))
        rig.send("GET /s1/live/a.mpd HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        let mpd = try #require(try rig.answers().first)
        #expect(mpd.status == 200 && mpd.body.contains(">https://play.example/x/steering/dash/s1/live/a.mpd?session=2<"))
    }

    @Test func `a rule has its own public URL`() throws {
        let rules = """
            [{"name": "r", "when": {"paths": ["/live/"]}, "steering": {"publicUrl": "https://live.example"}}]
            """
        let rig = try ConnectionRig(Setup(steers: true, delivery: "playlist", publicURL: "https://play.example", rules: rules))
        rig.slowLoop.upstream = Films([.hls: Self.playlist])
        #expect(try Self.answer(rig, "/s1/live/m.m3u8").body.contains("\"https://live.example/steering/hls/s1/live/m.m3u8?"))
        #expect(try Self.answer(rig, "/s1/film/m.m3u8").body.contains("\"https://play.example/steering/hls/s1/film/m.m3u8?"))
    }

    @Test func `what is explained is what the wire does, and why`() throws {
        func told(_ delivery: String, _ sign: String, _ url: String) throws -> (Explanation, [String: String]) {
            let table = try Setup(cdns: [("a", "http://a.example")], steers: true, delivery: delivery, signs: ["a": sign]).table()
            let sequences = SequenceBook().set(for: table)
            let client = try #require(ClientAddress("192.0.2.1"))
            let told = table.explain(url, avoiding: nil, client: client, at: 1, sequences: sequences, showsToken: true)
            return (told, Dictionary(told.steps.map { ($0.about, $0.text) }) { $1 })
        }
        var (explanation, steps) = try told("playlist", Self.path, "http://s1.origin-cluster/film/m.m3u8")
        #expect(
            steps["answer"] == "200 the manifest, with the pathways a" && steps["else"]?.hasPrefix("301 http://a.example/TOKEN") == true)
        #expect(explanation.delivery?.pathways == ["a"] && explanation.delivery?.session == 1 && explanation.delivery?.obstacle == nil)
        (explanation, steps) = try told("playlist", Self.file, "/s1/film/m.m3u8")
        #expect(explanation.delivery?.obstacle == "signed-file" && steps["deliver"]?.contains("a token of a is good for one file") == true)
        #expect(steps["answer"]?.hasPrefix("301 ") == true && steps["else"] == nil)
        (explanation, steps) = try told("links", Self.query, "/s1/film/m.mpd")
        #expect(explanation.delivery?.obstacle == "signed-query")
        (explanation, steps) = try told("links", Self.bound, "/s1/film/m.m3u8")
        #expect(explanation.delivery?.obstacle == "signed-address")
        (explanation, steps) = try told("links", Self.file, "/session/7/s1/film/v.m3u8")
        #expect(steps["answer"] == "200 the media playlist, with a token on each segment at a" && steps["session"] == "number 7")
        (explanation, steps) = try told("links", Self.path, "/session/7-1/s1/film/v/i.m3u8")
        #expect(steps["answer"] == "301 http://a.example/TOKEN-.s1.film.-192.0.2.1/s1/film/v/i.m3u8" && explanation.delivery == nil)
        (explanation, steps) = try told("links", Self.path, "/s1/film/v.ts")
        #expect(explanation.delivery == nil && steps["answer"]?.hasPrefix("301 ") == true)
        for obstacle in [ManifestDelivery.Obstacle.file(.origin), .query(.origin)] { #expect(obstacle.reason.rawValue == obstacle.name) }
    }

    @Test func `the history of traffic has manifests by first pathway, with the status 200`() throws {
        let (rig, _) = try Self.rig("playlist", Self.path)
        for _ in 0..<3 { _ = try Self.answer(rig, "/s1/film/m.m3u8") }
        _ = try Self.answer(rig, "/s2/film/v.ts")
        let entries = rig.slowLoop.responder.takeTraffic().entries
        #expect(entries.map { "\($0.cdn) \($0.server) \($0.status) \($0.requests)" } == ["a s2 301 1", "a s1 200 3"])
        let total = rig.slowLoop.responder.total
        #expect(total.manifestsToCDN == ["a": 3] && total.redirectsToCDN == ["a": 1])
    }
}
