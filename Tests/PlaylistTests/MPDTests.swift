import Testing

@testable import Playlist

/// What a rewritten MPD says, to the byte.
@Suite struct MPDTests {
    private static func prefix(_ text: String) -> String { text.contains("<mpd:MPD") ? "mpd:" : "" }

    private static func bases(_ path: String, _ prefix: String = "", _ attributes: String = "") -> String {
        Sample.pathways.map {
            "<\(prefix)BaseURL serviceLocation=\"\($0.name)\"\(attributes)>\(String(decoding: $0.root, as: UTF8.self))\(path)</\(prefix)BaseURL>"
        }.joined()
    }

    private static func steering(_ prefix: String = "") -> String {
        "<\(prefix)ContentSteering defaultServiceLocation=\"cdn-a\" queryBeforeStart=\"true\">"
            + "/steering/hls/s1/film/master.m3u8?session=17</\(prefix)ContentSteering>"
    }

    private static let location = "<Location>http://b/session/17/s1/film/manifest.mpd</Location>"
    private static let root = "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\">"

    @Test(arguments: MPDCorpus.texts.map(\.text))
    func `a base URL for each pathway and the steering server are put in, and the rest stays to the byte`(text: String) throws {
        let written = try Sample.written(text, .dash)
        let (bases, steering) = (Self.bases("/film/", Self.prefix(text)), Self.steering(Self.prefix(text)))
        #expect(written.ranges(of: bases).count == 1 && written.ranges(of: steering).count == 1)
        #expect(written.replacing(bases, with: "").replacing(steering, with: "") == text)
        let (base, steer) = (try #require(written.firstRange(of: bases)), try #require(written.firstRange(of: steering)))
        #expect(base.upperBound <= steer.lowerBound, "in the order of the schema")
        #expect(written[steer.upperBound...].hasPrefix("<\(Self.prefix(text))Period"))
        if let information = written.firstRange(of: "</ProgramInformation>") { #expect(information.upperBound <= base.lowerBound) }
    }

    @Test(arguments: MPDCorpus.live.map(\.text))
    func `a live MPD is asked for again where its session is known, and nowhere else`(text: String) throws {
        let written = try Sample.written(text, .dash)
        #expect(written.ranges(of: Self.location).count == 1)
        #expect(written.ranges(of: "<Location>").count == 1 && !written.contains("PatchLocation"))
        let rest = [Self.bases("/film/"), Self.location, Self.steering()].reduce(written) { $0.replacing($1, with: "") }
        #expect(rest == text.replacing(/<Location>.*<\/PatchLocation>/, with: ""))
    }

    @Test func `base URLs of the MPD become one for each pathway, with their attributes`() throws {
        let begin = Self.root
        let end = "<Period/></MPD>"
        for (url, path) in [
            ("media/", "/film/media/"), ("../x/", "/x/"), ("http://cdn-a.example/s1/a/b/", "/a/b/"), ("./", "/film/"),
            ("a&amp;b/", "/film/a&amp;b/"), ("\n a/ \n", "/film/a/"), ("https://cdn-b.example/films/s1/q/", "/q/"), ("&#97;/", "/film/a/"),
        ] {
            let written = try Sample.written("\(begin)<BaseURL availabilityTimeOffset=\"7\">\(url)</BaseURL>\(end)", .dash)
            #expect(written == begin + Self.bases(path, "", " availabilityTimeOffset=\"7\"") + Self.steering() + end)
        }
        let both = "<BaseURL>http://cdn-a.example/s1/a/</BaseURL><BaseURL>https://cdn-b.example/films/s1/a/</BaseURL>"
        #expect(try Sample.written(begin + both + end, .dash) == begin + Self.bases("/a/") + Self.steering() + end)
    }

    @Test func `an absolute base URL below becomes one for each pathway where it stands`() throws {
        let text = Self.root + "<Period><BaseURL>http://s1.origin/film/p1/</BaseURL><AdaptationSet/></Period></MPD>"
        #expect(
            try Sample.written(text, .dash) == Self.root + Self.bases("/film/") + Self.steering() + "<Period>" + Self.bases("/film/p1/")
                + "<AdaptationSet/></Period></MPD>")
    }

    @Test(arguments: [
        ("<!DOCTYPE MPD [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>\(root)<Period/></MPD>", Manifest.Refusal.documentType),
        ("<?xml version=\"1.0\"?><!DOCTYPE MPD SYSTEM \"file:///etc/passwd\">\(root)<Period/></MPD>", .documentType),
        ("<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\(root)<Period/></MPD>", .notText), ("", .notManifest), ("not xml", .notManifest),
        ("<html><body/></html>", .notManifest), ("<MPD><Period/></MPD>", .notManifest), ("#EXTM3U\n", .notManifest),
        ("<MPD xmlns=\"urn:other\"><Period/></MPD>", .notManifest), ("\(root)<Period></MPD>", .malformed), ("\(root)<Period/>", .malformed),
        ("\(root)</MPD>", .malformed), ("\(root)<Period/></MPD><MPD/>", .malformed), ("\(root)<Period/></MPD>x", .malformed),
        ("\(root)<Period a=1/></MPD>", .malformed), ("\(root)<Period a=\"1\" a=\"2\"/></MPD>", .malformed),
        ("\(root)<Period a=\"<\"/></MPD>", .malformed), ("\(root)<Period", .malformed), ("\(root)<!-- <Period/></MPD>", .malformed),
        ("\(root)<![CDATA[<Period/></MPD>", .malformed), ("\(root)<Period/><Period></period></MPD>", .malformed),
        ("\(root)<Period xmlns:m=\"urn:mpeg:dash:schema:mpd:2011\"/></MPD>", .namespace),
        ("<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" xmlns:x=\"http://www.w3.org/1999/xlink\"><Period x:href=\"p.xml\"/></MPD>", .xlink),
        ("\(root)<BaseURL serviceLocation=\"a\">b/</BaseURL><Period/></MPD>", .steered),
        ("\(root)<ContentSteering>http://s.example/</ContentSteering><Period/></MPD>", .steered),
        ("\(root)<ServiceDescription><ContentSteering>x</ContentSteering></ServiceDescription><Period/></MPD>", .steered),
        ("\(root)<BaseURL>https://elsewhere.example/</BaseURL><Period/></MPD>", .baseURL),
        ("\(root)<BaseURL>a/</BaseURL><BaseURL>b/</BaseURL><Period/></MPD>", .baseURL), ("\(root)<BaseURL/><Period/></MPD>", .baseURL),
        ("\(root)<BaseURL><![CDATA[a/]]></BaseURL><Period/></MPD>", .baseURL),
        ("\(root)<BaseURL>a<!-- b -->/</BaseURL><Period/></MPD>", .baseURL),
        ("\(root)<Period/><BaseURL>a/</BaseURL></MPD>", .baseURL), ("\(root)<BaseURL>/abs/</BaseURL><Period/></MPD>", .uri),
        ("\(root)<BaseURL>../../x/</BaseURL><Period/></MPD>", .climbing), ("\(root)<BaseURL>&a;</BaseURL><Period/></MPD>", .malformed),
        ("\(root)<Period/><UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-iso:2014\" value=\"time\"/></MPD>", .uri),
    ])
    func `what cannot be rewritten safely has its reason`(text: String, reason: Manifest.Refusal) {
        #expect(Sample.refusal(text, .dash) == reason)
    }

    @Test func `depth, attributes and size have bounds`() {
        let deep =
            Self.root + "<Period>" + String(repeating: "<a>", count: 100_000) + String(repeating: "</a>", count: 100_000)
            + "</Period></MPD>"
        #expect(Sample.refusal(deep, .dash) == .malformed)
        let wide = Self.root + "<Period " + (0..<300).map { "a\($0)=\"\" " }.joined() + "/></MPD>"
        #expect(Sample.refusal(wide, .dash) == .malformed)
        #expect(Sample.refusal(Self.root + String(repeating: " ", count: 10_000_000), .dash) == .tooLarge)
        let bases =
            Self.root
            + (0..<4000).map { "<Period><BaseURL>http://s1.origin/\($0)\(String(repeating: "x", count: 200))/</BaseURL></Period>" }.joined()
            + "</MPD>"
        #expect(Sample.refusal(bases, .dash) == .tooLarge)
        #expect(Sample.refusal(String(bases.prefix(100_000)) + "</BaseURL></Period></MPD>", .dash) != .tooLarge)
    }

    @Test func `any bytes at all are rewritten or refused`() throws {
        var random = SplitMix64(18)
        for (_, text) in MPDCorpus.texts + MPDCorpus.live where text.utf8.count < 10_000 {
            for _ in 0..<300 {
                var bytes = Array(text.utf8)
                for _ in 0..<Int.random(in: 1...4, using: &random) { random.mutate(&bytes) }
                guard let manifest = try? Manifest(bytes, .dash, at: Sample.place) else { continue }
                let written = try manifest.written(for: Sample.session())
                #expect(Sample.refusal(written, .dash) == .steered)
            }
        }
    }
}
