/// What one worker has done. Each worker writes its own; a scrape adds them up.
public struct Counters: Sendable, Equatable {
    public var redirectsToOrigin: UInt64 = 0
    /// By the CDN's name: it outlives the tables in which the CDN stood.
    public var redirectsToCDN: [String: UInt64] = [:]
    /// By status and the refusal's stable name.
    public var refusals: [RefusalKey: UInt64] = [:]
    /// Answers to health pages and OPTIONS.
    public var otherAnswers: UInt64 = 0
    public var connectionsAccepted: UInt64 = 0
    public var connectionsOpen: Int = 0

    public struct RefusalKey: Sendable, Hashable {
        public let status: Int
        public let reason: String
    }

    mutating func countRefusal(_ status: Int, _ reason: String) {
        refusals[RefusalKey(status: status, reason: reason), default: 0] += 1
    }

    /// Adds another worker's.
    public mutating func add(_ other: Counters) {
        redirectsToOrigin += other.redirectsToOrigin
        redirectsToCDN.merge(other.redirectsToCDN, uniquingKeysWith: +)
        refusals.merge(other.refusals, uniquingKeysWith: +)
        otherAnswers += other.otherAnswers
        connectionsAccepted += other.connectionsAccepted
        connectionsOpen += other.connectionsOpen
    }
}
