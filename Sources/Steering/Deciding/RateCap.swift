import Synchronization

/// How many redirects went somewhere in the present second. Shared by all workers; one atomic word.
final class RateCap: Sendable {
    /// The second in the upper half, the count in the lower.
    private let word: Atomic<UInt64>

    init() { word = Atomic(0) }

    private init(word: UInt64) { self.word = Atomic(word) }

    func copy() -> RateCap { RateCap(word: word.load(ordering: .relaxed)) }

    /// Takes one of `limit` in this second, if any is left.
    func take(second: Int, limit: Int) -> Bool {
        var known = word.load(ordering: .relaxed)
        while true {
            let next = RateCap.next(known, second)
            if Int(next & 0xFFFF_FFFF) >= limit { return false }
            let (taken, now) = word.weakCompareExchange(expected: known, desired: next + 1, ordering: .relaxed)
            if taken { return true }
            known = now
        }
    }

    func hasRoom(second: Int, limit: Int) -> Bool {
        Int(RateCap.next(word.load(ordering: .relaxed), second) & 0xFFFF_FFFF) < limit
    }

    /// The word at the beginning of a second, or as it is. A worker whose clock is a moment behind counts in the newer second; a clock that
    /// was set back begins anew.
    private static func next(_ word: UInt64, _ second: Int) -> UInt64 {
        let now = UInt64(truncatingIfNeeded: second) & 0xFFFF_FFFF
        let known = word >> 32
        return known >= now && known - now < 2 ? word : now << 32
    }
}
