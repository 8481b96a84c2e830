import Testing

@testable import Probing

@Suite struct PlaylistTests {
    private func live(_ sequence: Int, segments: Int = 3, duration: Int = 2, end: String = "") -> String {
        let lines = (0..<segments).map { "#EXTINF:2,\nseg\(sequence + $0).ts\n" }.joined()
        return "#EXTM3U\n#EXT-X-TARGETDURATION:\(duration)\n#EXT-X-MEDIA-SEQUENCE:\(sequence)\n\(lines)\(end)"
    }

    @Test func `a playlist begins with its tag`() {
        #expect(Playlist(live(1)) != nil)
        #expect(Playlist("\u{FEFF}#EXTM3U\r\n#EXT-X-VERSION:3\r\n") != nil)
        for text in ["", "#EXTM3U8\n", " #EXTM3U\n", "<html>", "#EXT-X-VERSION:3\n#EXTM3U\n"] { #expect(Playlist(text) == nil, "\(text)") }
    }

    @Test func `a live playlist that goes on is good, one that stands still for three target durations is frozen`() throws {
        var watch = LivePlaylist()
        for second in 0..<30 {
            let playlist = try #require(Playlist(live(second / 2)))
            #expect(watch.verdict(on: playlist, at: .seconds(second)) == nil)
        }
        let frozen = try #require(Playlist(live(14)))
        for second in 30...34 { #expect(watch.verdict(on: frozen, at: .seconds(second)) == nil) }
        #expect(watch.verdict(on: frozen, at: .seconds(35)) == .bad("the live playlist has not changed for 7 s"))
        #expect(watch.verdict(on: try #require(Playlist(live(14, segments: 4))), at: .seconds(36)) == nil)
    }

    @Test func `a live playlist must not have ended, nor be a master playlist`() throws {
        var watch = LivePlaylist()
        #expect(watch.verdict(on: try #require(Playlist(live(1, end: "#EXT-X-ENDLIST\n"))), at: .zero)?.isGood == false)
        let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n"
        #expect(watch.verdict(on: try #require(Playlist(master)), at: .zero)?.isGood == false)
    }

    @Test(arguments: ["99999999999999999999", "-1", "", "x", "1.5"])
    func `foreign numbers do no harm`(number: String) {
        _ = Playlist("#EXTM3U\n#EXT-X-TARGETDURATION:\(number)\n#EXT-X-MEDIA-SEQUENCE:\(number)\na.ts\n")
    }
}
