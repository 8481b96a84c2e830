/// The strategy in a catalog's document: of the whole catalog, or of one rule.
extension Catalog.Selection {
    private enum Strategy: String, CaseIterable { case weighted, rotate, hash, ordered }

    /// Reads the member `selection` of an object; nil when there is none.
    static func read(_ parent: DocumentReader.Object, _ reader: inout DocumentReader) -> Catalog.Selection? {
        guard let document = parent.members["selection"] else { return nil }
        let object = reader.object(document, at: parent.pointer(to: "selection"), keys: ["strategy", "every", "on", "viewer"])
        let strategy = reader.choice(object, "strategy", default: Strategy.weighted)
        if strategy != .rotate, object.members["every"] != nil {
            reader.note(
                object.pointer(to: "every"),
                "belongs to the strategy \"rotate\"; for the origin's share use /origin/every or a rule's every")
        }
        for key in ["on", "viewer"] where strategy != .hash && object.members[key] != nil {
            reader.note(object.pointer(to: key), "belongs to the strategy \"hash\"")
        }
        switch strategy {
        case .weighted: return .weighted
        case .rotate: return .rotate(every: reader.integer(object, "every", in: 1...1_000_000_000))
        case .ordered: return .ordered
        case .hash:
            let key = reader.choice(object, "on", default: Catalog.HashKey.film)
            if key == .film, object.members["viewer"] != nil {
                reader.note(object.pointer(to: "viewer"), "needs \"on\": \"viewer\" or \"both\"")
            }
            return .hash(on: key, viewer: Catalog.ViewerKey.read(object, &reader))
        }
    }

    var document: Document {
        switch self {
        case .weighted: return .object([.init("strategy", .string("weighted"))])
        case .rotate(let every): return .object([.init("strategy", .string("rotate")), .init("every", .integer(every))])
        case .ordered: return .object([.init("strategy", .string("ordered"))])
        case .hash(let key, let viewer):
            let members: [Document.Member] = [.init("strategy", .string("hash")), .init("on", .string(key.rawValue))]
            return .object(key == .film ? members : members + [.init("viewer", .string(viewer.text))])
        }
    }
}

extension Catalog.ViewerKey {
    fileprivate static func read(_ object: DocumentReader.Object, _ reader: inout DocumentReader) -> Catalog.ViewerKey {
        let hint = "\"network\", \"header:NAME\", \"cookie:NAME\" or \"query:NAME\""
        guard object.members["viewer"] != nil, let text = reader.string(object, "viewer", hint: hint) else { return .network }
        if let key = Catalog.ViewerKey(text) { return key }
        reader.note(
            object.pointer(to: "viewer"), "must be \(hint), with a name of 1 to 64 letters, digits, - and _, is \"\(text.prefix(80))\"")
        return .network
    }

    private init?(_ text: String) {
        if text == "network" {
            self = .network
            return
        }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, FieldLines.isName(parts[1]) else { return nil }
        switch parts[0] {
        case "header": self = .header(parts[1])
        case "cookie": self = .cookie(parts[1])
        // `video` and `avoid` say where to, not who.
        case "query" where parts[1] != "video" && parts[1] != "avoid": self = .query(parts[1])
        default: return nil
        }
    }

    fileprivate var text: String {
        switch self {
        case .network: "network"
        case .header(let name): "header:\(name)"
        case .cookie(let name): "cookie:\(name)"
        case .query(let name): "query:\(name)"
        }
    }
}
