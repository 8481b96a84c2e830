import Testing

/// What the fuzzer found worth keeping (`scripts/fuzz pack`), and random steps, through the property of the fuzz target.
@Suite struct FuzzedHTTP2Tests {
    @Test func `whatever a fuzzed client of HTTP/2 does, its answers are sound and its connection ends`() throws {
        let property = try HTTP2Property()
        for input in try FuzzSeeds.read("http2") {
            if let fault = property.fault(input) { Issue.record("\(shown(input)): \(fault)") }
        }
    }

    @Test func `so do random ones`() throws {
        let property = try HTTP2Property()
        var random = SplitMix64(for: "steps of a client of HTTP/2")
        for round in 0..<300 {
            let input =
                [UInt8(truncatingIfNeeded: random.next()) | 1]
                + (0..<Int(random.next() % 80)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            if let fault = property.fault(input) { Issue.record("round \(round): \(shown(input)): \(fault)") }
        }
    }
}
