/// How the health of a CDN or of the origin's servers is asked for.
public struct Probe: Sendable, Hashable {
    public internal(set) var check = Check.http(HTTP())
    /// Seconds from the beginning of one probe to that of the next, 1…3600.
    public internal(set) var interval = 5
    /// Seconds that one probe may take altogether, 1…60.
    public internal(set) var timeout = 2
    /// Good probes in a row that bring a target up again, 1…64.
    public internal(set) var rise = 2
    /// Failed probes in a row that take a target down, 1…64.
    public internal(set) var fall = 3
    /// Which addresses of the target's name are asked.
    public internal(set) var addresses = Addresses.any

    /// The families of addresses that a target serves players by.
    public enum Addresses: String, Sendable, CaseIterable { case any, ipv4, ipv6 }

    public enum Check: Sendable, Hashable {
        /// The port takes connections.
        case tcp
        case http(HTTP)
    }

    /// A request whose answer has to come in time, as much of it as is read.
    public struct HTTP: Sendable, Hashable {
        public internal(set) var method = Method.get
        /// Begins with `/`; it follows the CDN's URL, or the origin server's host.
        public internal(set) var path = "/"
        /// Statuses of a healthy answer, 100…599. Redirects are not followed.
        public internal(set) var expect = [200]
        /// The Host field, when it is not the target's own name.
        public internal(set) var host: String?
        public internal(set) var headers: [Header] = []
        /// What the body has to be.
        public internal(set) var playlist: Playlist?
    }

    public enum Method: String, Sendable, CaseIterable { case get = "GET", head = "HEAD" }

    public struct Header: Sendable, Hashable {
        public let name: String
        public let value: String
    }

    /// An HLS playlist (RFC 8216 §4).
    public enum Playlist: String, Sendable, CaseIterable {
        /// Begins with `#EXTM3U`.
        case any
        /// A media playlist that goes on: a target that serves the same one for long is frozen.
        case live
    }
}
