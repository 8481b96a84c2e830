/// Requests that are treated in their own way: what they have in common, and what is different for them.
public struct Rule: Sendable, Equatable {
    /// Unique; `[A-Za-z0-9._-]`, at most 64 bytes. Its sequence is called so.
    public internal(set) var name = ""
    public internal(set) var when = Condition()
    public internal(set) var then = Effect.steer(Overrides())

    /// All parts that are given must hold; an empty list is no condition.
    public struct Condition: Sendable, Equatable {
        /// Labels or ranges of labels of origin servers, as written.
        public internal(set) var servers: [String] = []
        /// Prefixes of the video's path, or patterns for the whole of it where they have a `*`. Compared as the request writes it.
        public internal(set) var paths: [String] = []
        /// Networks of clients.
        public internal(set) var clients: [Network] = []
        /// Patterns for values of fields, letter case apart.
        public internal(set) var headers: [Header] = []
        public internal(set) var hours: WeeklyHours?
        /// Countries of clients.
        public internal(set) var countries: [CountryCode] = []
        /// Autonomous systems of clients, 1…4,294,967,295 (RFC 6793).
        public internal(set) var asns: [UInt32] = []
    }

    public struct Header: Sendable, Equatable {
        public let name: String
        public let pattern: String
    }

    public enum Effect: Sendable, Equatable {
        /// 403.
        case deny
        case steer(Overrides)
    }

    /// How it wants manifests answered; nil: as the catalog says.
    var delivery: Catalog.Delivery? { if case .steer(let own) = then { own.delivery } else { .redirect } }

    /// What is absent is as in the rest of the catalog.
    public struct Overrides: Sendable, Equatable {
        /// Weights, 0…1000, of the CDNs that are used, by name in the order of the catalog.
        public internal(set) var cdns: [Share]?
        public internal(set) var selection: Catalog.Selection?
        /// N, as `origin.every`.
        public internal(set) var every: Int?
        /// 301, 302, 307 or 308.
        public internal(set) var status: Int?
        public internal(set) var steering: Steering?
        /// How manifests are answered.
        public internal(set) var delivery: Catalog.Delivery?

        /// Whether requests under this rule are numbered by themselves: other shares need another count.
        var countsForItself: Bool { cdns != nil || selection != nil || every != nil }
    }

    /// Steering of players while they play; what is absent is as in the rest of the catalog.
    public struct Steering: Sendable, Equatable {
        public internal(set) var enabled: Bool?
        /// Seconds, 30…3600.
        public internal(set) var ttl: Int?
        /// Seconds, 10…30.
        public internal(set) var ttlUnhealthy: Int?
        /// Where players reach the balancers.
        public internal(set) var publicURL: BaseURL?
    }

    public struct Share: Sendable, Equatable {
        public let cdn: String
        public let weight: Int
    }
}
