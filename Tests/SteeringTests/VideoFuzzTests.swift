import Testing

@testable import Steering

/// Arbitrary bytes as `video` value and as path: nothing traps, and no answer leads outside the catalog.
@Suite struct VideoFuzzTests {
    /// 200,000 byte strings in four parts, so that several cores can share them.
    @Test(arguments: 1...4)
    func `no bytes trap, and whatever comes out is a safe Location of the catalog`(part: Int) throws {
        let check = try SafeLocation()
        var random = SplitMix64(for: "arbitrary bytes as video, part \(part)")
        var (values, paths) = (0, 0)
        for round in 0..<50_000 {
            let bytes = ByteSoup.next(&random)
            if let found = try? check.table.find(bytes) {
                values += 1
                for target in check.targets { expectSafe(found, target, check, "round \(round): \(bytes)") }
            }
            if let found = try? check.table.find(path: [UInt8(ascii: "/")] + bytes) {
                paths += 1
                for target in check.targets { expectSafe(found, target, check, "round \(round): /\(bytes)") }
            }
        }
        #expect(values > 4000, "too few values were videos: the test tries too little")
        #expect(paths > 1000, "too few paths were videos: the test tries too little")
    }

    @Test func `no bytes trap as a query, and what it finds lies within them`() {
        var random = SplitMix64(for: "arbitrary bytes as query")
        var found = 0
        for round in 0..<50_000 {
            let bytes = Array("avoid=video=".utf8) + ByteSoup.next(&random) + Array("&video=x".utf8)
            let range = random.number(0...12)..<bytes.count - random.number(0...8)
            guard let query = try? Query(bytes.span, range) else { continue }
            for value in [query.video, query.avoid].compactMap({ $0 }) {
                found += 1
                let isBounded = value.lowerBound >= range.lowerBound + 6 && value.upperBound <= range.upperBound
                if !isBounded || bytes[value].contains(UInt8(ascii: "&")) { Issue.record("round \(round): \(value) in \(bytes)") }
            }
        }
        #expect(found > 10_000)
    }

    @Test func `whatever the fuzzer kept leads nowhere else`() throws {
        let check = try SafeLocation()
        for bytes in try FuzzSeeds.read("videos") {
            if let fault = check.fault(bytes) { Issue.record("\(bytes): \(fault)") }
        }
    }

    private func expectSafe(_ found: FoundVideo, _ target: Decision.Target, _ check: SafeLocation, _ comment: @autoclosure () -> String) {
        let location = found.locationBytes(target)
        if let fault = check.fault(location, target) {
            Issue.record("\(fault): \(String(decoding: location, as: UTF8.self)) for \(comment())")
        }
    }
}
