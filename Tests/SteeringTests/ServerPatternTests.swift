import Testing

@testable import Steering

@Suite struct ServerPatternTests {
    @Test(arguments: [
        ("s1", ["s1"]),
        ("S1", ["s1"]),
        ("1", ["1"]),
        ("a-b", ["a-b"]),
        ("s[1-3]", ["s1", "s2", "s3"]),
        ("[1-2]", ["1", "2"]),
        ("[1-2]a", ["1a", "2a"]),
        ("s[7-7]", ["s7"]),
        ("s[0-2]", ["s0", "s1", "s2"]),
        ("Edge[08-11]-EU", ["edge08-eu", "edge09-eu", "edge10-eu", "edge11-eu"]),
        ("s[9-11]", ["s9", "s10", "s11"]),
        ("s[099-101]", ["s099", "s100", "s101"]),
        ("s[00-01]", ["s00", "s01"]),
        ("s[08-9]", ["s08", "s09"]),
        ("s[98-0100]", ["s98", "s99", "s100"]),
        ("s[999999998-999999999]", ["s999999998", "s999999999"]),
    ])
    func `a pattern stands for its labels in order`(pattern: String, labels: [String]) {
        #expect(ServerPattern.labels(of: pattern) == labels)
    }

    @Test(arguments: [
        "", "-a", "a-", "a.b", "a_b", "a b", "é", "s[", "s]", "s[]", "s[-]", "s[1]", "s[1-]", "s[-2]", "s[2-1]", "s[1-2-3]", "s[a-b]",
        "s[1-2",
        "s1-2]", "s[[1-2]]", "s[1-2][3-4]", "s[+1-2]", "s[ 1-2]", "s[1..2]", "s[١-٢]", "s[1-1000000000]", "-[1-2]", "[1-2]-", "s[0-10000]",
    ])
    func `a malformed pattern stands for nothing`(pattern: String) {
        #expect(ServerPattern.labels(of: pattern) == nil)
    }

    @Test func `a label of a range may not be longer than a DNS label`() {
        let prefix = String(repeating: "s", count: 62)
        #expect(ServerPattern.labels(of: "\(prefix)[1-9]")?.count == 9)
        #expect(ServerPattern.labels(of: "\(prefix)[1-10]") == nil)
    }

    @Test func `a range has at most as many labels as a catalog`() {
        #expect(ServerPattern.labels(of: "s[1-10000]")?.count == ServerPattern.maximumLabels)
        #expect(ServerPattern.labels(of: "s[1-10001]") == nil)
    }
}
