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
        // By slot: the entries whose next occurrence may not come earlier.
        var released = [[Int]](repeating: [], count: length)
        if length > 0 { released[0] = weights.indices.filter { weights[$0] > 0 } }
        var ready = MinimumHeap()
        return (0..<length).map { slot in
            for entry in released[slot] {
                let deadline = ((served[entry] + 1) * length + weights[entry] - 1) / weights[entry]
                ready.insert(deadline * weights.count + entry)
            }
            // Of equal deadlines the first entry goes first. One is always ready: the windows of all leave no slot empty.
            let best = ready.removeFirst() % weights.count
            served[best] += 1
            if served[best] < weights[best] { released[max(slot + 1, served[best] * length / weights[best])].append(best) }
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

/// Numbers, the smallest first (a binary heap).
private struct MinimumHeap {
    private var numbers: [Int] = []

    mutating func insert(_ number: Int) {
        var position = numbers.count
        numbers.append(number)
        while position > 0, numbers[(position - 1) / 2] > number {
            numbers.swapAt(position, (position - 1) / 2)
            position = (position - 1) / 2
        }
    }

    /// The heap must not be empty.
    mutating func removeFirst() -> Int {
        numbers.swapAt(0, numbers.count - 1)
        let first = numbers.removeLast()
        var position = 0
        while 2 * position + 1 < numbers.count {
            var child = 2 * position + 1
            if child + 1 < numbers.count, numbers[child + 1] < numbers[child] { child += 1 }
            guard numbers[child] < numbers[position] else { break }
            numbers.swapAt(position, child)
            position = child
        }
        return first
    }
}
