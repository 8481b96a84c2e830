import Testing

@testable import Edge

/// What the fuzzer found worth keeping (`scripts/fuzz pack`), and mutated heads, through the properties of the fuzz targets.
@Suite struct FuzzedRequestTests {
    @Test func `every fuzzed connection gets the same answers on both paths`() throws {
        var property = try PathProperty(answers: true)
        for stream in try FuzzSeeds.read("requests") {
            if let fault = property.fault(stream) { Issue.record("\(shown(stream)): \(fault)") }
        }
        #expect(property.plainRequests > 100, "only \(property.plainRequests) plain requests: the seeds try too little")
    }

    @Test func `llhttp reads every fuzzed head alike`() throws {
        for stream in try FuzzSeeds.read("requests") {
            if case .different(let fault) = LLHTTPProperty.verdict(stream) { Issue.record("\(fault)") }
        }
    }

    @Test func `connections of several mutated heads get the same answers on both paths`() throws {
        var property = try PathProperty(answers: true)
        var random = SplitMix64(for: "connections of mutated heads on both paths")
        for round in 0..<20_000 {
            let stream = Array(get("/a").utf8) + HeadMutator.next(&random) + HeadMutator.next(&random)
            if let fault = property.fault(stream) { Issue.record("round \(round): \(shown(stream)): \(fault)") }
        }
        #expect(property.plainRequests > 15_000)
    }
}
