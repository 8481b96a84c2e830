/// A multivariant playlist as a strict player reads it, written from RFC 8216 and apart from the reader that it judges: whatever is not
/// as it says is a fault.
struct StrictPlaylist {
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    typealias Attributes = [String: String]

    struct Entry: Hashable {
        let tag: String
        /// Values with their quotes.
        var attributes: Attributes
        /// Of the line below, or of the attribute.
        var uri: String?
    }

    var entries: [Entry] = []
    var others: [String] = []
    var steering: Attributes?

    init(_ text: String) throws {
        // By bytes: to a string CR LF is one character.
        var lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map {
            String(decoding: $0.last == 0x0D ? $0.dropLast() : $0, as: UTF8.self)
        }
        guard lines.first == "#EXTM3U" else { throw Fault(description: "no #EXTM3U") }
        lines.removeFirst()
        var index = 0
        while index < lines.count {
            let line = lines[index]
            index += 1
            if line.isEmpty || (line.hasPrefix("#") && !line.hasPrefix("#EXT")) { continue }
            guard line.hasPrefix("#") else { throw Fault(description: "a URI without a tag: \(line)") }
            let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
            switch parts[0] {
            case "#EXT-X-STREAM-INF":
                while index < lines.count, lines[index].isEmpty || (lines[index].hasPrefix("#") && !lines[index].hasPrefix("#EXT")) {
                    index += 1
                }
                guard index < lines.count, !lines[index].hasPrefix("#") else { throw Fault(description: "no URI after \(line)") }
                entries.append(Entry(tag: parts[0], attributes: try Self.attributes(parts[1]), uri: lines[index]))
                index += 1
            case "#EXT-X-MEDIA", "#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-IMAGE-STREAM-INF":
                var attributes = try Self.attributes(parts[1])
                let uri = attributes.removeValue(forKey: "URI").map { String($0.dropFirst().dropLast()) }
                entries.append(Entry(tag: parts[0], attributes: attributes, uri: uri))
            case "#EXT-X-CONTENT-STEERING":
                guard steering == nil else { throw Fault(description: "two steering tags") }
                steering = try Self.attributes(parts[1])
            default: others.append(line)
            }
        }
        try checkGroups()
    }

    private static func attributes(_ text: String) throws -> Attributes {
        var result: Attributes = [:]
        let pattern = /([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s][^",]*)(,|$)/
        var rest = text[...]
        while !rest.isEmpty {
            guard let match = try pattern.prefixMatch(in: rest) else { throw Fault(description: "no attribute list: \(text)") }
            guard result.updateValue(String(match.2), forKey: String(match.1)) == nil else { throw Fault(description: "twice: \(match.1)") }
            rest = rest[match.range.upperBound...]
        }
        return result
    }

    /// Every group that is named exists, and where there are pathways a group is of one alone.
    private func checkGroups() throws {
        var pathwayOf: [String: String] = [:]
        for entry in entries where entry.tag != "#EXT-X-MEDIA" {
            for type in ["AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"] {
                guard let group = entry.attributes[type], group != "NONE" else { continue }
                let exists = entries.contains {
                    $0.tag == "#EXT-X-MEDIA" && $0.attributes["TYPE"] == type && $0.attributes["GROUP-ID"] == group
                }
                if !exists { throw Fault(description: "no group \(type) \(group)") }
                let pathway = entry.attributes["PATHWAY-ID"] ?? "."
                if pathwayOf.updateValue(pathway, forKey: type + group) ?? pathway != pathway {
                    throw Fault(description: "group \(group) in two pathways")
                }
            }
        }
    }
}

extension StrictPlaylist {
    /// What one pathway has, as it was before pathways: without what was added, URIs below the pathway's root.
    func entries(of pathway: String, root: String) -> [Entry] {
        entries.compactMap { entry in
            var entry = entry
            let group = entry.attributes["GROUP-ID"] ?? ""
            guard entry.attributes["PATHWAY-ID"].map({ $0 == "\"\(pathway)\"" }) ?? group.hasPrefix("\"\(pathway)/") else { return nil }
            for name in ["AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS", "GROUP-ID"] {
                entry.attributes[name] = entry.attributes[name]?.replacing("\"\(pathway)/", with: "\"")
            }
            for name in ["PATHWAY-ID", "STABLE-VARIANT-ID", "STABLE-RENDITION-ID"] { entry.attributes[name] = nil }
            if let uri = entry.uri, uri.hasPrefix(root) { entry.uri = String(uri.dropFirst(root.count)) }
            return entry
        }
    }
}
