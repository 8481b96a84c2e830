/// The whole desired state of the balancer: which origin servers there are, which CDNs, and how requests are shared out.
///
/// A catalog is valid by construction: outside of this module the only way in is `init(_: Document)`, which reports all faults at once. A
/// property's first value is the key's default.
public struct Catalog: Sendable, Equatable {
    /// The version of the document's form that this program writes.
    public static let version = 1

    public internal(set) var origin = Origin()
    /// In the order written; `rotate` follows it.
    public internal(set) var cdns: [CDN] = []
    public internal(set) var selection = Selection.weighted
    public internal(set) var redirect = Redirect()
    public internal(set) var failover = Failover()
    public internal(set) var steering = ContentSteering()
    /// How manifests are answered where no rule says otherwise.
    public internal(set) var delivery = Delivery.redirect
    /// The first that matches a request decides it.
    public internal(set) var rules: [Rule] = []

    /// Whether anything is counted by the second.
    public var hasCaps: Bool { failover.originLimit != nil || cdns.contains { $0.maxPerSecond != nil } }

    /// Whether any request is answered by content steering.
    var steersAnything: Bool {
        steering.enabled
            || rules.contains { if case .steer(let own) = $0.then { own.steering?.enabled ?? false } else { false } }
    }

    /// The cluster of origin servers.
    public struct Origin: Sendable, Equatable {
        /// Lower-case `name` or `name:port`; all are names of one cluster. The first is used where a request names none.
        public internal(set) var domains: [String] = []
        /// Labels or ranges of labels, as written: `s1`, `s[1-99]`.
        public var servers: [String] { expanded.patterns }
        /// `servers`, expanded: every label once, in order.
        public var labels: [String] { expanded.labels }
        var expanded = Servers()
        public internal(set) var scheme = Scheme.http
        /// Whether the origin speaks both schemes: a video whose URL names one is then redirected by it, any other by `scheme`.
        public internal(set) var keepsScheme = false
        /// Every N-th redirect goes to the origin; 1 is always, 0 is never.
        public internal(set) var every = 10
        public internal(set) var scope = Scope.all
        /// How each server's health is asked for; nil: all count as up.
        public internal(set) var probe: Probe?
        /// How links to the origin are signed; nil: they are not.
        public internal(set) var sign: LinkSigning?
    }

    /// Servers as written, and the labels that they stand for.
    struct Servers: Sendable, Equatable {
        var patterns: [String] = []
        var labels: [String] = []
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
        public internal(set) var name = ""
        public internal(set) var url = BaseURL.none
        /// Where requests that came by HTTPS are sent instead; nil: to `url` too. Always `https`.
        public internal(set) var httpsURL: BaseURL?
        /// Share among the CDNs, 0…1000; 0 is "none for now".
        public internal(set) var weight = 100
        /// False drains the CDN: it gets no new redirect.
        public internal(set) var enabled = true
        /// How its health is asked for; nil: it counts as up.
        public internal(set) var probe: Probe?
        /// Redirects a second that all balancers together send here at most, 1…1,000,000,000; nil: any number.
        public internal(set) var maxPerSecond: Int?
        /// How links to it are signed; nil: they are not.
        public internal(set) var sign: LinkSigning?

        /// Where requests that came by HTTPS are sent.
        public var secureURL: BaseURL { httpsURL ?? url }

        /// Whether new redirects may go here.
        public var takesTraffic: Bool { enabled && weight > 0 }
    }

    /// How a CDN is chosen for a redirect that does not go to the origin.
    public enum Selection: Sendable, Hashable {
        /// In proportion to the weights, exact over each whole ring.
        case weighted
        /// The next CDN after every M-th CDN-bound redirect, in the order of the catalog; weights play no part.
        case rotate(every: Int)
        /// The same key goes to the same CDN, keys in proportion to the weights. A CDN that goes moves only its own keys.
        case hash(on: HashKey, viewer: ViewerKey)
        /// The first in the order of the catalog that works.
        case ordered
    }

    /// What is hashed.
    public enum HashKey: String, Sendable, CaseIterable {
        /// The server and the video's directory: all pieces of one film meet one cache.
        case film
        /// A viewer stays where it is.
        case viewer
        case both
    }

    /// What tells viewers apart. One that lacks the named value is known by its network.
    public enum ViewerKey: Sendable, Hashable {
        /// The client's network: `/24` of IPv4, `/56` of IPv6.
        case network
        case header(String)
        case cookie(String)
        /// A parameter of the balancer's own query, beside `video`.
        case query(String)
    }

    public struct Redirect: Sendable, Equatable {
        /// 301, 302, 307 or 308.
        public internal(set) var status = 301
        /// Whether a redirect names the other targets too: `Link: <URL>; rel=duplicate; pri=N` (RFC 6249 §3).
        public internal(set) var links = false
        /// Names of parameters of the balancer's own query that go on to the target, to the letter.
        public internal(set) var passParameters: [String] = []
    }

    /// Steering of players while they play (docs/steering.md).
    public struct ContentSteering: Sendable, Equatable {
        public internal(set) var enabled = false
        /// Seconds until a player asks again, 30…3600.
        public internal(set) var ttl = 300
        /// The same while a target of the session does not work, 10…30.
        public internal(set) var ttlUnhealthy = 20
        /// Where players reach the balancers, when it is not where their requests say; nil: there.
        public internal(set) var publicURL: BaseURL?

        /// The same with what a rule says otherwise.
        func overridden(by own: Rule.Steering?) -> ContentSteering {
            guard let own else { return self }
            var result = self
            result.enabled = own.enabled ?? enabled
            result.ttl = own.ttl ?? ttl
            result.ttlUnhealthy = own.ttlUnhealthy ?? ttlUnhealthy
            result.publicURL = own.publicURL ?? publicURL
            return result
        }
    }

    /// How who asks for a manifest gets it (docs/steering.md); what is no manifest is redirected.
    public enum Delivery: String, Sendable, CaseIterable {
        /// From a target.
        case redirect
        /// From us, with a pathway for each target and the steering server written into it.
        case playlist
        /// From us, with links to us in the place of media playlists; DASH has none, so an MPD is as with `playlist`.
        case links
        /// From us, with pathways, and before them links for players that know no steering.
        case both

        /// Whether media playlists are links to us.
        public var hasLinks: Bool { self == .links || self == .both }
        /// Whether targets are named as pathways.
        public var hasPathways: Bool { self == .playlist || self == .both }
    }

    /// What happens when targets fail.
    public struct Failover: Sendable, Equatable {
        /// Health is ignored while less than this part of the weight works, 0…1; 0 is never.
        public internal(set) var panicThreshold = 0.5
        /// Redirects a second that go to the origin for want of a CDN, over all balancers, 1…1,000,000,000; nil: any number.
        public internal(set) var originLimit: Int?
        /// Whether a CDN that its players leave by themselves counts as down, whatever its probes say.
        public internal(set) var passive = false
    }
}
