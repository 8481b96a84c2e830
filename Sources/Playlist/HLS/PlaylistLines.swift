/// The lines of a playlist (RFC 8216 §4.1).
enum PlaylistLines {
    /// Bytes of a line that are read at most.
    static let longest = 64 * 1024

    /// Takes the lines behind the first that are not empty, without white space at their ends.
    ///
    /// - Throws: also what `take` throws.
    static func each(_ text: [UInt8], take: (ArraySlice<UInt8>) throws(Manifest.Refusal) -> Void) throws(Manifest.Refusal) {
        var isFirst = true
        for var line in text.split(separator: 0x0A, omittingEmptySubsequences: false) {
            if line.last == 0x0D { line.removeLast() }
            while let last = line.last, last == 0x20 || last == 0x09 { line.removeLast() }
            if line.contains(0x0D) { throw .notText }
            if isFirst, !line.elementsEqual("#EXTM3U".utf8) { throw .notManifest }
            if line.count > longest { throw .tooLarge }
            if !isFirst, !line.isEmpty { try take(line) }
            isFirst = false
        }
    }
}

extension Template {
    /// Appends a URI as it stands in a playlist: for whoever reads it elsewhere than where it lies.
    mutating func append(_ uri: [UInt8], in place: Manifest.Place, isPlaylist: Bool) throws(Manifest.Refusal) {
        switch try URIReference(uri, in: place) {
        case .below(let path): append(isPlaylist ? .playlistURL(length: path.count) : .url(length: path.count), path: path)
        case .elsewhere(let url): append(url)
        }
    }
}
