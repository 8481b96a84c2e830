import Testing

@testable import Playlist

/// Tokens in manifests: by a signer that shows what it was asked to sign.
@Suite struct SignedManifestTests {
    /// `http://a/TOKEN/s1/film/v.m3u8` or `…?t=`; twice the bytes that it says it needs would be a fault.
    private struct Signer: Manifest.Signer {
        let isInPath: Bool

        func capacity(_ length: Int) -> Int { length + 9 }

        func append(_ path: ArraySlice<UInt8>, to out: inout [UInt8]) {
            out += (isInPath ? "http://a/TOKEN/s1" : "http://a/s1").utf8
            out += path
            if !isInPath { out += (path.contains(UInt8(ascii: "?")) ? "&t=\(path.count)" : "?t=\(path.count)").utf8 }
        }
    }

    private static func pathways(isInPath: Bool = true) -> [Manifest.Pathway] {
        [
            Manifest.Pathway(name: "a", root: Array("http://a/s1".utf8), signer: Signer(isInPath: isInPath)),
            Manifest.Pathway(name: "origin", root: Array("http://s1.origin".utf8)),
        ]
    }

    private static let playlist = """
        #EXTM3U
        #EXT-X-SESSION-KEY:METHOD=AES-128,URI="k.bin"
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="g",NAME="en",STABLE-RENDITION-ID="r",URI="a.m3u8"
        #EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="g",STABLE-VARIANT-ID="v"
        v/i.m3u8?x=1
        #EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO="g",STABLE-VARIANT-ID="w"
        https://elsewhere.example/w.m3u8

        """

