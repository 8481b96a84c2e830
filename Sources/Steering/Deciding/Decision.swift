/// Where one request is sent, and why: the first target of its ranking. A fresh value; it holds no reference into the table.
public struct Decision: Sendable, Equatable {
    public let target: Target
    /// What targets were ranked by.
    public let place: Place
    public let reason: Reason
    /// The redirect's status.
    public let status: Int
    /// Index of the policy: 0, or the rule's position and one.
    let policy: Int

    /// The number of this redirect in its scope, from 1.
    public var number: UInt64 { place.number }

    /// The same request sent to another target of its ranking, since links to the first cannot be signed in time.
    public func passed(to other: Target) -> Decision {
        Decision(target: other, place: place, reason: .signingBusy, status: status, policy: policy)
    }

    /// What a request's targets are ranked by: the same place, request and table give the same ranking.
    public struct Place: Sendable, Equatable {
        /// From 1; a multiple of N is the origin's.
        public let number: UInt64
        /// What CDNs are ranked by: the number among the CDN-bound, from 0; where the strategy hashes, the hash.
        public let key: UInt64

        /// - Parameter key: means nothing where the strategy hashes: film and viewer are the request's own.
        public init(number: UInt64, key: UInt64) {
            self.number = number
            self.key = key
        }
    }

    public enum Target: Sendable, Equatable {
        case origin
        /// Index in the catalog's CDNs.
        case cdn(Int)
    }

    public enum Reason: UInt8, Sendable, CaseIterable {
        /// The number is a multiple of N.
        case everyNth
        /// The CDN has this slot of the ring.
        case weighted
        /// It is this CDN's turn.
        case rotated
        /// The key's CDN.
        case hashed
        /// The first that works.
        case ordered
        /// The next choice after the CDN that the request asked to leave out.
        case avoided
        /// The next choice after a CDN that has its number for this second.
        case overCap
        /// The number is a multiple of N, but the origin server does not work.
        case originDown
        /// No CDN takes traffic or is left, or the one that would take it does not work.
        case noCDN
        /// The next choice after a target whose link cannot be signed in time: too many others are being signed.
        case signingBusy

        public var name: String {
            switch self {
            case .everyNth: "every-nth"
            case .weighted: "weighted"
            case .rotated: "rotated"
            case .hashed: "hashed"
            case .ordered: "ordered"
            case .avoided: "avoided"
            case .overCap: "over-cap"
            case .originDown: "origin-down"
            case .noCDN: "no-cdn"
            case .signingBusy: "signing-busy"
            }
        }
    }
}
