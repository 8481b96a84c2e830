import Testing

@testable import Edge

/// Heads that are nearly right: nothing traps, and pieces give the verdict of the whole.
@Suite struct HeadMutationTests {
    @Test func `mutated heads never trap, and pieces give the verdict of the whole`() {
        var random = SplitMix64(for: "mutated heads in pieces")
        var (accepted, refused, waiting) = (0, 0, 0)
        for round in 0..<50_000 {
            let bytes = HeadMutator.next(&random)
            let whole = Verdict(on: bytes)
            switch whole {
            case .accepts: accepted += 1
            case .refuses: refused += 1
            case .waits: waiting += 1
            }
            let cuts = (0..<random.number(1...3)).map { _ in random.number(0...bytes.count) }.sorted()
            if Verdict(on: bytes, cuts: cuts) != whole { Issue.record("round \(round), cut at \(cuts): \(shown(bytes))") }
            if round % 10 == 0, Verdict(on: bytes, cuts: 0..<bytes.count) != whole {
                Issue.record("round \(round), byte by byte: \(shown(bytes))")
            }
        }
        #expect(accepted > 5_000 && refused > 5_000 && waiting > 200, "\(accepted) accepted, \(refused) refused, \(waiting) waiting")
    }

    @Test func `arbitrary bytes never trap`() {
        var random = SplitMix64(for: "arbitrary bytes as heads")
        for round in 0..<5_000 {
            let bytes = (0..<random.number(0...80)).map { _ in random.byte() }
            let whole = Verdict(on: bytes)
            if Verdict(on: bytes, cuts: 0..<bytes.count) != whole { Issue.record("round \(round): \(shown(bytes))") }
        }
    }
}
