/// Reads an MPD and notes where it is edited; all else stays to the byte.
///
/// Base URLs of the MPD itself, and absolute ones below it, become one for each pathway. What is relative below resolves against them, so it
/// is not touched.
struct MPDReader {
    private static let namespace = Array("urn:mpeg:dash:schema:mpd:2011".utf8)
    private static let resolvesToZero = Array("urn:mpeg:dash:resolve-to-zero:2013".utf8)

    private struct Element {
        let name: ArraySlice<UInt8>
        /// Whether the root's prefix means the namespace of MPDs within it.
        let isBound: Bool
        let tag: XML.Tag
        /// Nil for what is no element of an MPD.
        let kind: String?
        /// Where its content begins; its text as long as there is nothing else.
        var text: Range<Int>?
        var hasOther = false
    }

    /// What stands in the place of some of the text.
    private struct Edit {
        let range: Range<Int>
        let slots: [Template.Slot]
    }

    private let place: Manifest.Place
    private var xml: XML
    private var elements: [Element] = []
    private var prefix: [UInt8] = []
    private var hasEnded = false
    private var isDynamic = false
    /// Where base URLs go in.
    private var start: Int?
    private var firstPeriod: Int?
    /// Of the MPD itself.
    private var base: (attributes: [UInt8], path: [UInt8])?
    private var edits: [Edit] = []

    static func read(_ text: [UInt8], at place: Manifest.Place) throws(Manifest.Refusal) -> Template {
        var reader = MPDReader(place: place, xml: XML(text))
        while let token = try reader.xml.next() { try reader.take(token) }
        return try reader.template()
    }

    private init(place: Manifest.Place, xml: XML) {
        self.place = place
        self.xml = xml
    }

    private mutating func take(_ token: XML.Token) throws(Manifest.Refusal) {
        switch token {
        case .start(let tag):
            try open(tag)
            if tag.isEmpty { try close(tag.range) }
        case .end(let name, let range):
            guard elements.last?.name.elementsEqual(name) == true else { throw elements.isEmpty ? .notManifest : .malformed }
            try close(range)
        case .text(let range):
            if elements.isEmpty {
                guard xml.text[range].allSatisfy(XML.isSpace) else { throw hasEnded ? .malformed : .notManifest }
                return
            }
            let last = elements.count - 1
            // Comments between two texts are none of what it means.
            if elements[last].text != nil { elements[last].hasOther = true }
            elements[last].text = range
        case .data:
            if elements.isEmpty { throw .malformed }
            elements[elements.count - 1].hasOther = true
        }
    }

    private mutating func open(_ tag: XML.Tag) throws(Manifest.Refusal) {
        if hasEnded { throw .malformed }
        if elements.isEmpty { return try openRoot(tag) }
        if elements.count >= XML.deepest { throw .malformed }
        var isBound = elements[elements.count - 1].isBound
        let declaration = MPDReader.declaration(of: prefix)
        for attribute in tag.attributes {
            if attribute.name.elementsEqual(declaration) {
                isBound = attribute.value.elementsEqual(MPDReader.namespace)
            } else if attribute.name.starts(with: "xmlns".utf8), attribute.value.elementsEqual(MPDReader.namespace) {
                throw .namespace
            }
        }
        let (own, local) = MPDReader.parts(tag.name)
        let kind = isBound && own == prefix ? String(decoding: local, as: UTF8.self) : nil
        elements[elements.count - 1].hasOther = true
        elements.append(Element(name: tag.name, isBound: isBound, tag: tag, kind: kind))
        if let kind { try look(at: tag, kind) }
    }

    private mutating func openRoot(_ tag: XML.Tag) throws(Manifest.Refusal) {
        let (prefix, local) = MPDReader.parts(tag.name)
        let declaration = MPDReader.declaration(of: prefix)
        let namespace = tag.attributes.first { $0.name.elementsEqual(declaration) }?.value
        guard local.elementsEqual("MPD".utf8), namespace?.elementsEqual(MPDReader.namespace) == true, !tag.isEmpty else {
            throw .notManifest
        }
        self.prefix = prefix
        isDynamic = tag["type"]?.elementsEqual("dynamic".utf8) ?? false
        elements.append(Element(name: tag.name, isBound: true, tag: tag, kind: "MPD"))
    }

