/// How long the turns of a loop took, from one wait for events to the next: while a turn lasts, no other client of the loop is answered.
public struct LoopTurns: Sendable, Equatable {
    /// Turns of at most 2^n × 16 µs that did not fit the bucket before; the last holds all longer ones.
    public private(set) var buckets = [UInt64](repeating: 0, count: 16)
    /// All turns together and the longest, in nanoseconds.
    public private(set) var total: UInt64 = 0
    public private(set) var longest: UInt64 = 0

    public init() {}

    /// The upper bounds of all buckets but the last, in nanoseconds.
    public static let bounds = (0..<15).map { UInt64(16_000) << UInt64($0) }

    mutating func count(_ nanoseconds: UInt64) {
        let sixteens = nanoseconds == 0 ? 0 : (nanoseconds - 1) / 16_000
        buckets[min(15, UInt64.bitWidth - sixteens.leadingZeroBitCount)] += 1
        total &+= nanoseconds
        longest = max(longest, nanoseconds)
    }

    mutating func add(_ other: LoopTurns) {
        for bucket in buckets.indices { buckets[bucket] += other.buckets[bucket] }
        total &+= other.total
        longest = max(longest, other.longest)
    }
}
