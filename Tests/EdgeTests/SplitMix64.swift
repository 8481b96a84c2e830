import Foundation

/// A small generator whose runs can be repeated: the seed is printed, and `EDGE_SEED` sets it.
struct SplitMix64: RandomNumberGenerator {
    private static let seed = ProcessInfo.processInfo.environment["EDGE_SEED"].flatMap { UInt64($0) } ?? 1488

    private var state: UInt64

    /// A generator for one property, which is printed with the seed.
    init(for property: String) {
        print("seed \(SplitMix64.seed) for \"\(property)\"")
        state = SplitMix64.seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }

    /// A number from 0 up to and without `bound`.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// A number within `range`.
    mutating func number(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

    mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: next()) }

    mutating func one<Element>(of elements: [Element]) -> Element { elements[below(elements.count)] }

    /// True in `percent` of 100 cases.
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}
