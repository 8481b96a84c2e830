import Testing

@testable import Edge

/// No byte at any place makes a second Location, one that is more than visible ASCII, a host outside the catalog, or a field of its own.
@Suite struct ResponderInjectionTests {
    private static let names: Set<String> = [
        "Date", "Cache-Control", "Access-Control-Allow-Origin", "Connection", "Location", "Content-Type", "Content-Length", "Retry-After",
        "Timing-Allow-Origin", "Access-Control-Expose-Headers",
    ]
    private static let bases = [
        "http://cdn.example.com/s1/", "http://cdn.example.com/s2/", "http://s1.origin-cluster/", "http://s2.origin-cluster/",
    ]

    @Test func `raw bytes inject nothing`() throws {
        try expectNothingInjected { [$0] }
    }

    @Test func `percent-encoded bytes inject nothing`() throws {
        try expectNothingInjected { Array((escaped($0)).utf8) }
        try expectNothingInjected { Array((escaped($0).lowercased()).utf8) }
    }

    @Test func `twice encoded bytes inject nothing`() throws {
        try expectNothingInjected { Array("%25\(escaped($0).dropFirst())".utf8) }
    }

    @Test func `line breaks around a field inject nothing`() throws {
        let breaks = [
            "\r\n", "%0d%0a", "%0D%0A", "%250d%250a", "%E5%98%8D%E5%98%8A", "\u{E5}\u{98}\u{8D}\u{E5}\u{98}\u{8A}", "\\r\\n",
            "%u000d%u000a", "%0d%0a%20", "%5cr%5cn",
        ]
        let redirects = try breaks.reduce(0) { count, text in
            try count + expectSafe(places([UInt8](latin1: text + "Location:http://evil.example/" + text + text + "x")), text)
        }
        #expect(redirects > 10, "only \(redirects) redirects: the test tries too little")
    }

    @Test func `bytes in a JSON body inject nothing`() throws {
        var asker = try Asker(Setup(every: 2))
        var redirects = 0
        for code in 0..<0x180 {
            let hex = String(code, radix: 16)
            let escape = "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            for url in [
                "http://s1.origin-cluster/a\(escape)b", "http://s1\(escape).origin-cluster/", "http://s1.origin-cluster/?\(escape)",
                "http%3A//s1.origin-cluster/%\(escape)",
            ] {
                let request = HeadVector.head("POST /origin HTTP/1.1", ["Host: b", "Content-Length: 1"]) + "{\"video\":\"\(url)\"}"
                redirects += try expectSafe(asker.ask([UInt8](latin1: request)), request)
            }
        }
        #expect(redirects > 500)
    }

    private func expectNothingInjected(_ encoded: (UInt8) -> [UInt8]) throws {
        var redirects = 0
        for byte in UInt8.min...UInt8.max { redirects += try expectSafe(places(encoded(byte)), "byte \(byte)") }
        #expect(redirects > 500, "only \(redirects) redirects: the test tries too little")
    }

    /// Request targets with `bytes` at each place of interest.
    private func places(_ bytes: [UInt8]) -> [[UInt8]] {
        [
            ("/?video=http://s1", ".origin-cluster/v"), ("/?video=http://", "s1.origin-cluster/v"),
            ("/?video=http://s1.origin-cluster", "/v"), ("/?video=http://s1.origin-cluster/v", "w"),
            ("/?video=http://s1.origin-cluster/v?a=", "b"), ("/?video=http%3A%2F%2Fs1", ".origin-cluster%2Fv"),
            ("/?video=http%3A%2F%2Fs1.origin-cluster%2Fv", "w"),
            ("/?video=http%3A%2F%2Fs1.origin-cluster%2Fv%3Fa=", "b"), ("/?video=http://s1.origin-cluster/v&avoid=", "b"), ("/s1/v", "w"),
            ("/s", "1/v"), ("/s1/v?a=", "b"),
            ("/?video=http://b/?video=http%3A%2F%2Fs1.origin-cluster%2F", "w"), ("/?video=http://cdn.example.com/s1/v", "w"),
            ("/?x=", "&video=http://s1.origin-cluster/v"),
        ].map { Array($0.0.utf8) + bytes + Array($0.1.utf8) }
    }

    /// - Returns: how many of the requests were redirected.
    private func expectSafe(_ targets: [[UInt8]], _ comment: String) throws -> Int {
        var asker = try Asker(Setup(every: 2))
        var redirects = 0
        for target in targets {
            let request = Array("GET ".utf8) + target + Array(" HTTP/1.1\r\nHost: b\r\nAccept: application/json\r\n\r\n".utf8)
            redirects += try expectSafe(asker.ask(request), "\(comment) in \(shown(target))")
        }
        return redirects
    }

    private func expectSafe(_ bytes: [UInt8], _ comment: String) throws -> Int {
        let answer: Answer
        do { answer = try Answer.only(in: bytes) } catch {
            Issue.record("\(comment): \(error)")
            return 0
        }
        let locations = answer[all: "Location"]
        let isRedirect = (300..<400).contains(answer.status)
        if locations.count != (isRedirect ? 1 : 0) { Issue.record("\(comment): \(locations.count) Locations with \(answer.status)") }
        for location in locations {
            if !location.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) { Issue.record("\(comment): \(location)") }
            if !Self.bases.contains(where: { location.hasPrefix($0) }) { Issue.record("\(comment): \(location) is outside the catalog") }
        }
        for (name, _) in answer.fields where !Self.names.contains(name) || answer[all: name].count > 1 {
            Issue.record("\(comment): field \(name)")
        }
        return isRedirect ? 1 : 0
    }

    private func escaped(_ byte: UInt8) -> String { "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) }
}
