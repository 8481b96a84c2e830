import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import Playlist
import Steering
import Testing

@testable import Fetching

/// Manifests from targets on loopback that behave well and badly.
@Suite(.serialized) struct FetcherSocketTests {
    @Test func `a manifest is fetched once for as long as it may be kept, without anything of a viewer`() async throws {
        let target = try await Target { _ in .says(Sample.answer(Sample.playlist(), ["Cache-Control: max-age=60"])) }
        let (fetcher, source) = (Sample.fetcher(), Sample.source([target.port]))
        for _ in 0..<3 { #expect(try await fetcher.fetch(source, .hls).get() == Sample.manifest(source)) }
        #expect(target.requests.count == 1)
        #expect(target.requests.first?.hasPrefix("GET /s1/film/master.m3u8 HTTP/1.1\r\nHost: 127.0.0.1:\(target.port)\r\n") == true)
        #expect(fetcher.totals.hits == 2 && fetcher.totals.fetches == ["ok": 1] && fetcher.totals.bytes > 0)
        try await target.stop()
    }

    @Test func `what only a fetch needs, a root for each target of the catalog, is made when there is one`() async throws {
        let target = try await Target { _ in .says(Sample.answer(Sample.playlist(), ["Cache-Control: max-age=60"])) }
        let made = NIOLockedValueBox(0)
        let plain = Sample.source([target.port])
        let source = ManifestSource(key: plain.key, path: plain.path) {
            made.withLockedValue { $0 += 1 }
            return plain.targets()
        }
        let fetcher = Sample.fetcher()
        for _ in 0..<5 { _ = try await fetcher.fetch(source, .hls).get() }
        #expect(made.withLockedValue { $0 } == 1)
        try await target.stop()
    }

    @Test func `what is no multivariant playlist may be a media playlist, and is remembered as each`() async throws {
        let target = try await Target { _ in
            .says(Sample.answer("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n0.ts\n", ["Cache-Control: max-age=60"]))
        }
        let (fetcher, source) = (Sample.fetcher(), Sample.source([target.port]))
        for _ in 0..<2 {
            #expect(try await fetcher.fetch(source, .hls).get() == .refused(.media))
            guard case .manifest(let manifest) = try await fetcher.fetch(source, .media).get() else {
                Issue.record("no media playlist")
                return
            }
            #expect(manifest.format == .media && manifest.isLive)
        }
        #expect(target.requests.count == 2)
        try await target.stop()
    }

    @Test func `what may not be kept is asked for again`() async throws {
        let target = try await Target { .says(Sample.answer(Sample.playlist("\($0)"), ["Cache-Control: no-cache"])) }
        let (fetcher, source) = (Sample.fetcher(), Sample.source([target.port]))
        for number in 0..<3 { #expect(try await fetcher.fetch(source, .hls).get() == Sample.manifest("\(number)", source)) }
        try await target.stop()
    }

    @Test func `ten thousand who ask at once make one fetch, and all get it`() async throws {
        let target = try await Target { _ in .holds(Sample.answer()) }
        let (fetcher, source) = (Sample.fetcher(), Sample.source([target.port]))
        let all = (0..<10_000).map { _ in fetcher.fetch(source, .hls) }
        target.release()
        let expected = try Sample.manifest(source)
        for future in all { #expect(try await future.get() == expected) }
        #expect(target.requests.count == 1)
        #expect(fetcher.totals.joined == 9_999 || fetcher.totals.joined + fetcher.totals.hits == 9_999)
        try await target.stop()
    }

    @Test(arguments: LifetimeTests.privateSigns)
    func `what is somebody's own reaches only the one who asked`(sign: String) async throws {
        let target = try await Target { .holds(Sample.answer(Sample.playlist("viewer\($0)"), [sign])) }
        let (fetcher, source) = (Sample.fetcher(), Sample.source([target.port]))
        let together = [fetcher.fetch(source, .hls), fetcher.fetch(source, .hls)]
        target.release()
        var seen: [Fetcher.Fetched] = []
        for future in together { seen.append(try await future.get()) }
        seen.append(try await fetcher.fetch(source, .hls).get())
        let expected = try (0..<3).map { try Sample.manifest("viewer\($0)", source) }
        #expect(seen.allSatisfy(expected.contains) && Set(seen.map { "\($0)" }).count == 3, "each has another one")
        #expect(target.requests.count == 3)
        try await target.stop()
    }

    static let bad: [(name: String, way: Target.Way, reason: Manifest.Refusal)] = [
        ("404", .says(Sample.answer("", status: "404 Not Found")), .status), ("500", .says(Sample.answer(status: "500 Oops")), .status),
        ("204", .says("HTTP/1.1 204 No Content\r\n\r\n"), .status),
        ("HTML", .says(Sample.answer("<!DOCTYPE html><p>Welcome", ["Content-Type: text/html"])), .notManifest),
        ("nothing", .says(Sample.answer("")), .notManifest),
        ("no gzip", .says(Sample.answer("\u{1F}x", ["Content-Encoding: gzip"])), .coding),
        ("br", .says(Sample.answer("\u{1F}x", ["Content-Encoding: br"])), .coding),
        ("gzip twice", .sends(Gzip.answer(Sample.playlist(), coding: "gzip, gzip")), .coding),
        ("gzip, cut", .sends(Gzip.answer(Sample.playlist(), cutting: 9)), .incomplete),
        ("gzip and more", .sends(Gzip.answer(Sample.playlist(), adding: [1, 2, 3])), .coding),
        ("206", .says(Sample.answer(Sample.playlist(), ["Content-Range: bytes 0-61/62"], status: "206 Partial Content")), .status),
        ("304", .says("HTTP/1.1 304 Not Modified\r\nETag: W/\"x\"\r\n\r\n"), .status),
        ("101", .says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"), .status),
        ("UTF-16", .sends(Sample.bytes([0xFF, 0xFE] + Sample.playlist().utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })), .notText),
        ("two lengths", .says(Sample.answer(Sample.playlist(), ["Content-Length: 3"])), .unreachable),
        ("a flood of fields", .says("HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 300) + "\r\n"), .unreachable),
        ("an endless field", .says("HTTP/1.1 200 OK\r\nX: " + String(repeating: "y", count: 200_000) + "\r\n\r\n"), .unreachable),
        ("cut", .says("HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n\(Sample.playlist())"), .incomplete),
        ("cut in a chunk", .says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n\(Sample.playlist())"), .incomplete),
        ("no length", .says("HTTP/1.1 200 OK\r\n\r\n\(Sample.playlist())"), .incomplete), ("no HTTP", .says("SSH-2.0-x\r\n"), .unreachable),
        ("silent", .silent, .unreachable), ("resets", .resets, .unreachable), ("drips a head", .drips(Sample.answer()), .unreachable),
        ("redirects away", .says("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/s1/x\r\nContent-Length: 0\r\n\r\n"), .redirected),
        (
            "redirects to the metadata", .says("HTTP/1.1 301 M\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n"),
            .redirected
        ),
        ("redirects nowhere", .says("HTTP/1.1 307 T\r\nContent-Length: 0\r\n\r\n"), .redirected),
    ]

    @Test(arguments: bad.map(\.name)) func `a target that does not have it is followed by the next`(name: String) async throws {
        let (_, way, reason) = try #require(Self.bad.first { $0.name == name })
        let first = try await Target { _ in way }
        let second = try await Target { _ in .says(Sample.answer()) }
        // Only what is silent needs a deadline to be followed.
        let fetcher = Sample.fetcher { if name == "silent" || name == "drips a head" { $0.attempt = .seconds(1) } }
        let source = Sample.source([first.port, second.port])
        #expect(try await fetcher.fetch(source, .hls).get() == Sample.manifest(source))
        let alone = Sample.source([first.port], film: "other")
        #expect(try await fetcher.fetch(alone, .hls).get() == .refused(reason))
        try await first.stop()
        try await second.stop()
    }

    @Test(arguments: [
        (Sample.answer("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n"), Manifest.Refusal.media),
        (Sample.answer(String(repeating: "x", count: Manifest.largest + 1)), .tooLarge),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", .tooLarge),
        (Sample.answer("#EXTM3U\n#EXT-X-STREAM-INF:X=1\n../../../v.m3u8\n"), .climbing),
    ])
    func `what is the manifest's own is remembered, and no other target is asked`(answer: String, reason: Manifest.Refusal) async throws {
        let target = try await Target { _ in .says(answer) }
        let (fetcher, source) = (Sample.fetcher(), Sample.source([target.port, target.port]))
        for _ in 0..<3 { #expect(try await fetcher.fetch(source, .hls).get() == .refused(reason)) }
        #expect(target.requests.count == 1)
        try await target.stop()
    }

    @Test func `a redirect within the catalog is followed, twice at most`() async throws {
        let elsewhere = try await Target { _ in .says(Sample.answer()) }
        let port = elsewhere.port
        let target = try await Target { _ in
            .says("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:\(port)/s1/moved.m3u8\r\nContent-Length: 0\r\n\r\n")
        }
        let fetcher = Sample.fetcher()
        let known = Sample.source([target.port, port])
        #expect(
            try await fetcher.fetch(
                ManifestSource(key: [1], path: known.path) { .init(roots: known.targets().roots, urls: [known.targets().urls[0]]) }, .hls
            ).get() == Sample.manifest("720", known, at: "/moved.m3u8"))
        #expect(elsewhere.requests.map { $0.prefix(20) } == ["GET /s1/moved.m3u8 H"])
        let unknown = Sample.source([target.port])
        #expect(try await fetcher.fetch(unknown, .hls).get() == .refused(.redirected))
        #expect(elsewhere.requests.count == 1, "it is not in that catalog")
        try await target.stop()
        try await elsewhere.stop()
    }

    @Test(arguments: ["/s1/film/v2/other.m3u8?x=1#part", "v2/other.m3u8?x=1", "./v2/other.m3u8", "?again"])
    func `regression: a relative redirect is followed, and what the manifest names is relative to where it was found`(
        location: String
    ) async throws {
        let target = try await Target { number in number == 0 ? .says(Self.redirect(to: location)) : .says(Sample.answer()) }
        let (fetcher, source) = (Sample.fetcher(), Sample.source([target.port]))
        let fetched = try await fetcher.fetch(source, .hls).get()
        switch location {
        case "./v2/other.m3u8": #expect(fetched == .refused(.redirected), "dots are not resolved")
        case "?again":
            #expect(try fetched == Sample.manifest(source))
            #expect(target.requests.last?.hasPrefix("GET /s1/film/master.m3u8?again HTTP/1.1\r\n") == true)
        default:
            #expect(try fetched == Sample.manifest("720", source, at: "/film/v2/other.m3u8"))
            #expect(target.requests.last?.hasPrefix("GET /s1/film/v2/other.m3u8?x=1 HTTP/1.1\r\n") == true)
        }
        try await target.stop()
    }

    @Test(arguments: [("/s1/token/film/master.m3u8?x", true), ("/s1/token/film/v2/master.m3u8", false)])
    func `where a token stands in the path nobody can tell which folder is the film's after a redirect`(
        location: String, isServed: Bool
    ) async throws {
        let target = try await Target { number in number == 0 ? .says(Self.redirect(to: location)) : .says(Sample.answer()) }
        let plain = Sample.source([target.port])
        let url = Array("http://127.0.0.1:\(target.port)/s1/token/film/master.m3u8".utf8)
        let signed = ManifestSource(key: [1], path: plain.path) { .init(roots: plain.targets().roots, urls: [url]) }
        #expect(
            try await Sample.fetcher().fetch(signed, .hls).get() == (isServed ? Sample.manifest(plain) : .refused(.redirected)))
        try await target.stop()
    }

    private static func redirect(to location: String) -> String {
        "HTTP/1.1 302 Found\r\nLocation: \(location)\r\nContent-Length: 0\r\n\r\n"
    }

    @Test(arguments: [
        ("plain", Target.Way.says(Sample.answer())), ("no type", .says(Sample.answer(Sample.playlist(), ["Content-Type: "]))),
        ("text", .says(Sample.answer(Sample.playlist(), ["Content-Type: text/plain; charset=iso-8859-1"]))),
        ("octets", .says(Sample.answer(Sample.playlist(), ["content-type: application/octet-stream"]))),
        ("a mark of UTF-8", .says(Sample.answer("\u{FEFF}" + Sample.playlist()))),
        ("identity", .says(Sample.answer(Sample.playlist(), ["Content-Encoding: Identity"]))),
        ("gzip", .sends(Gzip.answer(Sample.playlist()))), ("GZIP", .sends(Gzip.answer(Sample.playlist(), coding: "GZIP"))),
        ("early hints", .says("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 C\r\n\r\n" + Sample.answer())),
        (
            "chunks with trailers",
            .says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n\(Self.chunks)0\r\nX: y\r\nETag: \"z\"\r\n\r\n")
        ),
    ])
    func `an answer is taken in whatever way a server gives it`(name: String, way: Target.Way) async throws {
        let target = try await Target { _ in way }
        let (fetcher, source) = (Sample.fetcher(), Sample.source([target.port]))
        #expect(try await fetcher.fetch(source, .hls).get() == Sample.manifest(source), "\(name)")
        try await target.stop()
    }

    private static let chunks = Sample.playlist().utf8.map { "1;x=y\r\n\(UnicodeScalar($0))\r\n" }.joined()

    @Test func `a bomb of gzip is given up at the length that a manifest may have`() async throws {
        let bomb = Gzip.bomb(matches: 4_000_000)
        #expect(bomb.count > 6_000_000, "some gigabyte")
        let target = try await Target { _ in .sends(bomb) }
        let (fetcher, source) = (Sample.fetcher(), Sample.source([target.port]))
        #expect(try await fetcher.fetch(source, .hls).get() == .refused(.tooLarge))
        #expect(fetcher.totals.fetches == ["too-large": 1])
        try await target.stop()
    }

    @Test func `regression: what is no redirect is not counted as one`() async throws {
        for answer in ["HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\n\r\n", Sample.answer("", status: "206 Partial")] {
            let target = try await Target { _ in .says(answer) }
            let fetcher = Sample.fetcher()
            _ = try await fetcher.fetch(Sample.source([target.port]), .hls).get()
            #expect(fetcher.totals.fetches == ["status": 1])
            try await target.stop()
        }
    }

    @Test func `regression: what is gone is not given from memory, what fails is`() async throws {
        for (status, isGiven) in [("404 Not Found", false), ("410 Gone", false), ("403 No", false), ("503 Oh", true), ("429 Slow", true)] {
            let target = try await Target { number in
                .says(number == 0 ? Sample.answer(Sample.playlist(), ["Cache-Control: max-age=0"]) : Sample.answer("", status: status))
            }
            let (fetcher, source) = (Sample.fetcher(), Sample.source([target.port]))
            #expect(try await fetcher.fetch(source, .hls).get() == Sample.manifest(source))
            #expect(try await fetcher.fetch(source, .hls).get() == (isGiven ? Sample.manifest(source) : .refused(.status)), "\(status)")
            try await target.stop()
        }
    }

    @Test func `an operator is told why a target gives nothing, once for each host and reason, and no token`() async throws {
        let target = try await Target { number in
            number < 2 ? .says(Self.redirect(to: "https://else.example/s1/x.m3u8?token=secret")) : .resets
        }
        let told = NIOLockedValueBox<[FetchTrouble]>([])
        let fetcher = Sample.fetcher(report: { trouble in told.withLockedValue { $0.append(trouble) } })
        for film in ["a", "b", "c"] { _ = try await fetcher.fetch(Sample.source([target.port], film: film), .hls).get() }
        let host = "127.0.0.1:\(target.port)"
        #expect(
            told.withLockedValue { $0 }.map { [$0.host, $0.path, $0.reason] } == [
                [host, "/a/master.m3u8", "redirected"], [host, "/c/master.m3u8", "unreachable"],
            ])
        let cause = told.withLockedValue { $0.first?.cause }
        #expect(cause == "it redirects to https://else.example, a place that is not the catalog's, or in a circle")
        try await target.stop()
    }

    @Test func `a loop of redirects ends`() async throws {
        let target = try await Target { _ in .says("HTTP/1.1 302 F\r\nLocation: http://127.0.0.1:1/s1/x\r\nContent-Length: 0\r\n\r\n") }
        let port = target.port
        let loop = try await Target { _ in
            .says("HTTP/1.1 302 F\r\nLocation: http://127.0.0.1:\(port)/s1/../x\r\nContent-Length: 0\r\n\r\n")
        }
        let fetcher = Sample.fetcher()
        #expect(try await fetcher.fetch(Sample.source([loop.port, port]), .hls).get() == .refused(.redirected))
        try await target.stop()
        try await loop.stop()
    }

    @Test func `when no target answers, what was kept is given beyond its time, unless that is forbidden`() async throws {
        for (field, isGiven) in [("stale-if-error=60", true), ("max-age=0", true), ("max-age=0, must-revalidate", false)] {
            let target = try await Target { number in
                number == 0 ? .says(Sample.answer(Sample.playlist(), ["Cache-Control: max-age=0, \(field)"])) : .resets
            }
            let (fetcher, source) = (Sample.fetcher(), Sample.source([target.port]))
            #expect(try await fetcher.fetch(source, .hls).get() == Sample.manifest(source))
            #expect(try await fetcher.fetch(source, .hls).get() == (isGiven ? Sample.manifest(source) : .refused(.unreachable)))
            #expect(fetcher.totals.stale == (isGiven ? 1 : 0))
            // A dead target is not asked for each player.
            _ = try await fetcher.fetch(source, .hls).get()
            #expect(target.requests.count == 2)
            try await target.stop()
        }
    }

    @Test func `memory has a bound, and what was asked for last stays`() async throws {
        let target = try await Target { _ in
            .says(
                Sample.answer(
                    Sample.playlist() + "#\(String(repeating: "x", count: 9000))\n#EXT-X-A\(String(repeating: "x", count: 9000))",
                    ["Cache-Control: max-age=60"]))
        }
        let fetcher = Sample.fetcher { $0.bytes = 100_000 }
        for film in 0..<40 {
            _ = try await fetcher.fetch(Sample.source([target.port], film: "\(film)"), .hls).get()
            #expect(fetcher.totals.bytes <= 100_000)
        }
        let before = target.requests.count
        _ = try await fetcher.fetch(Sample.source([target.port], film: "39"), .hls).get()
        #expect(target.requests.count == before)
        try await target.stop()
    }

    @Test func `fetches at one host have a bound; beyond it the next target is asked`() async throws {
        let slow = try await Target { _ in .holds(Sample.answer()) }
        let other = try await Target { _ in .says(Sample.answer()) }
        let fetcher = Sample.fetcher { $0.fetchesAtHost = 1 }
        let held = fetcher.fetch(Sample.source([slow.port], film: "a"), .hls)
        #expect(try await fetcher.fetch(Sample.source([slow.port], film: "b"), .hls).get() == .refused(.busy))
        let source = Sample.source([slow.port, other.port], film: "c")
        #expect(try await fetcher.fetch(source, .hls).get() == Sample.manifest(source))
        slow.release()
        _ = try await held.get()
        try await slow.stop()
        try await other.stop()
    }

    @Test func `the machine's own metadata is never asked for`() async throws {
        let source = ManifestSource(
            key: [1], path: Array("/x.m3u8".utf8),
            targets: {
                .init(roots: [Array("http://169.254.169.254/s1".utf8)], urls: [Array("http://169.254.169.254/s1/x.m3u8".utf8)])
            })
        #expect(try await Sample.fetcher().fetch(source, .hls).get() == .refused(.unreachable))
    }

    @Test func `a live MPD is kept for a second at most`() async throws {
        let live = "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"dynamic\"><Period/></MPD>"
        let manifest = try Manifest(Array(live.utf8), .dash, at: Manifest.Place(path: Array("/a.mpd".utf8), roots: Roots([])))
        #expect(manifest.isLive)
        #expect(Lifetime(["Cache-Control": "max-age=600"], atMost: 1).fresh == 1)
    }
}
