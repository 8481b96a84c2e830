import Testing

@testable import Playlist

/// What a rewritten multivariant playlist says, judged by a reader that was written apart.
@Suite struct MultivariantTests {
    @Test(arguments: MultivariantCorpus.texts.map(\.text))
    func `each pathway has the variants, renditions and groups that there were, with all their attributes`(text: String) throws {
        let written = try Sample.written(text)
        let after = try StrictPlaylist(written)
        let plain = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        // What the origin alone would have; variables are replaced.
        let only = Manifest.Pathway(name: "x", root: Array("http://s1.origin".utf8))
        let reference = try StrictPlaylist(Sample.written(text, .hls, Sample.session([only]))).entries(of: "x", root: "http://s1.origin")
        let before = try StrictPlaylist(plain.replacing("\t", with: "").replacing("  ", with: ""))
        let distinct = Set(before.entries.map { $0.attributes.filter { !$0.value.contains("{$") } }).count
        #expect(Set(reference.map { $0.attributes }).count >= distinct - 1)
        for pathway in Sample.pathways {
            let root = String(decoding: pathway.root, as: UTF8.self)
            #expect(after.entries(of: pathway.name, root: root) == reference)
        }
        #expect(after.entries.count == reference.count * Sample.pathways.count)
        #expect(
            after.steering == [
                "SERVER-URI": "\"/steering/hls/s1/film/master.m3u8?session=17\"", "PATHWAY-ID": "\"cdn-a\"",
            ])
        if !text.contains("{$"), !text.contains("://"), !text.contains("..") {
            #expect(
                reference.map(\.attributes)
                    == before.entries.map { entry in
                        entry.attributes.filter { !["STABLE-VARIANT-ID", "STABLE-RENDITION-ID"].contains($0.key) }
                    })
        }
    }

    @Test(arguments: MultivariantCorpus.texts.map(\.text))
    func `identifiers are the same in all pathways, differ within one, and have the characters of the specification`(text: String) throws {
        let entries = try StrictPlaylist(Sample.written(text)).entries
        for name in ["STABLE-VARIANT-ID", "STABLE-RENDITION-ID"] {
            var byPathway: [String: [String]] = [:]
            for entry in entries where entry.tag != "#EXT-X-I-FRAME-STREAM-INF" {
                guard let id = entry.attributes[name] else { continue }
                #expect(id.contains(/^"[A-Za-z0-9+\/=._-]+"$/))
                let group = entry.attributes["GROUP-ID"]?.split(separator: "/").first.map { $0 + "\"" }.map(String.init)
                byPathway[entry.attributes["PATHWAY-ID"] ?? group ?? "", default: []].append(id)
            }
            #expect(Set(byPathway.values.map { $0 }).count <= 1)
            for ids in byPathway.values { #expect(Set(ids).count == ids.count) }
        }
        for entry in entries where entry.tag != "#EXT-X-MEDIA" { #expect(entry.attributes["STABLE-VARIANT-ID"] != nil) }
    }

    @Test func `a playlist of two pathways, to the byte`() throws {
        let text = """
            #EXTM3U
            #EXT-X-VERSION:6
            #EXT-X-SESSION-DATA:DATA-ID="d",URI="d.json"
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",STABLE-RENDITION-ID="r",URI="a/en.m3u8"
            #EXT-X-STREAM-INF:BANDWIDTH=1000000,AUDIO="a",STABLE-VARIANT-ID="v"
            v/720.m3u8
            """
        #expect(
            try Sample.written(text, .hls, Sample.session(Array(Sample.pathways.prefix(2)))) == """
                #EXTM3U
                #EXT-X-VERSION:6
                #EXT-X-SESSION-DATA:DATA-ID="d",URI="http://cdn-a.example/s1/film/d.json"
                #EXT-X-CONTENT-STEERING:SERVER-URI="/steering/hls/s1/film/master.m3u8?session=17",PATHWAY-ID="cdn-a"
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="cdn-a/a",NAME="en",STABLE-RENDITION-ID="r",URI="http://cdn-a.example/s1/film/a/en.m3u8"
                #EXT-X-STREAM-INF:BANDWIDTH=1000000,AUDIO="cdn-a/a",STABLE-VARIANT-ID="v",PATHWAY-ID="cdn-a"
                http://cdn-a.example/s1/film/v/720.m3u8
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="cdn-b/a",NAME="en",STABLE-RENDITION-ID="r",URI="https://cdn-b.example/films/s1/film/a/en.m3u8"
                #EXT-X-STREAM-INF:BANDWIDTH=1000000,AUDIO="cdn-b/a",STABLE-VARIANT-ID="v",PATHWAY-ID="cdn-b"
                https://cdn-b.example/films/s1/film/v/720.m3u8

                """)
    }

    @Test func `with links the media playlists are ours, and there are neither pathways nor steering`() throws {
        let text = MultivariantCorpus.texts[2].text
        let written = try Sample.written(text, .hls, Sample.session(linkRoot: "/session/17/s1"))
        let playlist = try StrictPlaylist(written)
        #expect(playlist.steering == nil && !written.contains("PATHWAY"))
        #expect(
            playlist.entries.map(\.uri) == [
                "/session/17/s1/film/audio/en.m3u8", "/session/17/s1/film/audio/de.m3u8", "/session/17/s1/film/video/720.m3u8",
                "/session/17/s1/film/video/360.m3u8",
            ])
        let keys = MultivariantCorpus.texts.first { $0.name.hasPrefix("AES-128") }?.text ?? ""
        #expect(
            try Sample.written(keys, .hls, Sample.session(linkRoot: "/session/17/s1")).contains(
                "URI=\"http://cdn-a.example/s1/film/keys/1.key\""))
    }

    @Test func `what every CDN repeats is there once a pathway`() throws {
        let text = MultivariantCorpus.texts.first { $0.name == "redundant variants at each CDN" }?.text ?? ""
        #expect(
            try StrictPlaylist(Sample.written(text)).entries.map(\.uri) == [
                "http://cdn-a.example/s1/film/720.m3u8", "https://cdn-b.example/films/s1/film/720.m3u8", "http://s1.origin/film/720.m3u8",
            ])
    }

    @Test(arguments: [
        ("#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\na.ts\n", Manifest.Refusal.media), ("", .notManifest), ("#EXTM3U\n", .notManifest),
        ("#EXTM3U8\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8", .notManifest),
        (" #EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8", .notManifest),
        ("<!DOCTYPE html><html><body>404</body></html>", .notManifest), ("\u{1}\u{2}", .notText),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv\u{0}.m3u8", .notText), ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\rv.m3u8\n", .notText),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1", .malformed),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-STREAM-INF:BANDWIDTH=2\nv", .malformed),
        ("#EXTM3U\nv.m3u8\n", .malformed), ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=avc1,mp4a\nv", .malformed),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=a\nv", .malformed),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,BANDWIDTH=2\nv", .malformed),
        ("#EXTM3U\n#EXT-X-STREAM-INF:CODECS=\"a\nv", .malformed), ("#EXTM3U\n#EXT-X-STREAM-INF:CODECS=\"a\"b,X=1\nv", .malformed),
        ("#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=a,NAME=\"n\",URI=\"u\"\n#EXT-X-STREAM-INF:X=1\nv", .malformed),
        ("#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"n\",URI=u\n#EXT-X-STREAM-INF:X=1\nv", .malformed),
        ("#EXTM3U\n#EXT-X-SESSION-KEY:METHOD=AES-128,URI\n#EXT-X-STREAM-INF:X=1\nv", .malformed),
        ("#EXTM3U\n#EXT-X-CONTENT-STEERING:SERVER-URI=\"s\"\n#EXT-X-STREAM-INF:X=1\nv", .steered),
        ("#EXTM3U\n#EXT-X-STREAM-INF:X=1,PATHWAY-ID=\"p\"\nv", .steered), ("#EXTM3U\n#EXT-X-STREAM-INF:X=1\n../../v.m3u8", .climbing),
        ("#EXTM3U\n#EXT-X-STREAM-INF:X=1\na/%2E%2e/../../v.m3u8", .climbing),
        ("#EXTM3U\n#EXT-X-STREAM-INF:X=1\n..%2f..%2Fv.m3u8", .climbing),
        ("#EXTM3U\n#EXT-X-STREAM-INF:X=1\nhttp://cdn-a.example/s1/../s2/v.m3u8", .climbing),
        ("#EXTM3U\n#EXT-X-STREAM-INF:X=1\n/film/v.m3u8", .uri), ("#EXTM3U\n#EXT-X-STREAM-INF:X=1\n//other.example/v.m3u8", .uri),
        ("#EXTM3U\n#EXT-X-STREAM-INF:X=1\na\"b", .uri),
        ("#EXTM3U\n#EXT-X-DEFINE:QUERYPARAM=\"t\"\n#EXT-X-STREAM-INF:X=1\nv?{$t}", .variables),
        ("#EXTM3U\n#EXT-X-DEFINE:IMPORT=\"t\"\n#EXT-X-STREAM-INF:X=1\nv?{$t}", .variables),
        ("#EXTM3U\n#EXT-X-STREAM-INF:X=1\nv?{$t}", .variables), ("#EXTM3U\n#EXT-X-STREAM-INF:X=1\nv?{$t", .variables),
        ("#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"{$b}\"\n#EXT-X-STREAM-INF:X=1\nv", .variables),
    ])
    func `what cannot be rewritten safely has its reason`(text: String, reason: Manifest.Refusal) {
        #expect(Sample.refusal(text) == reason)
    }

    @Test func `size has bounds: of what is read, of a line, of variables, of what is written`() {
        let begin = "#EXTM3U\n#EXT-X-STREAM-INF:X=1\nv.m3u8\n"
        #expect(Sample.refusal(begin + String(repeating: "#", count: 10_000_000)) == .tooLarge)
        #expect(Sample.refusal(begin + "#" + String(repeating: "x", count: PlaylistLines.longest)) == .tooLarge)
        #expect(Sample.refusal(begin + "#" + String(repeating: "x", count: PlaylistLines.longest - 1)) == nil)
        let bomb = "#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"\(String(repeating: "x", count: 60_000))\"\n#EXT-X-STREAM-INF:X=1\n{$a}{$a}\n"
        #expect(Sample.refusal(bomb) == .tooLarge)
        let lines =
            "#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"\(String(repeating: "x", count: 60_000))\"\n"
            + (0..<100).map { "#EXT-X-STREAM-INF:X=\($0)\n{$a}\n" }.joined()
        #expect(Sample.refusal(lines) == .tooLarge)
        #expect(Sample.refusal([0xFF, 0xFE] + Array(begin.utf8)) == .notText)
        #expect(Sample.refusal(Array("#EXTM3U\n# \u{E9}".unicodeScalars.map { UInt8($0.value) })) == .notText)
    }

    @Test func `any bytes at all are rewritten or refused, and what is written can be read`() throws {
        var random = SplitMix64(17)
        for (_, text) in MultivariantCorpus.texts {
            for _ in 0..<300 {
                var bytes = Array(text.utf8)
                for _ in 0..<Int.random(in: 1...4, using: &random) { random.mutate(&bytes) }
                guard let manifest = try? Manifest(bytes, .hls, at: Sample.place) else { continue }
                let written = try manifest.written(for: Sample.session())
                #expect(written.starts(with: "#EXTM3U\n".utf8))
                let lines = written.split(separator: 0x0A)
                #expect(lines.count { $0.starts(with: "#EXT-X-CONTENT-STEERING:".utf8) } == 1)
                // What is written has pathways, so it is not rewritten again.
                #expect(Sample.refusal(written) == .steered || Sample.refusal(written) == .tooLarge)
            }
        }
    }
}
