import Steering

/// The catalog of a first start, made from the environment: `CDN_HOST`, `ORIGIN_DOMAINS`, `ORIGIN_SERVERS`, `ORIGIN_EVERY`.
public struct FirstCatalog: Sendable {
    private let cdnHost: String?
    private let domains: String?
    private let servers: String?
    private let every: String?

    public init(_ source: SettingsSource) {
        cdnHost = source.variable("CDN_HOST")
        domains = source.variable("ORIGIN_DOMAINS")
        servers = source.variable("ORIGIN_SERVERS")
        every = source.variable("ORIGIN_EVERY")
    }

    /// - Throws: `ConfigurationFault` naming each variable that is missing or wrong.
    func catalog() throws(ConfigurationFault) -> Catalog {
        guard let cdnHost else {
            throw ConfigurationFault(
                "CDN_HOST is not set and the database holds no catalog yet; set CDN_HOST=cdn.example.com (a comma between several), "
                    + "or import a catalog: video-balancer catalog import FILE")
        }
        let cdns = SettingsSource.list(cdnHost)
        let document = Document.object([
            .init("version", .integer(Catalog.version)),
            .init("origin", origin),
            .init("cdns", .array(cdns.map(FirstCatalog.cdn))),
        ])
        do throws(CatalogFaults) {
            return try Catalog(document)
        } catch {
            throw ConfigurationFault(error.faults.map { "\(variable(of: $0.pointer)) \($0.message)" }.joined(separator: "\n"))
        }
    }

    /// The variables that say something else than the stored catalog; the database wins.
    func differences(from stored: Catalog) -> [String] {
        var differing: [String] = []
        let origin = stored.origin
        if let cdnHost {
            let stored = stored.cdns.map(\.url.text)
            let asked = SettingsSource.list(cdnHost).map { FirstCatalog.url($0).lowercased() }
            if asked != stored { differing.append("CDN_HOST") }
        }
        if let domains, SettingsSource.list(domains).map({ $0.lowercased() }) != origin.domains { differing.append("ORIGIN_DOMAINS") }
        if let servers, SettingsSource.list(servers).map({ $0.lowercased() }) != origin.servers { differing.append("ORIGIN_SERVERS") }
        if let every, Int(every) != origin.every { differing.append("ORIGIN_EVERY") }
        return differing
    }

    private var origin: Document {
        var members: [Document.Member] = [
            .init("domains", .array(SettingsSource.list(domains ?? "origin-cluster").map(Document.string))),
            .init("servers", .array(SettingsSource.list(servers ?? "s[1-99]").map(Document.string))),
        ]
        if let every { members.append(.init("every", Int(every).map(Document.integer) ?? .string(every))) }
        return .object(members)
    }

    private static func cdn(_ host: String) -> Document {
        let name = host.replacing("http://", with: "").replacing("https://", with: "")
            .map { $0 == ":" || $0 == "/" || $0 == "[" || $0 == "]" ? "-" : $0 }
        return .object([.init("name", .string(String(name))), .init("url", .string(url(host)))])
    }

    private static func url(_ host: String) -> String { host.contains("://") ? host : "http://\(host)" }

    private func variable(of pointer: String) -> String {
        if pointer.hasPrefix("/cdns") { return "CDN_HOST" }
        if pointer.hasPrefix("/origin/domains") { return "ORIGIN_DOMAINS" }
        if pointer.hasPrefix("/origin/servers") { return "ORIGIN_SERVERS" }
        return "ORIGIN_EVERY"
    }
}
