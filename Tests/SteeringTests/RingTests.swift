import Testing

@testable import Steering

@Suite struct RingTests {
    @Test(arguments: [
        ([], []), ([0], []), ([0, 0, 0], []), ([7], [0]), ([0, 5, 0], [1]), ([1, 1], [0, 1]), ([500, 500], [0, 1]),
        ([1, 1, 1], [0, 1, 2]),
    ])
    func `a small ring is as written`(weights: [Int], slots: [Int]) {
        #expect(Ring.slots(weights: weights) == slots)
    }

    @Test(arguments: [
        ([1, 1], 2), ([9, 1], 10), ([5, 3, 2], 10), ([900, 100], 10), ([1000, 999], 1999), ([0, 6, 4], 5), ([1, 1000], 1001),
    ])
    func `a ring is as long as the smallest weights in these proportions, and exact`(weights: [Int], length: Int) {
        let slots = Ring.slots(weights: weights)
        #expect(slots.count == length)
        let sum = weights.reduce(0, +)
        #expect(counts(slots, of: weights.count).map { $0 * sum } == weights.map { $0 * length })
    }

    @Test func `with 9 to 1 the rare entry never comes twice within nine slots`() throws {
        let slots = Ring.slots(weights: [9, 1])
        let places = (slots + slots).indices.filter { (slots + slots)[$0] == 1 }
        #expect(places.count == 2)
        #expect(places.last == places.first.map { $0 + 10 })
    }

    @Test func `random weights give rings that are exact as a whole and even inside`() {
        var random = SplitMix64(for: "rings")
        for round in 0..<120 {
            let weights = (0..<random.number(1...40)).map { _ in random.chance(15) ? 0 : random.number(0...(round % 2 == 0 ? 1000 : 40)) }
            let slots = Ring.slots(weights: weights)
            check(slots, counts: counts(slots, of: weights.count), "round \(round): \(weights)")
            let sum = weights.reduce(0, +)
            guard (1...Ring.maximumLength).contains(sum) else { continue }
            let exact = counts(slots, of: weights.count).map { $0 * sum } == weights.map { $0 * slots.count }
            #expect(exact, "round \(round): \(weights)")
        }
    }

    /// The same property as above, counted out in the plainest way.
    @Test(arguments: [[5, 3, 2], [9, 1], [1, 1, 1, 7], [13, 8, 5, 3, 2, 1], [4, 0, 9], [1, 29]])
    func `every window of a small ring, also across its end, is off by less than two`(weights: [Int]) {
        let slots = Ring.slots(weights: weights)
        for start in slots.indices {
            for length in 1...2 * slots.count {
                let window = (start..<start + length).map { slots[$0 % slots.count] }
                for entry in weights.indices {
                    let off = window.count { $0 == entry } * weights.reduce(0, +) - length * weights[entry]
                    #expect(abs(off) < 2 * weights.reduce(0, +), "entry \(entry), window \(start)+\(length)")
                }
            }
        }
    }

    @Test(arguments: [Array(repeating: 997, count: 20) + [1], (1...40).map { $0 * 24 + 7 }, [1000] + Array(repeating: 999, count: 30)])
    func `a longer ring is scaled down, and every entry keeps its share and a slot`(weights: [Int]) {
        let slots = Ring.slots(weights: weights)
        let counts = counts(slots, of: weights.count)
        #expect(slots.count <= Ring.maximumLength)
        #expect(slots.count > Ring.maximumLength - weights.count)
        #expect(counts.allSatisfy { $0 > 0 })
        for (count, weight) in zip(counts, weights) {
            let share = Double(weight) / Double(weights.reduce(0, +))
            #expect(abs(Double(count) / Double(slots.count) - share) <= 2 / Double(Ring.maximumLength))
        }
        check(slots, counts: counts, "\(weights)")
    }

    @Test func `a thousand CDNs give a ring of bounded length`() {
        var random = SplitMix64(for: "a thousand weights")
        let slots = Ring.slots(weights: (0..<1000).map { _ in random.number(1...1000) })
        #expect(slots.count <= Ring.maximumLength)
        #expect(Set(slots).count == 1000)
    }

    @Test func `a ring is never longer than its maximum, however many entries are kept at one slot`() {
        let weights = Array(repeating: 1000, count: 500) + Array(repeating: 1, count: 500)
        #expect(Ring.slots(weights: weights).count <= Ring.maximumLength)
    }

    private func counts(_ slots: [Int], of entries: Int) -> [Int] {
        slots.reduce(into: [Int](repeating: 0, count: entries)) { $0[$1] += 1 }
    }

    /// Checks |count − share| < 1 over every prefix, and < 2 over every window, also across the end.
    ///
    /// Over a window the lag is the difference of the lags at its ends, and a ring begins and ends with none: so the greatest
    /// difference of two prefixes' lags is that of the worst window. Lags are counted in slots times the ring's length.
    private func check(_ slots: [Int], counts: [Int], _ comment: Comment) {
        let length = slots.count
        var (lags, least, most) = (counts.map { _ in 0 }, counts.map { _ in 0 }, counts.map { _ in 0 })
        for slot in slots {
            for entry in counts.indices { lags[entry] -= counts[entry] }
            lags[slot] += length
            for entry in counts.indices {
                if lags[entry] < least[entry] { least[entry] = lags[entry] }
                if lags[entry] > most[entry] { most[entry] = lags[entry] }
            }
        }
        for entry in counts.indices where counts[entry] > 0 {
            #expect(lags[entry] == 0, comment)
            #expect(-length < least[entry] && most[entry] < length, comment)
            #expect(most[entry] - least[entry] < 2 * length, comment)
        }
    }

    /// The rule as it is written down, slot by slot over all entries.
    private func slotsByDefinition(_ weights: [Int]) -> [Int] {
        let length = weights.reduce(0, +)
        var served = [Int](repeating: 0, count: weights.count)
        return (0..<length).map { slot in
            func deadline(_ entry: Int) -> Int { ((served[entry] + 1) * length + weights[entry] - 1) / weights[entry] }
            let released = weights.indices.filter { served[$0] < weights[$0] && served[$0] * length / weights[$0] <= slot }
            // An entry is always released: they are served as often as their weights say, over all slots.
            let best = released.min { (deadline($0), $0) < (deadline($1), $1) } ?? -1
            served[best] += 1
            return best
        }
    }

    @Test func `a ring is what its definition says, entry by entry`() {
        var generator = SplitMix64(for: "rings by definition")
        for _ in 0..<200 {
            // The last weight keeps the greatest common divisor at 1.
            let weights = (0..<Int.random(in: 0...12, using: &generator)).map { _ in Int.random(in: 0...30, using: &generator) } + [1]
            #expect(Ring.slots(weights: weights) == slotsByDefinition(weights))
        }
    }
}
