/// The catalog's document: each section's keys, declared once for reading and writing.
extension Catalog {
    /// Reads and checks a whole catalog. Absent keys take their defaults; unknown keys are faults.
    ///
    /// - Parameter knowsZone: whether there is a time zone of this name. What is stored is read without asking, since a newer version of the
    ///   program may have stored it.
    /// - Throws: all faults at once, each with its JSON pointer and what would be accepted.
    public init(_ document: Document, knowsZone: @escaping (String) -> Bool = { _ in true }) throws(CatalogFaults) {
        try Catalog.refuseNewer(document)
        var reader = DocumentReader(knowsZone: knowsZone)
        self = Catalog.section.read(document, at: "", &reader) ?? Catalog()
        guard reader.faults.isEmpty else { throw CatalogFaults(reader.faults) }
    }

    /// The document that `init(_: Document)` reads back as an equal catalog.
    public var document: Document { Catalog.section.write(self) }

    static let section = Section(
        Catalog(),
        [
            Key("version", \.formVersion, .integer(version...version), .required),
            Key("origin", \.origin, Origin.section.form("an object with domains and servers"), .required),
            Key("cdns", \.cdns, cdnList, .required, after: { $1.targets = RuleTargets($0) }),
            Key("selection", \.selection, Selection.section.form()),
            Key("redirect", \.redirect, Redirect.section.form()),
            Key("failover", \.failover, Failover.section.form()),
            Key("steering", \.steering, ContentSteering.section.form(), .hidden),
            Key("delivery", \.delivery, .choice, .hidden),
            Key("rules", \.rules, Rule.list),
        ],
        check: { catalog, _, reader in
            Rule.checkSums(catalog.rules, &reader)
            for pointer in catalog.unsteeredDeliveries {
                reader.note(pointer, "needs sessions; set steering.enabled to true, in the catalog or beside it in the rule")
            }
            let areTargetsKnown = !reader.faults.contains { $0.pointer.hasPrefix("/cdns") || $0.pointer.hasPrefix("/origin") }
            if areTargetsKnown, catalog.origin.every == 0, !catalog.cdns.contains(where: \.takesTraffic) {
                reader.note("/cdns", "no CDN takes traffic (enabled, weight over 0) and /origin/every is 0: every request would be refused")
            }
        })

    private static let cdnList = Form<[CDN]>.list(
        0...1000, of: "CDNs", CDN.section.form(), hint: "a list of CDNs, or [] for none",
        unique: Identity(key: { $0.name.lowercased() }, pointer: "/name") {
            "\"\($0.name)\" stands twice (letter case apart); each CDN needs a name of its own"
        })

    /// What is delivered with a session, while nothing would steer it.
    private var unsteeredDeliveries: [String] {
        let ruled = rules.indices.filter { index in
            guard case .steer(let own) = rules[index].then, own.delivery ?? .redirect != .redirect else { return false }
            return !(own.steering?.enabled ?? steering.enabled)
        }
        return (delivery == .redirect || steersAnything ? [] : ["/delivery"]) + ruled.map { "/rules/\($0)/delivery" }
    }

    /// What a newer form means is unknown, so nothing else is said about it.
    private static func refuseNewer(_ document: Document) throws(CatalogFaults) {
        guard case .integer(let number)? = document["version"], number > version else { return }
        throw CatalogFaults([
            Fault("/version", "is \(number), but this program knows catalogs up to version \(version): upgrade the program first")
        ])
    }

    /// Every catalog in memory is of the form that this program writes.
    private var formVersion: Int {
        get { Catalog.version }
        set {}
    }
}

extension Catalog.Origin {
    fileprivate static let section = Section(
        Catalog.Origin(),
        [
            Key("domains", \.domains, .list(1...64, of: "host names", domain, unique: .text), .required),
            Key("servers", \.expanded, serverForm, .required),
            Key("scheme", \.scheme, .choice),
            Key("keepScheme", \.keepsScheme, .flag, .hidden),
            Key("every", \.every, .integer(0...1_000_000_000)),
            Key("scope", \.scope, .choice),
            Key("probe", \.probe, Probe.section.form().optional, .hidden),
            Key("sign", \.sign, LinkSigning.section.form().optional, .hidden),
        ],
        check: { origin, pointer, reader in
            if origin.sign?.scheme == .nginxSecret {
                reader.note(pointer + "/sign/scheme", "is for a CDN whose url has a path of one segment; the origin has none")
            }
        })

    private static let domain = Form<String>.text("a host name such as \"origin-cluster\" or \"origin.example.com:8080\"") { text in
        HostPort.normalised(text).flatMap { $0.hasPrefix("[") ? nil : $0 }
    } write: {
        $0
    }

