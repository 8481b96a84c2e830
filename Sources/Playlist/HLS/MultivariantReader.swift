/// Reads a multivariant playlist into what is written once and what is written for each pathway.
///
/// Each variant, I-frame playlist and rendition becomes a part of every pathway, with groups of the pathway's own. Players that know no
/// pathways take the copies for redundant variants, the first pathway's first.
struct MultivariantReader {
    private let place: Manifest.Place
    private var head = Template()
    private var body = Template()
    /// What waits for the line with its URI.
    private var variant: AttributeList?
    private var variables = Variables()
    private var entries: Set<Template> = []
    private var stableIDs: [String: Int] = [:]
    private var hasVariant = false

    static func read(_ text: [UInt8], at place: Manifest.Place) throws(Manifest.Refusal) -> (head: Template, body: Template) {
        var reader = MultivariantReader(place: place)
        try PlaylistLines.each(text) { line throws(Manifest.Refusal) in try reader.take(line) }
        guard reader.variant == nil else { throw .malformed }
        guard reader.hasVariant else { throw .notManifest }
        var head = Template()
        head.append("#EXTM3U\n")
        head.append(reader.head)
        head.append(.steeringTag)
        return (head, reader.body)
    }

    private init(place: Manifest.Place) { self.place = place }

    private mutating func take(_ line: ArraySlice<UInt8>) throws(Manifest.Refusal) {
        guard line.first == UInt8(ascii: "#") else { return try takeURI(try variables.substituted(line)) }
        guard line.starts(with: "#EXT".utf8) else { return }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        let name = String(decoding: line[..<colon], as: UTF8.self)
        if variant != nil { throw .malformed }
        switch name {
        case "#EXTINF", "#EXT-X-TARGETDURATION", "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-ENDLIST", "#EXT-X-PLAYLIST-TYPE", "#EXT-X-PART-INF":
            throw .media
        case "#EXT-X-CONTENT-STEERING": throw .steered
        case "#EXT-X-DEFINE":
            // It stays, since media playlists may import from it.
            try variables.define(line[colon...].dropFirst())
            head.append(line)
            head.append("\n")
        default: try take(name, try variables.substituted(line))
        }
    }

    private mutating func take(_ name: String, _ line: ArraySlice<UInt8>) throws(Manifest.Refusal) {
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        let list = line[colon...].dropFirst()
        switch name {
        case "#EXT-X-STREAM-INF": variant = try AttributeList(list)
        case "#EXT-X-MEDIA": try takeMedia(try AttributeList(list))
        case "#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-IMAGE-STREAM-INF":
            let attributes = try AttributeList(list)
            guard let uri = try attributes.quoted("URI") else { throw .malformed }
            let id = try stableID("STABLE-VARIANT-ID", attributes, uri, besides: ["VIDEO", "RESOLUTION", "BANDWIDTH"])
            append(try entry(name, attributes, id, isVariant: true))
        default: try takeOther(name, line)
        }
    }

    private mutating func takeURI(_ line: ArraySlice<UInt8>) throws(Manifest.Refusal) {
        guard let attributes = variant else { throw .malformed }
        variant = nil
        hasVariant = true
        let id = try stableID("STABLE-VARIANT-ID", attributes, Array(line), besides: ["AUDIO", "VIDEO", "SUBTITLES"])
        var entry = try entry("#EXT-X-STREAM-INF", attributes, id, isVariant: true)
        try entry.append(Array(line), in: place, isPlaylist: true)
        entry.append("\n")
        append(entry)
    }

    private mutating func takeMedia(_ attributes: AttributeList) throws(Manifest.Refusal) {
        guard try attributes.quoted("GROUP-ID") != nil else { throw .malformed }
        let uri = try attributes.quoted("URI")
        let id = try uri.map { uri throws(Manifest.Refusal) in
            try stableID("STABLE-RENDITION-ID", attributes, uri, besides: ["TYPE", "GROUP-ID", "NAME"])
        }
        append(try entry("#EXT-X-MEDIA", attributes, id ?? nil, isVariant: false))
    }

