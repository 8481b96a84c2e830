/// Weights compiled into a sequence of slots, so that choosing a CDN is one index.
///
/// Over each whole ring every entry appears exactly in proportion to its weight. Inside it entries are spread evenly: after any
/// number of slots an entry is less than one slot away from its share, hence off by less than two in any window. That is
/// earliest-deadline-first over the windows of fair scheduling: occurrence k of an entry with share w/W may not come before
/// slot ⌊kW/w⌋ and must come before ⌈(k+1)W/w⌉, and serving the earliest deadline always meets them all (Baruah et al., 1996).
enum Ring {
    /// Longer rings are scaled down to this, each entry keeping at least one slot: 0.006 % steps of share.
    static let maximumLength = 16_384

    /// - Parameter weights: none negative; the sum may be zero.
    /// - Returns: positions in `weights`, one a slot; empty when every weight is zero.
    static func slots(weights: [Int]) -> [Int] {
        let weights = reduced(weights)
        let length = weights.reduce(0, +)
        var served = [Int](repeating: 0, count: weights.count)
        var release = weights.map { $0 == 0 ? Int.max : 0 }
        var deadline = weights.map { $0 == 0 ? Int.max : (length + $0 - 1) / $0 }
        return (0..<length).map { slot in
            var best = -1
            for entry in weights.indices where release[entry] <= slot && (best < 0 || deadline[entry] < deadline[best]) { best = entry }
            served[best] += 1
            release[best] = served[best] == weights[best] ? Int.max : served[best] * length / weights[best]
            deadline[best] = ((served[best] + 1) * length + weights[best] - 1) / weights[best]
            return best
        }
    }

    /// The smallest weights of the same proportions, at most `maximumLength` in sum.
    private static func reduced(_ weights: [Int]) -> [Int] {
        let divisor = max(1, weights.reduce(0, greatestCommonDivisor))
        let smallest = weights.map { $0 / divisor }
        let sum = smallest.reduce(0, +)
        guard sum > maximumLength else { return smallest }
        // One slot for each entry first, the rest in proportion, so that rounding up cannot exceed the length.
        let entries = smallest.count { $0 > 0 }
        return smallest.map { $0 == 0 ? 0 : 1 + $0 * (maximumLength - entries) / sum }
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }
}
