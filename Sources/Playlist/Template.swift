/// Bytes with places between them where something of a session goes in.
struct Template: Sendable, Equatable, Hashable {
    enum Slot: Sendable, Hashable {
        /// A pathway's root.
        case root
        /// The same in the URL of a media playlist, which may be a link.
        case playlistRoot
        /// What makes the name of a group the pathway's own.
        case group
        /// The attribute `PATHWAY-ID`, behind others.
        case pathwayAttribute
        /// The tag `EXT-X-CONTENT-STEERING`, as a line.
        case steeringTag
        /// The element `ContentSteering`, with a prefix of its namespace.
        case steeringElement(prefix: [UInt8])
        /// The element `Location`.
        case location(prefix: [UInt8])
        /// An element `BaseURL` for each pathway.
        ///
        /// - Parameters:
        ///   - attributes: as they stand, with white space before them.
        ///   - path: below a root, escaped for XML.
        case baseURLs(prefix: [UInt8], attributes: [UInt8], path: [UInt8])
    }

    struct Place: Sendable, Hashable {
        /// In `bytes`.
        let offset: Int
        let slot: Slot
    }

    private(set) var bytes: [UInt8] = []
    private(set) var slots: [Place] = []

    var size: Int {
        slots.reduce(bytes.count + slots.count * MemoryLayout<Place>.stride) { size, place in
            if case .baseURLs(let prefix, let attributes, let path) = place.slot {
                size + prefix.count + attributes.count + path.count
            } else {
                size
            }
        }
    }

    /// The most bytes that one writing takes.
    func capacity(_ session: Manifest.Session) -> Int {
        let longest = session.pathways.reduce(session.linkRoot?.count ?? 0) { max($0, $1.root.count + $1.name.utf8.count) }
        // An `&` takes five, and what stands around a URL has fewer than a hundred.
        let url = 100 + 5 * max(longest, session.steeringURL.count, session.reloadURL.count)
        return slots.reduce(bytes.count) { size, place in
            switch place.slot {
            case .root, .playlistRoot, .group, .pathwayAttribute: size + longest + 20
            case .steeringTag: size + url
            case .steeringElement(let prefix), .location(let prefix): size + url + 2 * prefix.count
            case .baseURLs(let prefix, let attributes, let path):
                size + session.pathways.count * (100 + 2 * prefix.count + attributes.count + path.count)
                    + session.pathways.reduce(0) { $0 + 5 * $1.root.count }
            }
        }
    }

    mutating func append(_ text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount { unsafe bytes.append(text.utf8Start[index]) }
    }

    mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    mutating func append(_ slot: Slot) { slots.append(Place(offset: bytes.count, slot: slot)) }

    mutating func append(_ other: Template) {
        let offset = bytes.count
        bytes += other.bytes
        slots += other.slots.map { Place(offset: $0.offset + offset, slot: $0.slot) }
    }

    /// - Parameter pathway: whose part is written.
    func write(_ session: Manifest.Session, _ pathway: Manifest.Pathway, to out: inout [UInt8]) {
        var written = 0
        for place in slots {
            out.append(contentsOf: bytes[written..<place.offset])
            written = place.offset
            Template.write(place.slot, session, pathway, to: &out)
        }
        out.append(contentsOf: bytes[written...])
    }

    private static func write(_ slot: Slot, _ session: Manifest.Session, _ pathway: Manifest.Pathway, to out: inout [UInt8]) {
        let hasPathways = session.linkRoot == nil
        switch slot {
        case .root: out += pathway.root
        case .playlistRoot: out += session.linkRoot ?? pathway.root
        case .group: if hasPathways { out += "\(pathway.name)/".utf8 }
        case .pathwayAttribute: if hasPathways { out += ",PATHWAY-ID=\"\(pathway.name)\"".utf8 }
        case .steeringTag:
            guard hasPathways else { return }
            out += "#EXT-X-CONTENT-STEERING:SERVER-URI=\"".utf8
            out += session.steeringURL
            out += "\",PATHWAY-ID=\"\(pathway.name)\"\n".utf8
        case .steeringElement(let prefix):
            let attributes = " defaultServiceLocation=\"\(pathway.name)\" queryBeforeStart=\"true\""
            appendElement("ContentSteering", prefix, attributes.utf8, to: &out) { XML.append(session.steeringURL, to: &$0) }
        case .location(let prefix): appendElement("Location", prefix, "".utf8, to: &out) { XML.append(session.reloadURL, to: &$0) }
        case .baseURLs(let prefix, let attributes, let path):
            for pathway in session.pathways {
                let location = Array(" serviceLocation=\"\(pathway.name)\"".utf8)
                appendElement("BaseURL", prefix, location + attributes, to: &out) {
                    XML.append(pathway.root, to: &$0)
                    $0 += path
                }
            }
        }
    }

    private static func appendElement(
        _ name: String, _ prefix: [UInt8], _ attributes: some Sequence<UInt8>, to out: inout [UInt8], content: (inout [UInt8]) -> Void
    ) {
        out += "<".utf8
        out += prefix
        out += name.utf8
        out += attributes
        out += ">".utf8
        content(&out)
        out += "</".utf8
        out += prefix
        out += name.utf8
        out += ">".utf8
    }
}
