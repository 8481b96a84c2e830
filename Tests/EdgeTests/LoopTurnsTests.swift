import Testing

@testable import Edge

@Suite struct LoopTurnsTests {
    @Test func `a turn is counted in the first bucket whose bound it does not exceed`() {
        var turns = LoopTurns()
        for nanoseconds in [0, 1, 16_000, 16_001, 32_000, 32_001, 262_144_000, 262_144_001, .max] as [UInt64] {
            var one = LoopTurns()
            one.count(nanoseconds)
            let bucket = LoopTurns.bounds.firstIndex { nanoseconds <= $0 } ?? LoopTurns.bounds.count
            #expect(one.buckets[bucket] == 1, "\(nanoseconds)")
            turns.add(one)
        }
        #expect(turns.buckets.reduce(0, +) == 9)
        #expect(turns.longest == .max)
    }
}
