/// What requests are counted by in the history of traffic.
public struct TrafficKey: Sendable, Hashable {
    public enum Target: String, Sendable, CaseIterable {
        case origin
        case cdn
        /// Refused: no redirect.
        case none
    }

    public let target: Target
    /// The CDN's name; empty unless the target is one.
    public let cdn: String
    /// The origin server's label; empty for a refusal.
    public let server: String
    /// Of the answer.
    public let status: Int

    public init(target: Target, cdn: String, server: String, status: Int) {
        self.target = target
        self.cdn = cdn
        self.server = server
        self.status = status
    }
}

/// A part of what one run of one node answered in one minute, stored by one statement: all of it or nothing.
public struct TrafficBatch: Sendable, Equatable {
    public let node: String
    public let boot: String
    /// The minute's beginning: seconds since 1970, UTC.
    public let begins: Int64
    /// No two of the same key.
    public let rows: [Row]

    public struct Row: Sendable, Equatable {
        public let key: TrafficKey
        public let requests: Int64

        public init(key: TrafficKey, requests: Int64) {
            self.key = key
            self.requests = requests
        }
    }

    public init(node: String, boot: String, begins: Int64, rows: [Row]) {
        self.node = node
        self.boot = boot
        self.begins = begins
        self.rows = rows
    }

    /// Eight arguments a row; SQLite takes 32,766 in a statement (<https://www.sqlite.org/limits.html>).
    public static let maximumRows = 3000
}

/// A question to the history of traffic.
public struct TrafficQuestion: Sendable, Equatable {
    /// Seconds since 1970, UTC; the end does not belong to it.
    public let from: Int64
    public let to: Int64
    /// What the sums are kept apart by, in this order; without any there is one sum.
    public let by: [Dimension]

    public enum Dimension: String, Sendable, CaseIterable {
        case minute, hour, day, target, cdn, server, status, node

        /// Its length, when it is one of time.
        public var seconds: Int64? {
            switch self {
            case .minute: 60
            case .hour: 3600
            case .day: 86400
            default: nil
            }
        }
    }

    public init(from: Int64, to: Int64, by: [Dimension]) {
        self.from = from
        self.to = to
        self.by = by
    }

    /// An answer with more sums than this is cut off here.
    public static let maximumSums = 10_001
}

/// One sum over the fleet.
public struct TrafficSum: Sendable, Equatable {
    /// One value for each dimension asked for.
    public let values: [Value]
    public let requests: Int64

    public enum Value: Sendable, Equatable {
        case text(String)
        /// A status, or the beginning of a time in seconds since 1970, UTC.
        case number(Int64)
    }

    public init(values: [Value], requests: Int64) {
        self.values = values
        self.requests = requests
    }
}
