/// The strategy in a catalog's document: of the whole catalog, or of one rule.
extension Catalog.Selection {
    static let section = Section(
        Catalog.Selection.weighted,
        [
            Key("strategy", \.strategy, .choice),
            Key("every", \.rotation, .integer(1...1_000_000_000), .required) {
                let hint = "belongs to the strategy \"rotate\"; for the origin's share use /origin/every or a rule's every"
                return $0.strategy == .rotate ? nil : hint
            },
            Key("on", \.hashKey, .choice, foreign: \.isNoHash),
            Key("viewer", \.viewerKey, Catalog.ViewerKey.form) {
                $0.isNoHash ?? ($0.hashKey == .film ? "needs \"on\": \"viewer\" or \"both\"" : nil)
            },
        ])

    fileprivate enum Strategy: String, CaseIterable { case weighted, rotate, hash, ordered }

    private var isNoHash: String? { strategy == .hash ? nil : "belongs to the strategy \"hash\"" }

    private var strategy: Strategy {
        get {
            switch self {
            case .weighted: .weighted
            case .rotate: .rotate
            case .hash: .hash
            case .ordered: .ordered
            }
        }
        set {
            switch newValue {
            case .weighted: self = .weighted
            case .rotate: self = .rotate(every: 1)
            case .hash: self = .hash(on: .film, viewer: .network)
            case .ordered: self = .ordered
            }
        }
    }

    private var rotation: Int {
        get { if case .rotate(let every) = self { every } else { 1 } }
        set { self = .rotate(every: newValue) }
    }

    private var hashKey: Catalog.HashKey {
        get { if case .hash(let key, _) = self { key } else { .film } }
        set { self = .hash(on: newValue, viewer: viewerKey) }
    }

    private var viewerKey: Catalog.ViewerKey {
        get { if case .hash(_, let viewer) = self { viewer } else { .network } }
        set { self = .hash(on: hashKey, viewer: newValue) }
    }
}

extension Catalog.ViewerKey {
    fileprivate static let form = Form<Catalog.ViewerKey>.text(
        "\"network\", \"header:NAME\", \"cookie:NAME\" or \"query:NAME\"",
        rule: "\"network\", \"header:NAME\", \"cookie:NAME\" or \"query:NAME\", with a name of 1 to 64 letters, digits, - and _",
        parse: { Catalog.ViewerKey($0) }, write: \.text)

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

    private var text: String {
        switch self {
        case .network: "network"
        case .header(let name): "header:\(name)"
        case .cookie(let name): "cookie:\(name)"
        case .query(let name): "query:\(name)"
        }
    }
}
