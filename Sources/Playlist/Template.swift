/// Bytes with places between them where something of a session goes in.
struct Template: Sendable, Equatable, Hashable {
    enum Slot: Sendable, Hashable {
        /// A pathway's URL; of its path so many bytes stand behind the slot.
        case url(length: Int)
        /// The same of a media playlist, which may be a link.
        case playlistURL(length: Int)
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
        ///   - path: below a root.
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

    /// Bytes of the longest path that a pathway's URL has.
    var longestPath: Int {
        slots.reduce(0) { longest, place in
            switch place.slot {
            case .url(let length), .playlistURL(let length): max(longest, length)
            case .baseURLs(_, _, let path): max(longest, path.count)
            default: longest
            }
        }
    }

    /// How long what a session puts in can be.
    struct Room {
        let pathways: Int
        /// A root or a pathway's name.
        let longest: Int
        /// What a token adds to a URL.
        let token: Int
        /// A URL of the balancer, escaped.
        let url: Int

        init(_ session: Manifest.Session, longestPath: Int) {
            pathways = session.pathways.count
            longest = session.pathways.reduce(session.linkRoot?.count ?? 0) { max($0, $1.root.count, $1.name.utf8.count) }
            token = session.pathways.reduce(0) { most, pathway in
                max(most, pathway.signer.map { $0.capacity(pathway.root.count + longestPath) } ?? 0)
            }
            // An `&` takes five, and what stands around a URL has fewer than a hundred.
            url = 100 + 5 * max(session.steeringURL.count, session.reloadURL.count)
        }
    }

    /// The most bytes that one writing takes.
    func capacity(_ room: Room) -> Int {
        slots.reduce(bytes.count) { size, place in
            switch place.slot {
            case .url, .playlistURL: size + room.longest + room.token
            case .group, .pathwayAttribute: size + room.longest + 20
            case .steeringTag: size + room.url + room.longest
            case .steeringElement(let prefix), .location(let prefix): size + room.url + room.longest + 2 * prefix.count
            case .baseURLs(let prefix, let attributes, let path):
                size + room.pathways
                    * (100 + 2 * prefix.count + attributes.count + room.longest + 5 * (room.longest + path.count + room.token))
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

    mutating func append(_ slot: Slot, path: some Collection<UInt8>) {
        append(slot)
        append(path)
    }

    /// - Parameters:
    ///   - pathway: whose part is written.
    ///   - asLinks: whether it is written for players that know no pathways.
    func write(_ session: Manifest.Session, _ pathway: Manifest.Pathway, asLinks: Bool = false, to out: inout [UInt8]) {
        let group = Array(pathway.name.utf8) + [UInt8(ascii: "/")]
        let attribute = Template.pathwayAttribute + group.dropLast() + [UInt8(ascii: "\"")]
        var written = 0
        for place in slots {
            append(written..<place.offset, to: &out)
            written = place.offset
            switch place.slot {
            case .playlistURL where asLinks: out += session.linkRoot ?? pathway.root
            // The path follows among the bytes.
            case .url where pathway.signer == nil, .playlistURL where pathway.signer == nil: out += pathway.root
            case .url(let length), .playlistURL(let length):
                pathway.append(bytes[place.offset..<place.offset + length], to: &out)
                written += length
            case .group: if !asLinks { out += group }
            case .pathwayAttribute: if !asLinks { out += attribute }
            default: Template.write(place.slot, session, pathway, to: &out)
            }
        }
        append(written..<bytes.count, to: &out)
    }

    private static let pathwayAttribute = Array(",PATHWAY-ID=\"".utf8)

    private func append(_ part: Range<Int>, to out: inout [UInt8]) {
        // The buffer is read while it is borrowed; another array is written. A slice of the array would be counted as a reference.
        unsafe bytes.span.extracting(part).withUnsafeBufferPointer { unsafe out.append(contentsOf: $0) }
    }

    private static func write(_ slot: Slot, _ session: Manifest.Session, _ pathway: Manifest.Pathway, to out: inout [UInt8]) {
        switch slot {
        case .steeringTag:
            guard session.hasPathways else { return }
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
                var url: [UInt8] = []
                pathway.append(path[...], to: &url)
                appendElement("BaseURL", prefix, location + attributes, to: &out) { XML.append(url, to: &$0) }
            }
        case .url, .playlistURL, .group, .pathwayAttribute: break
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
