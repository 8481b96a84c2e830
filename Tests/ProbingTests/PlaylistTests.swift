import Testing

@testable import Probing

@Suite struct PlaylistTests {
    private func live(_ sequence: Int, segments: Int = 3, duration: Int = 2, end: String = "") -> String {
        let lines = (0..<segments).map { "#EXTINF:2,\nseg\(sequence + $0).ts\n" }.joined()
        return "#EXTM3U\n#EXT-X-TARGETDURATION:\(duration)\n#EXT-X-MEDIA-SEQUENCE:\(sequence)\n\(lines)\(end)"
    }

    private func read(_ text: String, pieces: Int = .max, isCut: Bool = false, length: Int? = nil) -> Playlist? {
        var reader = PlaylistReader()
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            reader.read(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
        }
        return reader.finish(isCut: isCut, length: length)
    }

    @Test func `a playlist reads the same in any pieces`() throws {
        let text = live(7, end: "#EXT-X-PART:URI=\"p\"\r\n\r\n   \nlast.ts")
        let whole = try #require(read(text))
        #expect(whole.targetDuration == 2 && whole.progress.sequence == 7 && whole.progress.segments == 4 && whole.progress.parts == 1)
        for pieces in [1, 2, 3, 7, 64] { #expect(read(text, pieces: pieces) == whole) }
    }

    @Test func `a playlist that only grows is seen to, and where it is cut by its length`() throws {
        var watch = LivePlaylist()
        let growing = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
        let segments = (0..<1000).map { "#EXTINF:2,\nseg\($0).ts\n" }
        for second in 0..<100 {
            let text = growing + segments.prefix(800 + second / 2).joined()
            #expect(watch.verdict(on: try #require(read(text)), at: .seconds(second)) == nil)
        }
        // Of a cut one without a length nothing can be said, however long it looks the same.
        for second in 100..<200 {
            let cut = try #require(read(growing + segments[0], isCut: true))
            #expect(watch.verdict(on: cut, at: .seconds(second)) == nil)
        }
        for second in 200..<220 {
            let cut = try #require(read(growing + segments[0], isCut: true, length: 5_000_000 + second / 2))
            #expect(watch.verdict(on: cut, at: .seconds(second)) == nil)
        }
        let frozen = try #require(read(growing + segments[0], isCut: true, length: 5_000_000))
        #expect(watch.verdict(on: frozen, at: .seconds(220)) == nil)
        #expect(watch.verdict(on: frozen, at: .seconds(227)) == .bad("the live playlist has not changed for 7 s"))
    }

    @Test func `a line of any length is one segment`() throws {
        let long = "#EXTM3U\n" + String(repeating: "x", count: 100_000)
        let first = try #require(read(long + "1\n"))
        #expect(first.progress.segments == 1 && first.progress != read(long + "2\n")?.progress)
    }

    @Test func `a playlist begins with its tag`() {
        #expect(read(live(1)) != nil)
        #expect(read("\u{FEFF}#EXTM3U\r\n#EXT-X-VERSION:3\r\n") != nil)
        for text in ["", "#EXTM3U8\n", " #EXTM3U\n", "<html>", "#EXT-X-VERSION:3\n#EXTM3U\n"] { #expect(read(text) == nil, "\(text)") }
    }

    @Test func `a live playlist that goes on is good, one that stands still for three target durations is frozen`() throws {
        var watch = LivePlaylist()
        for second in 0..<30 {
            let playlist = try #require(read(live(second / 2)))
            #expect(watch.verdict(on: playlist, at: .seconds(second)) == nil)
        }
        let frozen = try #require(read(live(14)))
        for second in 30...34 { #expect(watch.verdict(on: frozen, at: .seconds(second)) == nil) }
        #expect(watch.verdict(on: frozen, at: .seconds(35)) == .bad("the live playlist has not changed for 7 s"))
        #expect(watch.verdict(on: try #require(read(live(14, segments: 4))), at: .seconds(36)) == nil)
    }

    @Test func `a live playlist must not have ended, nor be a master playlist`() throws {
        var watch = LivePlaylist()
        #expect(watch.verdict(on: try #require(read(live(1, end: "#EXT-X-ENDLIST\n"))), at: .zero)?.isGood == false)
        let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n"
        #expect(watch.verdict(on: try #require(read(master)), at: .zero)?.isGood == false)
    }

    @Test(arguments: ["99999999999999999999", "-1", "", "x", "1.5"])
    func `foreign numbers do no harm`(number: String) {
        let playlist = read("#EXTM3U\n#EXT-X-TARGETDURATION:\(number)\n#EXT-X-MEDIA-SEQUENCE:\(number)\na.ts\n")
        #expect(playlist != nil, "it is a playlist all the same")
    }
}
