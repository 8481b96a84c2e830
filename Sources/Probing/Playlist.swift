/// What a probe reads out of an HLS playlist (RFC 8216 §4.3).
struct Playlist: Equatable, Sendable {
    /// Whether it lists other playlists instead of segments.
    var isMaster = false
    /// Whether nothing will be added.
    var hasEnded = false
    /// Seconds of the longest segment.
    var targetDuration = 0
    /// What changes when a live playlist goes on.
    var progress = Progress()
    /// Whether more would have followed than a probe reads.
    var isCut = false

    struct Progress: Equatable, Sendable {
        /// The first segment's number.
        var sequence = 0
        var segments = 0
        var parts = 0
        /// A hash of the last segment's URI.
        var last: UInt64 = 0
        /// Bytes of the whole playlist, where the answer's head tells them.
        var length: Int?
    }
}

/// Reads a playlist piece by piece and keeps none of it: a playlist of a day's recording has megabytes.
struct PlaylistReader: Sendable {
    /// Tags and their numbers are shorter; of a longer line only the hash goes on.
    private static let lineLimit = 256
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private var playlist: Playlist?
    private var isRefused = false
    private var line: [UInt8] = []
    private var hash = PlaylistReader.basis
    private var isBlank = true

    mutating func read(_ bytes: some Sequence<UInt8>) {
        if isRefused { return }
        for byte in bytes {
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                endLine()
                continue
            }
            if line.count < PlaylistReader.lineLimit { line.append(byte) }
            if byte != UInt8(ascii: " "), byte != UInt8(ascii: "\t") { isBlank = false }
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
    }

    /// - Parameters:
    ///   - isCut: whether more would have followed; the last line is then not whole.
    ///   - length: bytes of all of it, where they are known.
    /// - Returns: nil when it is no playlist.
    mutating func finish(isCut: Bool, length: Int? = nil) -> Playlist? {
        if !isCut { endLine() }
        playlist?.isCut = isCut
        playlist?.progress.length = length
        return playlist
    }

    /// FNV-1a's.
    private static let basis: UInt64 = 0xCBF2_9CE4_8422_2325

    private mutating func endLine() {
        defer {
            line.removeAll(keepingCapacity: true)
            hash = PlaylistReader.basis
            isBlank = true
        }
        if line.isEmpty || isRefused { return }
        guard playlist != nil else {
            let isMarked = line.starts(with: PlaylistReader.byteOrderMark)
            if line.dropFirst(isMarked ? 3 : 0).elementsEqual("#EXTM3U".utf8) { playlist = Playlist() } else { isRefused = true }
            return
        }
        if line[0] == UInt8(ascii: "#") {
            readTag()
        } else if !isBlank {
            playlist?.progress.segments += 1
            playlist?.progress.last = hash
        }
    }

    private mutating func readTag() {
        let number = number
        if hasTag("#EXT-X-PART:") {
            playlist?.progress.parts += 1
        } else if hasTag("#EXT-X-STREAM-INF:") {
            playlist?.isMaster = true
        } else if hasTag("#EXT-X-ENDLIST") {
            playlist?.hasEnded = true
        } else if hasTag("#EXT-X-TARGETDURATION:") {
            playlist?.targetDuration = number
        } else if hasTag("#EXT-X-MEDIA-SEQUENCE:") {
            playlist?.progress.sequence = number
        }
    }

    private func hasTag(_ tag: String) -> Bool { line.starts(with: tag.utf8) }

    /// The line's number; 0 when it has none that fits.
    private var number: Int {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return 0 }
        let digits = line[(colon + 1)...].drop { $0 == UInt8(ascii: " ") }.prefix { (0x30...0x39).contains($0) }
        return Int(String(decoding: digits, as: UTF8.self)) ?? 0
    }
}
