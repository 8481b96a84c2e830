/// Rules in a catalog's document.
extension Rule {
    /// How many client networks all rules may have together, and how many autonomous systems.
    private static let sumLimit = 100_000

    static let list = Form<[Rule]>.list(
        0...1000, of: "rules", section.form(),
        unique: Identity(key: { $0.name.lowercased() }, pointer: "/name") {
            "\"\($0.name)\" stands twice (letter case apart); each rule needs a name of its own"
        })

    static func checkSums(_ rules: [Rule], _ reader: inout DocumentReader) {
        let sums = [
            ("client networks", rules.reduce(0) { $0 + $1.when.clients.count }),
            ("autonomous systems", rules.reduce(0) { $0 + $1.when.asns.count }),
        ]
        for (what, sum) in sums where sum > sumLimit {
            reader.note("/rules", "have more than the \(sumLimit) \(what) that are accepted")
        }
    }

    private static let section = Section(
        Rule(),
        [
            Key("name", \.name, .name("a name such as \"live-to-b\""), .required),
            Key("when", \.when, Condition.section.form()),
            Key("deny", \.isDenied, .flag, .hidden),
            Key("cdns", \.own.cdns, Share.list.optional, .hidden, foreign: \.denial),
            Key("selection", \.own.selection, Catalog.Selection.section.form().optional, .hidden, foreign: \.denial),
            Key("every", \.own.every, Form.integer(0...1_000_000_000).nullable, .hidden, foreign: \.denial),
            Key("status", \.own.status, Form.redirectStatus.optional, .hidden, foreign: \.denial),
            Key("delivery", \.own.delivery, Form<Catalog.Delivery>.choice.optional, .hidden, foreign: \.denial),
            Key("steering", \.own.steering, Steering.section.form().optional, .hidden, foreign: \.denial),
        ],
        check: { rule, pointer, reader in
            if rule.then == .steer(Overrides()) {
                reader.note(pointer, "says nothing to do; give deny, cdns, selection, every, status, steering or delivery")
            }
        })

    private var denial: String? { isDenied ? "has no meaning beside \"deny\": true; remove one of them" : nil }

    private var isDenied: Bool {
        get { then == .deny }
        set { then = newValue ? .deny : .steer(Overrides()) }
    }

    private var own: Overrides {
        get { if case .steer(let own) = then { own } else { Overrides() } }
        set { then = .steer(newValue) }
    }
}

/// What rules may name, looked up quickly: a thousand rules ask for a thousand CDNs each.
struct RuleTargets {
    let cdns: [Catalog.CDN]
    /// Of CDNs, by name in lower case.
    let positions: [String: Int]
    private let labels: Set<String>
    /// By a pattern of servers, whether all that it names exist.
    private var patterns: [String: Bool] = [:]

    init(_ catalog: Catalog) {
        cdns = catalog.cdns
        positions = Dictionary(cdns.enumerated().map { ($0.element.name.lowercased(), $0.offset) }) { first, _ in first }
        labels = Set(catalog.origin.labels)
    }

    mutating func haveServers(_ pattern: String) -> Bool {
        if let known = patterns[pattern] { return known }
        let exist = ServerPattern.labels(of: pattern)?.allSatisfy(labels.contains) ?? false
        patterns[pattern] = exist
        return exist
    }

    /// The CDNs' names, for a person.
    fileprivate var names: String {
        let names = cdns.map(\.name).filter { !$0.isEmpty }
        let some = names.prefix(8).map { "\"\($0)\"" }.joined(separator: ", ")
        return names.isEmpty ? "none" : names.count > 8 ? "\(some), …" : some
    }
}

extension Rule.Share {
    fileprivate static let list = Form<[Rule.Share]>(.map(1...1000), hint: "an object of weights by CDN, such as {\"cdn-a\": 1}") {
        document, pointer, reader in
        guard case .object(let members) = document, !members.isEmpty else {
            reader.note(pointer, "must be an object of weights by CDN, such as {\"cdn-a\": 1}, is \(document.kind)")
            return nil
        }
        var weights: [Int: Int] = [:]
        for member in members {
            var place: String { pointer + "/" + Fault.escaped(member.key) }
            guard let cdn = reader.targets.positions[member.key.lowercased()] else {
                reader.note(place, "is no CDN of this catalog; they are \(reader.targets.names)")
                continue
            }
            guard case .integer(let weight) = member.value, (0...1000).contains(weight) else {
                reader.note(place, "must be a weight from 0 to 1000, is \(member.value.kind)")
                continue
            }
            if weights.updateValue(weight, forKey: cdn) != nil { reader.note(place, "stands twice (letter case apart); keep one") }
        }
        if weights.count == members.count, weights.values.allSatisfy({ $0 == 0 }) {
            reader.note(pointer, "have weights that sum to 0; give one of them more, or remove the rule")
        }
        let cdns = reader.targets.cdns
        return weights.sorted { $0.key < $1.key }.map { Rule.Share(cdn: cdns[$0.key].name, weight: $0.value) }
    } write: { shares in
        .object(shares.map { .init($0.cdn, .integer($0.weight)) })
    }
}