    /// What is refused, and where things go in.
    private mutating func look(at tag: XML.Tag, _ kind: String) throws(Manifest.Refusal) {
        for attribute in tag.attributes {
            let (prefix, local) = MPDReader.parts(attribute.name)
            let isLink = !prefix.isEmpty && local.elementsEqual("href".utf8)
            if isLink, !attribute.value.elementsEqual(MPDReader.resolvesToZero) { throw .xlink }
        }
        if kind == "ContentSteering" || tag["serviceLocation"] != nil { throw .steered }
        guard elements.count == 2 else { return }
        if start == nil, kind != "ProgramInformation" { start = tag.range.lowerBound }
        if kind == "Period", firstPeriod == nil { firstPeriod = tag.range.lowerBound }
        if kind == "UTCTiming", MPDReader.isFetched(tag) { throw .uri }
    }

    /// Whether a clock is at a URL that is relative, to the place of the MPD.
    private static func isFetched(_ tag: XML.Tag) -> Bool {
        guard let scheme = tag["schemeIdUri"], let value = tag["value"] else { return false }
        let isByHTTP = scheme.starts(with: "urn:mpeg:dash:utc:http-".utf8)
        return isByHTTP && !value.starts(with: "http://".utf8) && !value.starts(with: "https://".utf8)
    }

    private mutating func close(_ range: Range<Int>) throws(Manifest.Refusal) {
        guard let element = elements.popLast() else { return }
        if elements.isEmpty {
            hasEnded = true
            return
        }
        let whole = element.tag.range.lowerBound..<range.upperBound
        switch element.kind {
        case "BaseURL" where elements.count == 1: try takeBase(element, whole)
        case "BaseURL": try takeInnerBase(element, whole)
        case "Location" where elements.count == 1, "PatchLocation" where elements.count == 1:
            // Updates come from here, and whole: a patch would be one of another document.
            edits.append(Edit(range: whole, slots: []))
        default: break
        }
    }

    private func content(_ element: Element) throws(Manifest.Refusal) -> [UInt8] {
        guard !element.hasOther, let range = element.text else { throw .baseURL }
        let url = try XML.unescaped(xml.text[range])
        if url.isEmpty { throw .baseURL }
        return url
    }

    /// A base URL of the MPD; several have to mean the same place.
    private mutating func takeBase(_ element: Element, _ range: Range<Int>) throws(Manifest.Refusal) {
        guard firstPeriod == nil else { throw .baseURL }
        guard case .below(let path) = try URIReference(try content(element), in: place) else { throw .baseURL }
        let attributes = element.tag.attributes.flatMap { Array(xml.text[$0.range]) }
        if let base, base.path != path || base.attributes != attributes { throw .baseURL }
        base = (attributes, path)
        edits.append(Edit(range: range, slots: []))
    }

    /// One below: an absolute one is there for each pathway; a relative one resolves against theirs.
    private mutating func takeInnerBase(_ element: Element, _ range: Range<Int>) throws(Manifest.Refusal) {
        let url = try content(element)
        guard URIReference.isAbsolute(url), case .below(let path) = try URIReference(url, in: place) else { return }
        let attributes = element.tag.attributes.flatMap { Array(xml.text[$0.range]) }
        edits.append(Edit(range: range, slots: [slot(attributes, path)]))
    }

    private func slot(_ attributes: [UInt8], _ path: [UInt8]) -> Template.Slot {
        .baseURLs(prefix: prefix, attributes: attributes, path: path)
    }

    private func template() throws(Manifest.Refusal) -> Template {
        guard hasEnded else { throw elements.isEmpty ? .notManifest : .malformed }
        guard let start, let firstPeriod else { throw .malformed }
        let base = base ?? ([], folder)
        var slots = [slot(base.attributes, base.path)]
        if isDynamic { slots.append(.location(prefix: prefix)) }
        let additions = [
            Edit(range: start..<start, slots: slots),
            Edit(range: firstPeriod..<firstPeriod, slots: [.steeringElement(prefix: prefix)]),
        ]
        var template = Template()
        var copied = 0
        // Stable: what is put in stands before what is taken out at the same place.
        for edit in (additions + edits).sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            template.append(xml.text[copied..<edit.range.lowerBound])
            for slot in edit.slots { template.append(slot) }
            copied = edit.range.upperBound
        }
        template.append(xml.text[copied...])
        return template
    }

    /// Where the MPD lies, which is the base when it names none (RFC 3986 §5.1.3).
    private var folder: [UInt8] { Array(place.path.prefix((place.path.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)) }

    private static func parts(_ name: ArraySlice<UInt8>) -> (prefix: [UInt8], local: ArraySlice<UInt8>) {
        guard let colon = name.firstIndex(of: UInt8(ascii: ":")) else { return ([], name) }
        return (Array(name[...colon]), name[(colon + 1)...])
    }

    /// The attribute that binds a prefix.
    private static func declaration(of prefix: [UInt8]) -> [UInt8] {
        Array("xmlns".utf8) + (prefix.isEmpty ? [] : [UInt8(ascii: ":")] + prefix.dropLast())
    }
}
