import Testing

@testable import Edge

/// Whatever the scanner accepts, NIO's parser accepts alike.
@Suite struct HeadDifferentialTests {
    @Test func `NIO reads every accepted vector alike`() {
        var compared = 0
        for vector in [HeadVector].all { compared += compare(vector.bytes) }
        #expect(compared > 100)
    }

    @Test func `NIO reads every accepted mutation alike`() {
        var random = SplitMix64(for: "mutated heads against NIO")
        var compared = 0
        for _ in 0..<50_000 { compared += compare(HeadMutator.next(&random)) }
        #expect(compared > 5_000, "only \(compared) heads were comparable")
    }

    @Test(arguments: ["Content-Length:\t5", "Content-Length: 5\t", "Transfer-Encoding:\tchunked", "Transfer-Encoding: chunked\t"])
    func `a tab beside a value that frames a message is refused, since parsers differ on it`(field: String) {
        let verdict = Verdict(on: Array(HeadVector.head(adding: field).utf8))
        if case .refuses = verdict { return }
        Issue.record("\(field): \(verdict)")
    }

    @Test func `a tab beside a Host is read alike`() {
        #expect(compare(Array(HeadVector.head(fields: ["Host:\tg\t"]).utf8)) == 1)
    }

    /// - Returns: 1 when the head was accepted and comparable.
    private func compare(_ bytes: [UInt8]) -> Int {
        let verdict = LLHTTPProperty.verdict(bytes)
        if case .different(let fault) = verdict { Issue.record("\(fault)") }
        return verdict == .notComparable ? 0 : 1
    }
}