extension Rule.Steering {
    fileprivate static let section = Section(
        Rule.Steering(),
        [
            Key("enabled", \.enabled, Form.flag.optional, .hidden),
            Key("ttl", \.ttl, Form.steeringTTL.optional, .hidden),
            Key("ttlUnhealthy", \.ttlUnhealthy, Form.steeringTTLUnhealthy.optional, .hidden),
            Key("publicUrl", \.publicURL, Form<BaseURL>.balancerURL.optional, .hidden),
        ],
        check: { steering, pointer, reader in
            if steering == Rule.Steering() { reader.note(pointer, "says nothing to do; give enabled, ttl, ttlUnhealthy or publicUrl") }
        })
}

extension Rule.Condition {
    fileprivate static let section = Section(
        Rule.Condition(),
        [
            Key("servers", \.servers, .list(1...1000, of: server.hint, server), .hidden),
            Key("paths", \.paths, .list(1...100, of: path.hint, path), .hidden),
            Key("clients", \.clients, .list(1...100_000, of: client.hint, client), .hidden),
            Key("countries", \.countries, .list(1...CountryCode.numbers - 1, of: "a country such as \"DE\"", country), .hidden),
            Key("asns", \.asns, .list(1...1000, of: "numbers of autonomous systems such as 64496", asn), .hidden),
            Key("headers", \.headers, headerPatterns, .hidden),
            Key("hours", \.hours, WeeklyHours.section.form().optional, .hidden),
        ])

    private static let server = Form<String>(.text, hint: "a label such as \"s1\" or a range such as \"s[1-9]\"") {
        document, pointer, reader in
        if case .string(let text) = document, reader.targets.haveServers(text) { return URLByte.lowercased(text) }
        reader.note(pointer, "must name servers of /origin/servers, is \(document.kind)")
        return nil
    } write: {
        .string($0)
    }

    private static let path = Form<String>(.text, hint: "a path such as \"/live/\" or a pattern such as \"/live/*.m3u8\"") {
        document, pointer, reader in
        if case .string(let text) = document, isPath(text) { return text }
        reader.note(
            pointer,
            "must begin with / or *, and have at most 256 visible ASCII characters without ? and #, and at most 8 *; is \(document.kind)")
        return nil
    } write: {
        .string($0)
    }

    private static func isPath(_ text: String) -> Bool {
        let isVisible = text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") && $0 != UInt8(ascii: "?") }
        let begins = text.hasPrefix("/") || text.hasPrefix("*")
        return begins && isVisible && text.utf8.count <= 256 && text.utf8.count(where: { $0 == 0x2A }) <= 8
    }

    private static let client = Form<Network>.text(
        "a network such as \"192.0.2.0/24\"",
        rule: "a network such as \"192.0.2.0/24\" or \"2001:db8::/32\", with no bit set beyond its prefix",
        parse: { Network($0) }, write: \.description)

    private static let country = Form<CountryCode>.text(
        "a country's two capital letters (ISO 3166-1 alpha-2) such as \"DE\"", parse: { CountryCode($0) }, write: \.description)

    private static let asn = Form<UInt32>(
        .integer(1...Int(UInt32.max)), hint: "the number of an autonomous system, from 1 to 4294967295"
    ) {
        if case .integer(let number) = $0, let asn = UInt32(exactly: number), asn > 0 { asn } else { nil }
    } write: {
        .integer(Int($0))
    }

    private static let headerPatterns = Form<[Rule.Header]>.map(
        1...8, hint: "an object of 1 to 8 patterns by field, such as {\"User-Agent\": \"*Roku*\"}"
    ) {
        .init($0.name, .string($0.pattern))
    } read: { member, pointer, reader in
        guard FieldLines.isName(member.key), case .string(let pattern) = member.value, (1...256).contains(pattern.utf8.count),
            pattern.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), pattern.utf8.count(where: { $0 == 0x2A }) <= 8
        else {
            reader.note(pointer, "must be a field's name with a pattern of 1 to 256 visible ASCII characters and at most 8 *")
            return nil
        }
        return Rule.Header(name: URLByte.lowercased(member.key), pattern: pattern)
    }
}