    @Test func `each URL at a pathway is its signer's, and no other`() throws {
        let written = try Sample.written(Self.playlist, .hls, Sample.session(Self.pathways()))
        #expect(
            written == """
                #EXTM3U
                #EXT-X-SESSION-KEY:METHOD=AES-128,URI="http://a/TOKEN/s1/film/k.bin"
                #EXT-X-CONTENT-STEERING:SERVER-URI="/steering/hls/s1/film/master.m3u8?session=17",PATHWAY-ID="a"
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a/g",NAME="en",STABLE-RENDITION-ID="r",URI="http://a/TOKEN/s1/film/a.m3u8"
                #EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a/g",STABLE-VARIANT-ID="v",PATHWAY-ID="a"
                http://a/TOKEN/s1/film/v/i.m3u8?x=1
                #EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO="a/g",STABLE-VARIANT-ID="w",PATHWAY-ID="a"
                https://elsewhere.example/w.m3u8
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="origin/g",NAME="en",STABLE-RENDITION-ID="r",URI="http://s1.origin/film/a.m3u8"
                #EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="origin/g",STABLE-VARIANT-ID="v",PATHWAY-ID="origin"
                http://s1.origin/film/v/i.m3u8?x=1
                #EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO="origin/g",STABLE-VARIANT-ID="w",PATHWAY-ID="origin"
                https://elsewhere.example/w.m3u8

                """)
    }

    @Test func `base URLs of an MPD are their signers', escaped`() throws {
        let mpd = """
            <MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>b&amp;c/</BaseURL><Period><BaseURL>http://s1.origin/d/</BaseURL></Period></MPD>
            """
        let written = try Sample.written(mpd, .dash, Sample.session(Self.pathways()))
        #expect(written.contains("<BaseURL serviceLocation=\"a\">http://a/TOKEN/s1/film/b&amp;c/</BaseURL>"))
        #expect(written.contains("<BaseURL serviceLocation=\"a\">http://a/TOKEN/s1/d/</BaseURL>"))
        #expect(written.contains("<BaseURL serviceLocation=\"origin\">http://s1.origin/film/b&amp;c/</BaseURL>"))
    }

    @Test(arguments: MultivariantCorpus.texts.map(\.text), [true, false])
    func `what is written is no longer than was said`(text: String, isInPath: Bool) throws {
        let manifest = try Manifest(Array(text.utf8), .hls, at: Sample.place)
        for session in [
            Sample.session(Self.pathways(isInPath: isInPath)), Sample.session(linkRoot: "/session/17-2/s1"),
            Sample.session(Self.pathways(isInPath: isInPath), linkRoot: "https://b.example/x/session/17/s1", hasPathways: true),
        ] {
            #expect(try manifest.written(for: session).count <= manifest.capacity(for: session))
        }
    }

    @Test(arguments: MPDCorpus.texts.map(\.text)) func `nor is an MPD`(text: String) throws {
        let manifest = try Manifest(Array(text.utf8), .dash, at: Sample.place)
        let session = Sample.session(Self.pathways())
        #expect(try manifest.written(for: session).count <= manifest.capacity(for: session))
    }

    @Test func `with both, links come first and belong to no pathway, and pathways follow`() throws {
        let written = try Sample.written(
            Self.playlist, .hls, Sample.session(Self.pathways(), linkRoot: "/session/17/s1", hasPathways: true))
        let links = try Sample.written(Self.playlist, .hls, Sample.session(Self.pathways(), linkRoot: "/session/17/s1"))
        let pathways = try Sample.written(Self.playlist, .hls, Sample.session(Self.pathways()))
        let steering = try #require(pathways.firstRange(of: /#EXT-X-CONTENT-STEERING.*\n/))
        let key = try #require(links.firstRange(of: "#EXT-X-MEDIA"))
        #expect(written == pathways[..<steering.upperBound] + links[key.lowerBound...] + pathways[steering.upperBound...])
        let strict = try StrictPlaylist(written)
        #expect(strict.entries.count == 9)
        #expect(strict.entries[1].uri == "/session/17/s1/film/v/i.m3u8?x=1" && strict.entries[1].attributes["PATHWAY-ID"] == nil)
        #expect(strict.entries[1].attributes["AUDIO"] == "\"g\"")
    }

    // MARK: Media playlists

    private static func media(_ text: String, isInPath: Bool = false) throws -> String {
        let manifest = try Manifest(Array(text.utf8), .media, at: Sample.place)
        let session = Manifest.Session(pathways: [pathways(isInPath: isInPath)[0]], steeringURL: [], reloadURL: [])
        let written = try manifest.written(for: session)
        #expect(written.count <= manifest.capacity(for: session))
        return String(decoding: written, as: UTF8.self)
    }

    @Test func `each segment, key and map of a media playlist has a token, and all else is as it was`() throws {
        let text = """
            #EXTM3U\r
            #EXT-X-VERSION:7
            #EXT-X-TARGETDURATION:2
            #EXT-X-MEDIA-SEQUENCE:7
            # a comment
            #EXT-X-KEY:METHOD=AES-128,URI="../k.bin?v=1",IV=0x1
            #EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://key",KEYFORMAT="com.apple.streamingkeydelivery"
            #EXT-X-MAP:URI="init.mp4",BYTERANGE="100@0"
            #EXT-X-DATERANGE:ID="ad",START-DATE="2026-01-01T00:00:00Z",X-ASSET-URI="ad/i.m3u8"
            #EXTINF:2.0,A title, with a comma="
            0.m4s
            #EXT-X-DISCONTINUITY
            #EXT-X-BYTERANGE:5@0
            #EXTINF:2.0,
            http://cdn-a.example/s1/film/1.m4s?q
            #EXTINF:2.0,
            https://elsewhere.example/2.m4s
            #EXT-X-ENDLIST
            """
        #expect(
            try Self.media(text) == """
                #EXTM3U
                #EXT-X-VERSION:7
                #EXT-X-TARGETDURATION:2
                #EXT-X-MEDIA-SEQUENCE:7
                #EXT-X-KEY:METHOD=AES-128,URI="http://a/s1/k.bin?v=1&t=10",IV=0x1
                #EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://key",KEYFORMAT="com.apple.streamingkeydelivery"
                #EXT-X-MAP:URI="http://a/s1/film/init.mp4?t=14",BYTERANGE="100@0"
                #EXT-X-DATERANGE:ID="ad",START-DATE="2026-01-01T00:00:00Z",X-ASSET-URI="http://a/s1/film/ad/i.m3u8?t=15"
                #EXTINF:2.0,A title, with a comma="
                http://a/s1/film/0.m4s?t=11
                #EXT-X-DISCONTINUITY
                #EXT-X-BYTERANGE:5@0
                #EXTINF:2.0,
                http://a/s1/film/1.m4s?q&t=13
                #EXTINF:2.0,
                https://elsewhere.example/2.m4s
                #EXT-X-ENDLIST

                """)
        let variables = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-DEFINE:NAME=\"d\",VALUE=\"x\"\n#EXTINF:2,\n{$d}/0.ts\n"
        #expect(try Self.media(variables).hasSuffix("#EXTINF:2,\nhttp://a/s1/film/x/0.ts?t=12\n"))
    }

    @Test func `a media playlist is live until it says that it has ended`() throws {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n0.ts\n"
        #expect(try Manifest(Array(text.utf8), .media, at: Sample.place).isLive)
        #expect(try !Manifest(Array((text + "#EXT-X-ENDLIST\n").utf8), .media, at: Sample.place).isLive)
    }

    @Test(
        arguments: [
            ("#EXT-X-PART-INF:PART-TARGET=0.3", .lowLatency), ("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES", .lowLatency),
            ("#EXT-X-RENDITION-REPORT:URI=\"x.m3u8\"", .lowLatency), ("#EXT-X-DEFINE:IMPORT=\"x\"", .variables),
            ("#EXT-X-DEFINE:QUERYPARAM=\"x\"", .variables), ("{$x}.ts", .variables), ("../../0.ts", .climbing), ("/film/0.ts", .uri),
            ("#EXT-X-STREAM-INF:BANDWIDTH=1", .malformed), ("#EXT-X-KEY:METHOD=AES-128,URI=\"x", .malformed), ("#EXT-X-MAP:x", .malformed),
        ] as [(String, Manifest.Refusal)])
    func `what of a media playlist cannot be signed has its reason`(line: String, reason: Manifest.Refusal) {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n\(line)\n#EXTINF:2,\n0.ts\n"
        #expect(throws: reason) { try Manifest(Array(text.utf8), .media, at: Sample.place) }
    }

    @Test func `a multivariant playlist, or a page, is no media playlist`() {
        for text in ["#EXTM3U\n", "<html>", "", "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO\n"] {
            #expect(throws: Manifest.Refusal.notManifest) { try Manifest(Array(text.utf8), .media, at: Sample.place) }
        }
        #expect(Sample.refusal("#EXTM3U\n#EXT-X-TARGETDURATION:2\n") == .media)
    }

    // MARK: Bad input

    @Test func `regression: a line of braces is read without a call for each`() throws {
        let braces = String(repeating: "{", count: PlaylistLines.longest - 20)
        #expect(try Sample.written("#EXTM3U\n#EXT-X-A:\(braces)\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n").contains(braces))
    }

    @Test func `an absolute URL is found below the longest root that it has, host in any letter case`() {
        let roots = Roots(["http://a/s1", "http://a/s1/s1", "https://b", "http://c:80/x/s1"].map { Array($0.utf8) })
        for (url, path) in [
            ("http://a/s1/f", "/f"), ("HTTP://A/s1/s1/f?x=/s1/", "/f?x=/s1/"), ("http://a/S1/f", nil), ("http://a/s12/f", nil),
            ("https://B/s1/f", "/s1/f"), ("http://a/s1", nil), ("http://a", nil), ("http://c:80/x/s1/", "/"), ("http://d/s1/f", nil),
            ("http://a?/s1/f", nil), ("", nil),
        ] as [(String, String?)] {
            #expect(roots.path(of: Array(url.utf8)).map { String(decoding: $0, as: UTF8.self) } == path, "\(url)")
        }
        #expect(Roots([]).path(of: Array("http://a/".utf8)) == nil)
    }
}
