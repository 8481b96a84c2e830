import Testing

@testable import Playlist

/// Published rules that a rewrite could break, over the corpus: Apple's "HLS Authoring Specification for Apple Devices" and
/// draft-pantos-hls-rfc8216bis for HLS; DASH-IF's "Content Steering for DASH" (ETSI TS 103 998) for DASH.
@Suite struct AuthoringRulesTests {
    /// With pathways, with links, and with both.
    private static let sessions = [
        Sample.session(), Sample.session(linkRoot: "/session/17/s1"), Sample.session(linkRoot: "/session/17/s1", hasPathways: true),
    ]

    private static func each(_ text: String, _ check: (StrictPlaylist, Manifest.Session, StrictPlaylist) throws -> Void) throws {
        let one = Sample.session([Manifest.Pathway(name: "x", root: Array("http://s1.origin".utf8))])
        let before = try StrictPlaylist(Sample.written(text, .hls, one))
        for session in sessions { try check(StrictPlaylist(Sample.written(text, .hls, session)), session, before) }
    }

    private static func pathway(_ entry: StrictPlaylist.Entry) -> String {
        if let id = entry.attributes["PATHWAY-ID"] { return id }
        let group = entry.attributes["GROUP-ID"] ?? ""
        return Sample.pathways.map(\.name).first { group.hasPrefix("\"\($0)/") }.map { "\"\($0)\"" } ?? "."
    }

    private static func isVariant(_ entry: StrictPlaylist.Entry) -> Bool { entry.tag != "#EXT-X-MEDIA" }

