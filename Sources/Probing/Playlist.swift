import Steering

/// What a probe reads out of an HLS playlist (RFC 8216 §4.3).
struct Playlist: Equatable {
    /// Whether it lists other playlists instead of segments.
    var isMaster = false
    /// Whether nothing will be added.
    var hasEnded = false
    /// Seconds of the longest segment.
    var targetDuration = 0
    /// What changes when a live playlist goes on: the first segment's number, how many there are, and the last one's name.
    var progress = Progress()

    struct Progress: Equatable {
        var sequence = 0
        var segments = 0
        var parts = 0
        var last = ""
    }

    /// - Returns: nil when the text is no playlist.
    init?(_ text: String) {
        var lines = text.split(whereSeparator: \.isNewline)[...]
        guard lines.popFirst().map({ $0 == "#EXTM3U" || $0 == "\u{FEFF}#EXTM3U" }) == true else { return nil }
        for line in lines {
            if line.hasPrefix("#EXT-X-STREAM-INF:") {
                isMaster = true
            } else if line.hasPrefix("#EXT-X-ENDLIST") {
                hasEnded = true
            } else if line.hasPrefix("#EXT-X-TARGETDURATION:") {
                targetDuration = Playlist.number(line)
            } else if line.hasPrefix("#EXT-X-MEDIA-SEQUENCE:") {
                progress.sequence = Playlist.number(line)
            } else if line.hasPrefix("#EXT-X-PART:") {
                progress.parts += 1
            } else if !line.hasPrefix("#"), !line.allSatisfy(\.isWhitespace) {
                progress.segments += 1
                progress.last = String(line)
            }
        }
    }

    private static func number(_ line: Substring) -> Int {
        guard let colon = line.firstIndex(of: ":") else { return 0 }
        return Int(line[line.index(after: colon)...].trimmingPrefix(" ").prefix { $0.isNumber }) ?? 0
    }
}

/// Whether a live playlist goes on from probe to probe.
struct LivePlaylist {
    private var last: (progress: Playlist.Progress, since: Duration)?

    /// - Parameter now: on a clock that only goes forward.
    mutating func verdict(on playlist: Playlist, at now: Duration) -> Verdict? {
        if playlist.isMaster { return .bad("is a master playlist; probe one of its media playlists") }
        if playlist.hasEnded { return .bad("the live playlist has ended (#EXT-X-ENDLIST)") }
        guard let last, last.progress == playlist.progress else {
            last = (playlist.progress, now)
            return nil
        }
        // A client may reload once a target duration; after three without anything new the stream is held to be frozen.
        let patience = Duration.seconds(3 * max(1, min(playlist.targetDuration, 3600)))
        return now - last.since > patience ? .bad("the live playlist has not changed for \((now - last.since).components.seconds) s") : nil
    }
}
