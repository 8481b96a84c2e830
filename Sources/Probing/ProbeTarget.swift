public import Steering

/// One thing that is probed: a CDN or an origin server, with the URL that stands for it.
public struct ProbeTarget: Sendable, Hashable {
    public let subject: Subject
    public let scheme: Catalog.Scheme
    /// A host name, or an address without brackets.
    public let host: String
    public let port: Int
    /// The `Host` field: the authority as the catalog writes it.
    public let authority: String
    /// What stands before the probe's path: the path of the CDN's URL.
    public let prefix: String
    public let probe: Probe

    public enum Subject: Sendable, Hashable, Comparable {
        case cdn(String)
        case server(String)

        public var kind: String {
            switch self {
            case .cdn: "cdn"
            case .server: "server"
            }
        }

        /// - Parameter kind: as `kind` gives it; nil for another.
        public init?(kind: String, name: String) {
            switch kind {
            case "cdn": self = .cdn(name)
            case "server": self = .server(name)
            default: return nil
            }
        }

        public var name: String {
            switch self {
            case .cdn(let name), .server(let name): name
            }
        }
    }

    init(_ subject: Subject, scheme: Catalog.Scheme, authority: String, prefix: String, probe: Probe) {
        self.subject = subject
        self.scheme = scheme
        self.authority = authority
        self.prefix = prefix
        self.probe = probe
        var host = authority[...]
        var port = scheme == .http ? 80 : 443
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            host = authority[..<colon]
            port = Int(authority[authority.index(after: colon)...]) ?? port
        }
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : String(host)
        self.port = port
    }

    /// What a catalog wants probed. CDNs that take no traffic are probed too: the operator looks before switching one on.
    public static func all(of catalog: Catalog) -> [ProbeTarget] {
        let cdns = catalog.cdns.compactMap { cdn in
            // By HTTPS where it is named: that asks for all that HTTP does, and for a certificate that viewers' pages trust.
            let url = cdn.secureURL
            return cdn.probe.map {
                ProbeTarget(.cdn(cdn.name), scheme: url.scheme, authority: url.authority, prefix: url.prefix, probe: $0)
            }
        }
        guard let probe = catalog.origin.probe, let domain = catalog.origin.domains.first else { return cdns }
        let servers = catalog.origin.labels.map {
            ProbeTarget(.server($0), scheme: catalog.origin.scheme, authority: "\($0).\(domain)", prefix: "", probe: probe)
        }
        return cdns + servers
    }
}
