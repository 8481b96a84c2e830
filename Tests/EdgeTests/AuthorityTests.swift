import Testing

@testable import Edge

/// Beyond the vectors of the scanner: places inside a longer text, and a model of IPv6 addresses.
@Suite struct AuthorityTests {
    @Test func `only the given range is looked at`() {
        #expect(isValid("x@[::1]:80/y", 2..<10))
        #expect(isValid("a..b", 3..<4))
        #expect(!isValid("a.b", 1..<3))
        #expect(!isValid("h:80", 0..<0))
        #expect(!isValid("[::1]", 0..<4))
        #expect(!isValid("%41", 0..<2))
    }

    @Test(arguments: [
        ("h:80", true), ("h:", false), ("h", false), ("[::1]", false), ("[::1]:1", true), ("1", false), ("h1", false), (":1", true),
    ])
    func `a port is digits after the last colon`(text: String, hasPort: Bool) {
        let bytes = Array(text.utf8)
        let answer = Authority.hasPort(bytes.span, 0..<bytes.count)
        #expect(answer == hasPort)
    }

    @Test func `every port up to 65535 is one, with up to five digits`() {
        for port in [0, 1, 80, 9999, 10_000, 65_534, 65_535, 65_536, 70_000, 99_999, 100_000] {
            #expect(isValid("h:\(port)") == (port <= 65_535), "\(port)")
            #expect(isValid("[::]:\(port)") == (port <= 65_535), "\(port)")
        }
    }

    @Test func `names are what a plain model says, also where two dots stand across eight bytes`() {
        var random = SplitMix64(for: "names of hosts")
        let parts = [
            "a", "z", "0", "9", "-", ".", ".", "balancer", "example", "com", "A", "~", "%41", "%4", "/", ":", "\r", "`", "{", "@", "é",
        ]
        var (valid, doubled) = (0, 0)
        for _ in 0..<50_000 {
            let text = (0..<random.number(1...12)).map { _ in parts[random.number(0...(random.number(0...3) == 0 ? parts.count - 1 : 10))] }
                .joined()
            if text.contains(":") { continue }
            let expected = AuthorityTests.isName(text)
            valid += expected ? 1 : 0
            doubled += text.count >= 8 && text.contains("..") ? 1 : 0
            if isValid(text) != expected { Issue.record("\(text.debugDescription) is \(expected ? "a" : "no") name") }
        }
        #expect(valid > 3000 && doubled > 3000, "\(valid) names were valid, \(doubled) had two dots")
    }

    /// RFC 3986 §3.2.2 by splitting: labels of unreserved, sub-delims and escapes; the last may be empty.
    private static func isName(_ text: String) -> Bool {
        var labels = text.split(separator: ".", omittingEmptySubsequences: false)
        if labels.count > 1, labels.last == "" { labels.removeLast() }
        return labels.allSatisfy { $0.wholeMatch(of: /(?:[A-Za-z0-9\-_~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+/) != nil }
    }

    @Test func `IPv6 addresses are what a plain model says`() {
        var random = SplitMix64(for: "IPv6 literals")
        let parts = ["", "", "0", "1", "ff", "ABCD", "12345", "g", "1.2.3.4", "01.2.3.4", "1.2.3"]
        var valid = 0
        for _ in 0..<50_000 {
            let text = (0..<random.number(1...9)).map { _ in random.one(of: parts) }.joined(separator: ":")
            let expected = AuthorityTests.isIPv6(text)
            valid += expected ? 1 : 0
            if isValid("[\(text)]") != expected { Issue.record("[\(text)] is \(expected ? "an" : "no") address") }
        }
        #expect(valid > 300, "only \(valid) addresses were valid")
    }

    /// RFC 3986 §3.2.2 by splitting: at most one `::`, groups of 1 to 4 digits, an IPv4 address only at the end.
    private static func isIPv6(_ text: String) -> Bool {
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        guard halves.count <= 2 else { return false }
        var groups = 0
        for (half, part) in halves.enumerated() {
            if part.isEmpty {
                guard halves.count == 2 else { return false }
                continue
            }
            let pieces = part.split(separator: ":", omittingEmptySubsequences: false)
            for (index, piece) in pieces.enumerated() {
                if half == halves.count - 1, index == pieces.count - 1, piece.contains(".") {
                    guard isIPv4(piece) else { return false }
                    groups += 2
                } else {
                    guard (1...4).contains(piece.count), piece.allSatisfy(\.isHexDigit) else { return false }
                    groups += 1
                }
            }
        }
        return halves.count == 2 ? groups <= 7 : groups == 8
    }

    private static func isIPv4(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { part in Int(part).map { $0 <= 255 && String($0) == part } ?? false }
    }

    private func isValid(_ text: String, _ range: Range<Int>? = nil) -> Bool {
        let bytes = Array(text.utf8)
        return Authority.isValid(bytes.span, range ?? 0..<bytes.count)
    }
}