    private static let serverForm = Form<Catalog.Servers>(.list(1...1000, of: .text), hint: "a list of server labels") {
        document, pointer, reader in
        var servers = Catalog.Servers()
        var seen: Set<String> = []
        for (pointer, value) in reader.elements(of: document, at: pointer, count: 1...1000, hint: "a list of server labels") {
            // Expanding what will be refused anyway would cost memory and time.
            if servers.labels.count > ServerPattern.maximumLabels { break }
            guard case .string(let text) = value, let labels = ServerPattern.labels(of: text) else {
                reader.note(pointer, "must be a label such as \"s1\" or a range such as \"s[1-99]\", is \(value.kind)")
                continue
            }
            if let twice = labels.first(where: { seen.contains($0) }) {
                reader.note(pointer, "names server \"\(twice)\" a second time; keep one")
            }
            seen.formUnion(labels)
            servers.patterns.append(URLByte.lowercased(text))
            servers.labels += labels
        }
        if servers.labels.count > ServerPattern.maximumLabels {
            reader.note(pointer, "stands for more than the \(ServerPattern.maximumLabels) servers that are accepted")
        }
        return servers
    } write: {
        .array($0.patterns.map(Document.string))
    }
}

extension Catalog.CDN {
    fileprivate static let section = Section(
        Catalog.CDN(),
        [
            Key("name", \.name, .name("a name such as \"cdn-a\""), .required),
            Key("url", \.url, url, .required),
            Key("httpsUrl", \.httpsURL, secureURL.optional, .hidden) {
                $0.url.scheme == .https ? "has no meaning beside a url by https, which serves requests by HTTPS too; remove it" : nil
            },
            Key("weight", \.weight, .integer(0...1000)),
            Key("enabled", \.enabled, .flag),
            Key("probe", \.probe, Probe.section.form().optional, .hidden),
            Key("maxPerSecond", \.maxPerSecond, Form.integer(1...1_000_000_000).nullable, .hidden),
            Key("sign", \.sign, LinkSigning.section.form().optional, .hidden),
        ],
        check: { cdn, pointer, reader in
            if cdn.name.lowercased() == "origin" {
                reader.note(pointer + "/name", "\"origin\" means the origin itself; choose another name")
            }
            // nginx finds the digest behind the first segment.
            if cdn.sign?.scheme == .nginxSecret, cdn.url.prefix.split(separator: "/").count != 1 {
                reader.note(
                    pointer + "/url",
                    "must have a path of one segment, such as /p: nginx looks for the token of secure_link_secret behind it")
            }
        })

    private static let url = Form<BaseURL>.text(
        "a URL such as \"http://cdn.example.com\"",
        rule: "a URL such as \"http://cdn.example.com\" (http or https, host, optional port and path; no user, query or dot segment)",
        parse: { BaseURL($0) }, write: \.text)

    private static let secureURL = Form<BaseURL>.text(
        "a URL such as \"https://cdn.example.com\"",
        rule: "a URL such as \"https://cdn.example.com\" (https, host, optional port and path; no user, query or dot segment)",
        parse: { text in BaseURL(text).flatMap { $0.scheme == .https ? $0 : nil } }, write: \.text)
}

extension Catalog.Redirect {
    fileprivate static let section = Section(
        Catalog.Redirect(),
        [
            Key("status", \.status, .redirectStatus),
            Key("links", \.links, .flag),
            Key("passParameters", \.passParameters, .list(0...32, of: "names such as \"CMCD\"", parameter, unique: .text), .hidden),
        ])

    private static let name = Form<String>.name(
        "a name", rule: "a name such as \"CMCD\" (1 to 64 letters, digits, dots, hyphens or underscores)")

    private static let parameter = Form<String>(.text, hint: name.hint) { document, pointer, reader in
        let text = name.read(document, pointer, &reader)
        if let text, Query.names.contains(text) {
            reader.note(pointer, "\"\(text)\" is read by the balancer itself and means nothing to the target; remove it")
        }
        return text
    } write: {
        .string($0)
    }
}

extension Catalog.Failover {
    fileprivate static let section = Section(
        Catalog.Failover(),
        [
            Key("panicThreshold", \.panicThreshold, .fraction),
            Key("originLimit", \.originLimit, Form.integer(1...1_000_000_000).nullable),
            Key("passive", \.passive, .flag, .hidden),
        ])
}

extension Form<Int> {
    // The ranges meet, so that nobody asks more rarely while something is down.
    static let steeringTTL = Form.integer(30...3600)
    static let steeringTTLUnhealthy = Form.integer(10...30)
}

extension Form<BaseURL> {
    static let balancerURL = Form.text(
        "a URL such as \"https://balancer.example.com\"",
        rule: "the URL where players reach the balancers, such as \"https://balancer.example.com\" "
            + "(http or https, host, optional port and path; no user, query or dot segment)",
        parse: { BaseURL($0) }, write: \.text)
}

extension Catalog.ContentSteering {
    fileprivate static let section = Section(
        Catalog.ContentSteering(),
        [
            Key("enabled", \.enabled, .flag),
            Key("ttl", \.ttl, .steeringTTL),
            Key("ttlUnhealthy", \.ttlUnhealthy, .steeringTTLUnhealthy),
            Key("publicUrl", \.publicURL, Form<BaseURL>.balancerURL.optional, .hidden),
        ])
}

extension Identity<String> {
    static let text = Identity(key: { $0 }) { "\"\($0)\" stands twice; keep one" }
}
