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

    private func expectSafe(_ found: FoundVideo, _ target: Decision.Target, _ check: SafeLocation, _ comment: @autoclosure () -> String) {
        let location = found.locationBytes(target)
        if let fault = check.fault(location, target) {
            Issue.record("\(fault): \(String(decoding: location, as: UTF8.self)) for \(comment())")
        }
    }
}

/// What no `Location` may ever be, checked without any of the code under test.
struct SafeLocation {
    let table: RoutingTable
    let targets: [Decision.Target]
    private let prefixes: [[[UInt8]]]
    private let hosts: Set<[UInt8]>

    init() throws {
        let setup = Setup(
            domains: ["origin-cluster", "o.example:8080"], servers: ["s[1-3]", "live"],
            cdns: [
                .init(name: "a", url: "http://cdn.example.com"), .init(name: "b", url: "https://cdn.example.com/live"),
                .init(name: "c", url: "http://[::1]:81/x/y", enabled: false),
            ])
        table = try setup.table()
        let labels = ["s1", "s2", "s3", "live"]
        let origins = setup.domains.flatMap { domain in labels.map { "\($0).\(domain)" } }
        targets = [.origin] + setup.cdns.indices.map { .cdn($0) }
        prefixes = ([origins.map { "http://\($0)/" }] + setup.cdns.map { cdn in labels.map { "\(cdn.url)/\($0)/" } }).map {
            $0.map { Array($0.utf8) }
        }
        hosts = Set((origins + ["cdn.example.com", "[::1]:81"]).map { Array($0.utf8) })
    }

    /// What is wrong with a `Location` for `target`; nil when nothing is.
    func fault(_ location: [UInt8], _ target: Decision.Target) -> String? {
        let index = if case .cdn(let cdn) = target { cdn + 1 } else { 0 }
        guard location.allSatisfy({ $0 >= 0x21 && $0 <= 0x7E }) else { return "bytes outside 0x21…0x7E" }
        guard prefixes[index].contains(where: { location.starts(with: $0) }) else { return "no prefix of the catalog" }
        let parts = location.split(separator: UInt8(ascii: "/"), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, hosts.contains(Array(parts[2])) else { return "a host outside the catalog" }
        let path = parts[3].prefix { $0 != UInt8(ascii: "?") }
        let segments = decoded(path).split(omittingEmptySubsequences: false) { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
        return segments.contains { $0 == [0x2E] || $0 == [0x2E, 0x2E] } ? "a dot segment" : nil
    }

    private func decoded(_ path: ArraySlice<UInt8>) -> [UInt8] {
        guard path.contains(UInt8(ascii: "%")) else { return Array(path) }
        var out: [UInt8] = []
        var rest = path
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                out.append(value)
                rest = rest.dropFirst(2)
            } else {
                out.append(byte)
            }
        }
        return out
    }
}
