import Synchronization

/// Bad tokens per client address: a bucket of 200 that refills at 20 a second. A guesser is slowed; a good token is never held up.
final class FailureLimit: Sendable {
    private struct Bucket {
        var tokens: Double
        var updated: Int64
    }

    private static let burst = 200.0
    private static let perSecond = 20.0
    /// Addresses remembered; when full, those that have refilled are forgotten, and then all.
    private static let capacity = 4096

    private let buckets = Mutex<[String: Bucket]>([:])

    /// Counts one bad token.
    ///
    /// - Parameter now: milliseconds.
    /// - Returns: false when the address has sent too many.
    func allowsFailure(from address: String, now: Int64) -> Bool {
        buckets.withLock { buckets in
            if buckets.count >= FailureLimit.capacity {
                buckets = buckets.filter { FailureLimit.level($0.value, now) < FailureLimit.burst }
                if buckets.count >= FailureLimit.capacity { buckets = [:] }
            }
            let level = buckets[address].map { FailureLimit.level($0, now) } ?? FailureLimit.burst
            buckets[address] = Bucket(tokens: max(0, level - 1), updated: now)
            return level >= 1
        }
    }

    /// How many addresses are remembered.
    var addresses: Int { buckets.withLock { $0.count } }

    private static func level(_ bucket: Bucket, _ now: Int64) -> Double {
        min(burst, bucket.tokens + Double(max(0, now - bucket.updated)) / 1000 * perSecond)
    }
}
