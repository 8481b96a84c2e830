/// What one session of content steering is told: its targets, called pathways there, and when to ask again. A fresh value; it holds no
/// reference into the table.
public struct SteeringList: Sendable, Equatable {
    /// Pathways that are named at most.
    public static let maximum = 4

    public private(set) var count = 0
    /// Those of them that may be used now; the others stand behind them.
    public internal(set) var usable = 0
    /// Whether a target of the session does not work.
    public internal(set) var isUnhealthy = false
    /// Whether the session asks when its TTLs lead it to ask.
    var isAwaited = false
    /// Seconds until the player asks again.
    public internal(set) var ttl = 0
    /// Why the first is the first.
    public internal(set) var reason = Decision.Reason.noCDN
    /// Index of the policy: 0, or the rule's position and one.
    let policy: Int
    /// Sixteen bits for each: 0 is the origin, others are a CDN's index and one. An array would be allocated.
    private var packed: UInt64 = 0

    init(policy: Int) { self.policy = policy }

    /// By preference.
    public subscript(position: Int) -> Decision.Target {
        let number = Int(packed >> UInt64(16 * position) & 0xFFFF)
        return number == 0 ? .origin : .cdn(number - 1)
    }

    public func contains(_ target: Decision.Target) -> Bool {
        for position in 0..<count where self[position] == target { return true }
        return false
    }

    /// Does nothing with one that is there, or when there are enough.
    mutating func append(_ target: Decision.Target) {
        guard count < SteeringList.maximum, !contains(target) else { return }
        if case .cdn(let cdn) = target { packed |= UInt64(cdn + 1) << UInt64(16 * count) }
        count += 1
    }
}
