/// How the health of a CDN or of the origin's servers is asked for.
public struct Probe: Sendable, Hashable {
    public let check: Check
    /// Seconds from the beginning of one probe to that of the next, 1…3600.
    public let interval: Int
    /// Seconds that one probe may take altogether, 1…60.
    public let timeout: Int
    /// Good probes in a row that bring a target up again, 1…64.
    public let rise: Int
    /// Failed probes in a row that take a target down, 1…64.
    public let fall: Int
    /// Which addresses of the target's name are asked.
    public let addresses: Addresses

    /// The families of addresses that a target serves players by.
    public enum Addresses: String, Sendable, CaseIterable { case any, ipv4, ipv6 }

    public enum Check: Sendable, Hashable {
        /// The port takes connections.
        case tcp
        case http(HTTP)
    }

    /// A request whose answer has to come in time, as much of it as is read.
    public struct HTTP: Sendable, Hashable {
        public let method: Method
        /// Begins with `/`; it follows the CDN's URL, or the origin server's host.
        public let path: String
        /// Statuses of a healthy answer, 100…599. Redirects are not followed.
        public let expect: [Int]
        /// The Host field, when it is not the target's own name.
        public let host: String?
        public let headers: [Header]
        /// What the body has to be.
        public let playlist: Playlist?
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
