import Testing

@testable import Probing

@Suite struct PlayerVerdictsTests {
    /// The windows, by number, in which the CDN went down or came back.
    private static func changes(_ windows: [(seen: Int, left: Int)]) -> [(Int, Bool)] {
        var verdicts = PlayerVerdicts()
        return windows.enumerated().flatMap { index, window in
            verdicts.judge(["c": window]).map { (index, $0.isUp) }
        }
    }

    @Test func `three windows in a row in which half of at least twenty networks leave take a CDN out`() {
        let bad = (seen: 40, left: 20)
        let changed = Self.changes([bad, bad, (40, 0), bad, bad, bad])
        #expect(changed.count == 1 && changed[0] == (5, false))
    }

    @Test func `few networks vote nobody out, nor many among far more`() {
        for window in [(seen: 19, left: 19), (seen: 1_000, left: 499), (seen: 0, left: 0)] {
            #expect(Self.changes(Array(repeating: window, count: 200)).isEmpty, "\(window)")
        }
    }

    @Test func `it comes back after a minute, and each time that it goes down again after twice as long`() {
        var verdicts = PlayerVerdicts()
        var downFor: [Int] = []
        for _ in 0..<6 {
            for _ in 0..<3 { _ = verdicts.judge(["c": (20, 20)]) }
            #expect(verdicts.down == ["c"])
            var windows = 0
            while verdicts.down == ["c"] {
                _ = verdicts.judge(["c": (0, 0)])
                windows += 1
            }
            downFor.append(windows)
        }
        #expect(downFor == [6, 12, 24, 48, 64, 64])
    }

    @Test func `what was is forgotten after sixty-four good windows, and with the CDN`() {
        for forget in [
            { (verdicts: inout PlayerVerdicts) in for _ in 0..<64 { _ = verdicts.judge(["c": (9, 0)]) } },
            { (verdicts: inout PlayerVerdicts) in _ = verdicts.judge([:]) },
        ] {
            var verdicts = PlayerVerdicts()
            for _ in 0..<3 { _ = verdicts.judge(["c": (20, 20)]) }
            for _ in 0..<6 { _ = verdicts.judge(["c": (0, 0)]) }
            forget(&verdicts)
            for _ in 0..<3 { _ = verdicts.judge(["c": (20, 20)]) }
            for _ in 0..<6 { _ = verdicts.judge(["c": (0, 0)]) }
            #expect(verdicts.down.isEmpty)
        }
    }

    @Test func `while it is down, those that still leave keep it down`() {
        var verdicts = PlayerVerdicts()
        for _ in 0..<3 { _ = verdicts.judge(["c": (20, 20)]) }
        for _ in 0..<100 {
            for _ in 0..<5 { _ = verdicts.judge(["c": (0, 0)]) }
            _ = verdicts.judge(["c": (30, 30)])
        }
        #expect(verdicts.down == ["c"])
    }
}