    @Test(arguments: MultivariantCorpus.texts.map(\.text))
    func `one steering tag names a server and a pathway that there is, where there are pathways, and none else`(text: String) throws {
        try Self.each(text) { playlist, session, _ in
            guard session.hasPathways else { return #expect(playlist.steering == nil) }
            let steering = try #require(playlist.steering)
            #expect(Set(steering.keys) == ["SERVER-URI", "PATHWAY-ID"])
            let first = try #require(playlist.entries.first { Self.isVariant($0) && $0.attributes["PATHWAY-ID"] != nil })
            #expect(first.attributes["PATHWAY-ID"] == steering["PATHWAY-ID"], "its variants come first of all pathways")
            #expect(steering["PATHWAY-ID"]?.contains(/^"[A-Za-z0-9._-]+"$/) == true)
        }
    }

    @Test(arguments: MultivariantCorpus.texts.map(\.text))
    func `each pathway has the same variants, and none has a stable identifier twice`(text: String) throws {
        try Self.each(text) { playlist, session, before in
            for name in ["STABLE-VARIANT-ID", "STABLE-RENDITION-ID"] {
                var ids: [String: [String]] = [:]
                for entry in playlist.entries where entry.tag != "#EXT-X-I-FRAME-STREAM-INF" && entry.attributes[name] != nil {
                    let group = entry.attributes["GROUP-ID"]?.split(separator: "/").last.map(String.init) ?? ""
                    ids[Self.pathway(entry), default: []].append("\(group) \(entry.attributes[name] ?? "")")
                }
                let lists = ids.values.map { $0.map { $0.replacing("\"", with: "") } }
                #expect(Set(lists).count <= 1)
                for list in lists { #expect(Set(list).count == list.count) }
            }
            let copies = (session.linkRoot == nil ? 0 : 1) + (session.hasPathways ? session.pathways.count : 0)
            #expect(playlist.entries.count == before.entries.count * copies)
        }
    }

    @Test(arguments: MultivariantCorpus.texts.map(\.text))
    func `what players choose by stays: bandwidth, codecs, size, rate, range, score, languages and characteristics`(text: String) throws {
        let chosen = [
            "BANDWIDTH", "AVERAGE-BANDWIDTH", "CODECS", "SUPPLEMENTAL-CODECS", "RESOLUTION", "FRAME-RATE", "VIDEO-RANGE", "HDCP-LEVEL",
            "SCORE", "TYPE", "NAME", "LANGUAGE", "ASSOC-LANGUAGE", "DEFAULT", "AUTOSELECT", "FORCED", "CHANNELS", "CHARACTERISTICS",
            "INSTREAM-ID", "ALLOWED-CPC", "REQ-VIDEO-LAYOUT",
        ]
        func choices(_ entries: [StrictPlaylist.Entry]) -> [[String: String]] {
            entries.map { $0.attributes.filter { chosen.contains($0.key) } }
        }
        try Self.each(text) { playlist, _, before in
            for (_, entries) in Dictionary(grouping: playlist.entries, by: Self.pathway) {
                #expect(choices(entries) == choices(before.entries))
            }
            for entry in before.entries where Self.isVariant(entry) {
                #expect(entry.attributes["BANDWIDTH"] != nil || !text.contains("BANDWIDTH"))
            }
        }
    }

    @Test(arguments: MultivariantCorpus.texts.map(\.text))
    func `a group is of one pathway, and has no name and no default twice that it had once`(text: String) throws {
        func groups(_ entries: [StrictPlaylist.Entry]) -> [[StrictPlaylist.Entry]] {
            let media = entries.filter { !Self.isVariant($0) }
            return Dictionary(grouping: media) { "\($0.attributes["TYPE"] ?? "") \($0.attributes["GROUP-ID"] ?? "")" }.map(\.value)
        }
        func doubles(_ group: [StrictPlaylist.Entry]) -> [Int] {
            [group.count - Set(group.map { $0.attributes["NAME"] ?? "" }).count, group.count { $0.attributes["DEFAULT"] == "YES" }]
        }
        try Self.each(text) { playlist, session, before in
            let copies = (session.linkRoot == nil ? 0 : 1) + (session.hasPathways ? session.pathways.count : 0)
            let expected = groups(before.entries).map(doubles)
            let found = groups(playlist.entries)
            #expect(found.count == expected.count * copies)
            for group in found { #expect(Set(group.map(Self.pathway)).count == 1 && expected.contains(doubles(group))) }
        }
    }

    @Test(arguments: MultivariantCorpus.texts.map(\.text))
    func `tags that may stand once do, and session data is not doubled`(text: String) throws {
        try Self.each(text) { playlist, _, before in
            #expect(playlist.others.count == before.others.count)
            for tag in ["#EXT-X-VERSION", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-START"] {
                #expect(playlist.others.count { $0.hasPrefix(tag) } <= 1)
            }
            for entry in playlist.entries { #expect(entry.uri.map { !$0.isEmpty && !$0.contains(" ") } ?? true) }
        }
    }

    // MARK: DASH

    private static func attribute(_ name: String, _ tag: Substring) throws -> String? {
        let pattern = try Regex("\\b\(name)=[\"']([^\"']*)[\"']", as: (Substring, Substring).self)
        return tag.firstMatch(of: pattern).map { String($0.1) }
    }

    @Test(arguments: (MPDCorpus.texts + MPDCorpus.live).map(\.text))
    func `one steering element stands before the periods, names a location that there is, and makes players ask first`(text: String) throws
    {
        let written = try Sample.written(text, .dash)
        let elements = written.matches(of: /<[a-z:]*ContentSteering [^>]*>/)
        #expect(elements.count == 1)
        let element = try #require(elements.first)
        let bases = written.matches(of: /<[a-z:]*BaseURL [^>]*serviceLocation[^>]*>/)
        let locations = try bases.map { try Self.attribute("serviceLocation", $0.0) }
        #expect(locations.contains(try Self.attribute("defaultServiceLocation", element.0)))
        #expect(try Self.attribute("queryBeforeStart", element.0) == "true")
        #expect(locations.allSatisfy { $0?.contains(/^[A-Za-z0-9._-]+$/) == true })
        let period = try #require(written.firstRange(of: /<[a-z:]*Period[\s>\/]/.ignoresCase()).map(\.lowerBound) ?? nil)
        // Comments and CDATA may have what looks like one.
        if !text.contains("<!--") { #expect(element.range.upperBound <= period) }
    }

    @Test(arguments: (MPDCorpus.texts + MPDCorpus.live).map(\.text))
    func `wherever one location is named, all are, once each, absolute and to the same place below their roots`(text: String) throws {
        let written = try Sample.written(text, .dash)
        let bases = written.matches(of: /<[a-z:]*BaseURL ([^>]*serviceLocation[^>]*)>([^<]*)</)
        #expect(bases.count >= Sample.pathways.count && bases.count % Sample.pathways.count == 0)
        for start in stride(from: 0, to: bases.count, by: Sample.pathways.count) {
            let group = bases[start..<start + Sample.pathways.count]
            #expect(try group.map { try Self.attribute("serviceLocation", $0.1) } == Sample.pathways.map(\.name))
            let paths = zip(group, Sample.pathways).map { base, pathway in
                String(base.2).trimmingPrefix(String(decoding: pathway.root, as: UTF8.self))
            }
            #expect(Set(paths.map(String.init)).count == 1 && paths[0].hasPrefix("/"))
        }
        #expect(!written.contains("PatchLocation"))
        for location in written.matches(of: /<Location>([^<]*)</) { #expect(location.1.contains(/^https?:\/\//)) }
    }

    // MARK: Limits

    @Test func `a manifest of exactly the size that is read is written, and one byte more is refused`() throws {
        func playlist(_ size: Int) -> String {
            let start = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n"
            let line = "#EXT-X-OTHER:" + String(repeating: "x", count: 50_000 - 14) + "\n"
            let lines = (size - start.utf8.count) / 50_000
            let rest = size - start.utf8.count - lines * 50_000
            return start + String(repeating: line, count: lines) + "#" + String(repeating: "y", count: rest - 2) + "\n"
        }
        #expect(playlist(Manifest.largest).utf8.count == Manifest.largest)
        #expect(Sample.refusal(playlist(Manifest.largest)) == nil)
        #expect(Sample.refusal(playlist(Manifest.largest + 1)) == .tooLarge)
    }

    @Test func `regression: a playlist of a megabyte whose identifiers make it longer is written, since what counts is what is written`()
        throws
    {
        var text = "#EXTM3U\n"
        var number = 0
        while text.utf8.count < Manifest.largest - 500 {
            number += 1
            text +=
                "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\(number % 7)\",NAME=\"\(number)\",URI=\"\(String(repeating: "a", count: 300))\(number)\"\n"
        }
        text += "#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n"
        #expect(text.utf8.count <= Manifest.largest)
        let one = Sample.session([Sample.pathways[0]])
        #expect(try Sample.written(text, .hls, one).utf8.count > Manifest.largest)
    }
}
