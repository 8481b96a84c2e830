import Testing

@testable import Edge

/// A verdict depends on the bytes alone, never on how they were cut.
@Suite struct HeadPiecesTests {
    /// Longer vectors are cut at random places: every place would take the square of their length.
    private static let short = 600

    @Test func `every vector gets the same verdict byte by byte`() {
        for vector in [HeadVector].all { expect(vector, cuts: Array(1..<max(1, vector.bytes.count))) }
    }

    @Test func `every short vector gets the same verdict cut in two anywhere`() {
        for vector in [HeadVector].all where vector.bytes.count < HeadPiecesTests.short {
            for cut in 0...vector.bytes.count { expect(vector, cuts: [cut]) }
        }
    }

    @Test func `every long vector gets the same verdict cut at its ends and at random`() {
        var random = SplitMix64(for: "long heads in pieces")
        let long = [HeadVector].all.filter { $0.bytes.count >= HeadPiecesTests.short }
        #expect(!long.isEmpty)
        for vector in long {
            let last = vector.bytes.count
            let places = [0, 1, last - 4, last - 3, last - 2, last - 1] + (0..<6).map { _ in random.number(0...last) }
            for cut in places { expect(vector, cuts: [cut]) }
        }
    }

    @Test func `what follows a verdict does not change it`() {
        for vector in [HeadVector].all where vector.verdict != .waits && vector.bytes.count < HeadPiecesTests.short {
            for tail in ["\r\n", "GET / HTTP/1.1\r\nHost: g\r\nHost: g\r\n\r\n", "\u{0}", " x"] {
                let verdict = Verdict(on: vector.bytes + Array(tail.utf8))
                if verdict != vector.verdict { Issue.record("\(shown(vector.bytes)) and \(shown(Array(tail.utf8))): \(verdict)") }
            }
        }
    }

    @Test func `no prefix of an accepted head is complete or refused`() {
        for vector in [HeadVector].all where vector.bytes.count < HeadPiecesTests.short {
            guard case .accepts = vector.verdict else { continue }
            for count in 0..<vector.bytes.count where Verdict(on: Array(vector.bytes[..<count])) != .waits {
                Issue.record("\(shown(Array(vector.bytes[..<count]))) is judged too early")
            }
        }
    }

    private func expect(_ vector: HeadVector, cuts: [Int]) {
        let verdict = Verdict(on: vector.bytes, cuts: cuts)
        if verdict != vector.verdict {
            Issue.record("\(shown(vector.bytes)) cut at \(cuts.prefix(3)): \(verdict) instead of \(vector.verdict)")
        }
    }
}
