/// Reads a media playlist whose segments need a token each, and notes where their URLs stand; all other attributes and tags stay as they are.
struct MediaPlaylistReader {
    private let place: Manifest.Place
    private var template = Template()
    private var variables = Variables()
    private var hasTargetDuration = false
    private var isLive = true

    static func read(_ text: [UInt8], at place: Manifest.Place) throws(Manifest.Refusal) -> (template: Template, isLive: Bool) {
        var reader = MediaPlaylistReader(place: place)
        reader.template.append("#EXTM3U\n")
        try PlaylistLines.each(text) { line throws(Manifest.Refusal) in try reader.take(line) }
        guard reader.hasTargetDuration else { throw .notManifest }
        return (reader.template, reader.isLive)
    }

    private init(place: Manifest.Place) { self.place = place }

    private mutating func take(_ line: ArraySlice<UInt8>) throws(Manifest.Refusal) {
        guard line.first == UInt8(ascii: "#") else {
            try template.append(Array(try variables.substituted(line)), in: place, isPlaylist: false)
            template.append("\n")
            return
        }
        guard line.starts(with: "#EXT".utf8) else { return }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        let list = line[colon...].dropFirst()
        switch String(decoding: line[..<colon], as: UTF8.self) {
        // The session, the time and the viewer of whoever waits would be needed.
        case "#EXT-X-PART-INF", "#EXT-X-RENDITION-REPORT", "#EXT-X-PRELOAD-HINT": throw .lowLatency
        case "#EXT-X-STREAM-INF", "#EXT-X-CONTENT-STEERING": throw .malformed
        // What it says is substituted here.
        case "#EXT-X-DEFINE": return try variables.define(list)
        case "#EXT-X-TARGETDURATION": hasTargetDuration = true
        case "#EXT-X-ENDLIST": isLive = false
        case "#EXTINF", "#EXT-X-PROGRAM-DATE-TIME": return append(try variables.substituted(line))
        default: break
        }
        try takeTag(try variables.substituted(line))
    }

    private mutating func append(_ line: ArraySlice<UInt8>) {
        template.append(line)
        template.append("\n")
    }

    /// A tag; where it names a URI, that one is written anew.
    private mutating func takeTag(_ line: ArraySlice<UInt8>) throws(Manifest.Refusal) {
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        guard let (attributes, hasURI) = MediaPlaylistReader.attributes(line[colon...].dropFirst()) else {
            // Not a list: a number, say. Of these it is known that they have one, which may name a URI.
            let known = ["#EXT-X-KEY", "#EXT-X-MAP", "#EXT-X-DATERANGE", "#EXT-X-PART"]
            if known.contains(String(decoding: line[..<colon], as: UTF8.self)) { throw .malformed }
            return append(line)
        }
        let blocks = attributes["CAN-BLOCK-RELOAD"]?.value.elementsEqual("YES".utf8) ?? false
        if blocks, line.starts(with: "#EXT-X-SERVER-CONTROL".utf8) { throw .lowLatency }
        guard hasURI else { return append(line) }
        template.append(line[..<colon])
        template.append(":")
        for (index, attribute) in attributes.attributes.enumerated() {
            if index > 0 { template.append(",") }
            template.append(attribute.name)
            template.append("=")
            if attribute.isQuoted { template.append("\"") }
            if attribute.isQuoted, MediaPlaylistReader.isURI(attribute.name) {
                try template.append(attribute.value, in: place, isPlaylist: false)
            } else {
                template.append(attribute.value)
            }
            if attribute.isQuoted { template.append("\"") }
        }
        template.append("\n")
    }

    private static func attributes(_ list: ArraySlice<UInt8>) -> (AttributeList, hasURI: Bool)? {
        do throws(Manifest.Refusal) {
            let list = try AttributeList(list)
            return (list, list.attributes.contains { $0.isQuoted && isURI($0.name) })
        } catch {
            return nil
        }
    }

    /// `URI`, and what interstitials name (draft-pantos-hls-rfc8216bis, appendix D.2).
    private static func isURI(_ name: [UInt8]) -> Bool {
        ["URI", "X-ASSET-URI", "X-ASSET-LIST"].contains { name.elementsEqual($0.utf8) }
    }
}
