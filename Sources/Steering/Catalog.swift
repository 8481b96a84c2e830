/// The whole desired state of the balancer: which origin servers there are, which CDNs, and how requests are shared out.
///
/// A catalog is valid by construction: the only way in is `init(_: Document)`, which reports all faults at once.
public struct Catalog: Sendable, Equatable {
    /// The version of the document's form that this program writes.
    public static let version = 1

    public let origin: Origin
    /// In the order written; `rotate` follows it.
    public let cdns: [CDN]
    public let selection: Selection
    public let redirect: Redirect

    /// The cluster of origin servers.
    public struct Origin: Sendable, Equatable {
        /// Lower-case `name` or `name:port`; all are names of one cluster. The first is used where a request names none.
        public let domains: [String]
        /// Labels or ranges of labels, as written: `s1`, `s[1-99]`.
        public let servers: [String]
        /// `servers`, expanded: every label once, in order.
        public let labels: [String]
        public let scheme: Scheme
        /// Every N-th redirect goes to the origin; 1 is always, 0 is never.
        public let every: Int
        public let scope: Scope
        /// How each server's health is asked for; nil: all count as up.
        public let probe: Probe?
    }

    public enum Scheme: String, Sendable, CaseIterable { case http, https }

    /// What the N-th is counted over.
    public enum Scope: String, Sendable, CaseIterable {
        /// One sequence for everything.
        case all
        /// One sequence per origin server.
        case server
    }

    public struct CDN: Sendable, Equatable {
        /// Unique, letter case apart; `[A-Za-z0-9._-]`, at most 64 bytes: also the form of a pathway ID in content steering.
        public let name: String
        public let url: BaseURL
        /// Share among the CDNs, 0…1000; 0 is "none for now".
        public let weight: Int
        /// False drains the CDN: it gets no new redirect.
        public let enabled: Bool
        /// How its health is asked for; nil: it counts as up.
        public let probe: Probe?

        /// Whether new redirects may go here.
        public var takesTraffic: Bool { enabled && weight > 0 }
    }

    public enum Selection: Sendable, Equatable {
        /// In proportion to the weights, exact over each whole ring.
        case weighted
        /// The next CDN after every M-th CDN-bound redirect, in the order of the catalog; weights play no part.
        case rotate(every: Int)
    }

    public struct Redirect: Sendable, Equatable {
        /// 301, 302, 307 or 308.
        public let status: Int
    }
}
