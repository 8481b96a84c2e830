/// Whether a live playlist goes on from probe to probe.
struct LivePlaylist {
    private var last: (progress: Playlist.Progress, since: Duration)?

    /// - Parameter now: on a clock that only goes forward.
    /// - Returns: nil when nothing is wrong.
    mutating func verdict(on playlist: Playlist, at now: Duration) -> Verdict? {
        if playlist.isMaster { return .bad("is a master playlist; probe one of its media playlists") }
        if playlist.hasEnded { return .bad("the live playlist has ended (#EXT-X-ENDLIST)") }
        guard let last, last.progress == playlist.progress else {
            last = (playlist.progress, now)
            return nil
        }
        // What is added at the end of a playlist that is cut cannot be seen but by its length.
        if playlist.isCut, playlist.progress.length == nil { return nil }
        // A client may reload once a target duration; after three without anything new the stream is held to be frozen.
        let patience = Duration.seconds(3 * max(1, min(playlist.targetDuration, 3600)))
        return now - last.since > patience ? .bad("the live playlist has not changed for \((now - last.since).components.seconds) s") : nil
    }
}
