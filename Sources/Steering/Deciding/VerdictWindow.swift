/// The last 64 verdicts on one target, and whether it counts as up: `fall` failures in a row take it down, `rise` successes bring it back.
/// In between it stays what it is, so that a target that flaps changes state no more often than its window allows.
public struct VerdictWindow: Sendable, Equatable {
    /// A bit a probe, the newest lowest; 1 is good.
    public private(set) var bits: UInt64 = 0
    /// Probes in the window, 0…64.
    public private(set) var count = 0
    /// A target is up until it has failed: a new one must not wait for its first probes.
    public private(set) var isUp: Bool

    /// - Parameter isUp: false for a target that is known to be down from elsewhere.
    public init(isUp: Bool = true) { self.isUp = isUp }

    /// Takes a verdict in.
    ///
    /// - Parameters:
    ///   - rise: 1…64.
    ///   - fall: 1…64.
    /// - Returns: whether the target has changed sides.
    public mutating func record(_ isGood: Bool, rise: Int, fall: Int) -> Bool {
        bits = bits << 1 | (isGood ? 1 : 0)
        count = min(64, count + 1)
        let was = isUp
        if isUp {
            isUp = !(count >= fall && bits.trailingZeroBitCount >= fall)
        } else {
            isUp = count >= rise && (~bits).trailingZeroBitCount >= rise
        }
        return isUp != was
    }

    /// The window's verdicts, the newest first.
    public var verdicts: [Bool] { (0..<count).map { bits >> UInt64($0) & 1 == 1 } }
}