    /// A tag that is written once; if it has a URI, with that of the first pathway.
    private mutating func takeOther(_ name: String, _ line: ArraySlice<UInt8>) throws(Manifest.Refusal) {
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var attributes: AttributeList?
        do throws(Manifest.Refusal) {
            let list = try AttributeList(line[colon...].dropFirst())
            if list["URI"]?.isQuoted == true { attributes = list }
        } catch {
            // Of these two it is known that they have a list.
            if name == "#EXT-X-SESSION-DATA" || name == "#EXT-X-SESSION-KEY" { throw error }
        }
        guard let attributes else {
            head.append(line)
            head.append("\n")
            return
        }
        head.append(try entry(name, attributes, nil, isVariant: nil))
    }

    private mutating func append(_ entry: Template) {
        // What a packager repeats for each CDN is the same here.
        if entries.insert(entry).inserted { body.append(entry) }
    }
}

// MARK: - Writing an entry

extension MultivariantReader {
    /// A tag and its attributes as they were, but for groups and URIs.
    ///
    /// - Parameters:
    ///   - stableID: name and value of an attribute that it lacks.
    ///   - isVariant: whether it belongs to a pathway by itself; nil: it is written once.
    private func entry(
        _ tag: String, _ attributes: AttributeList, _ stableID: String?, isVariant: Bool?
    ) throws(Manifest.Refusal) -> Template {
        var entry = Template()
        entry.append(tag.utf8)
        entry.append(":")
        for (index, attribute) in attributes.attributes.enumerated() {
            if index > 0 { entry.append(",") }
            entry.append(attribute.name)
            entry.append("=")
            guard attribute.isQuoted else {
                if isVariant != nil, MultivariantReader.mustBeQuoted(attribute) { throw .malformed }
                entry.append(attribute.value)
                continue
            }
            entry.append("\"")
            switch String(decoding: attribute.name, as: UTF8.self) {
            case "PATHWAY-ID" where isVariant == true: throw .steered
            case "URI": try entry.append(attribute.value, in: place, isPlaylist: isVariant != nil)
            case "GROUP-ID", "AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS":
                if isVariant != nil { entry.append(.group) }
                entry.append(attribute.value)
            default: entry.append(attribute.value)
            }
            entry.append("\"")
        }
        if let stableID { entry.append(stableID.utf8) }
        if isVariant == true { entry.append(.pathwayAttribute) }
        entry.append("\n")
        return entry
    }

    private static func mustBeQuoted(_ attribute: AttributeList.Attribute) -> Bool {
        switch String(decoding: attribute.name, as: UTF8.self) {
        case "URI", "GROUP-ID", "AUDIO", "VIDEO", "SUBTITLES", "CODECS", "PATHWAY-ID", "NAME", "LANGUAGE": true
        case "CLOSED-CAPTIONS": !attribute.value.elementsEqual("NONE".utf8)
        default: false
        }
    }

    /// What tells a variant or rendition from the others, for players that go to another pathway: the same in all pathways, and after a
    /// reload. Of its path alone, since what follows may be a token.
    private mutating func stableID(
        _ name: String, _ attributes: AttributeList, _ uri: [UInt8], besides names: [String]
    ) throws(Manifest.Refusal) -> String? {
        if attributes[name] != nil { return nil }
        // FNV-1a, 64 bits.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ bytes: some Sequence<UInt8>) {
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            hash = (hash ^ 0xFF) &* 0x100_0000_01B3
        }
        let resolved: [UInt8] =
            switch try URIReference(uri, in: place) {
            case .below(let path), .elsewhere(let path): path
            }
        mix(resolved.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") })
        for other in names { mix(attributes[other]?.value ?? []) }
        let text = String(hash, radix: 16)
        let key = "\(name) \(text) \(String(decoding: resolved, as: UTF8.self))"
        if stableIDs[key] == nil {
            stableIDs[text, default: 0] += 1
            stableIDs[key] = stableIDs[text]
        }
        let count = stableIDs[key] ?? 1
        return ",\(name)=\"\(text)\(count > 1 ? ".\(count)" : "")\""
    }
}
