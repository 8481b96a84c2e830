import Testing

@testable import Steering

/// One change to the design's example, as JSON, and the faults it must bring.
struct FaultCase: CustomTestStringConvertible {
    let pointer: String
    let json: String?
    let faults: [String]

    init(_ pointer: String, _ json: String?, _ faults: [String]? = nil) {
        self.pointer = pointer
        self.json = json
        self.faults = faults ?? [pointer]
    }

    var testDescription: String { "\(pointer) = \(json.map { $0.count > 80 ? "…" : $0 } ?? "nothing")" }

    func document() throws -> Document { try Example.document().setting(pointer, json.map { try Document(json: $0) }) }

    static func each(_ pointer: String, _ values: [String?], _ faults: [String]? = nil) -> [FaultCase] {
        values.map { FaultCase(pointer, $0, faults) }
    }

    static func list(_ count: Int, _ element: (Int) -> String) -> String { "[" + (0..<count).map(element).joined(separator: ",") + "]" }
}

@Suite struct CatalogReadingTests {
    static let version = FaultCase.each("/version", [nil, "null", "0", "-1", "2", "1.5", "\"1\"", "true", "[]", "{}"])

    static let origin =
        FaultCase.each("/origin", [nil])
        + FaultCase.each("/origin/domains", [nil, "null", "\"a\"", "{}", "[]", FaultCase.list(65) { "\"d\($0)\"" }])
        + FaultCase.each(
            "/origin/domains/0",
            [
                "null", "5", "[]", #""""#, #"" ""#, #""a b""#, #""a/b""#, #""http://a""#, #""-a""#, #""a-""#, #""a_b""#, #"".a""#, #""a.""#,
                #""a..b""#, #""a:""#, #""a:0""#, #""a:65536""#, #""a:8080x""#, #""a:1:2""#, #"":80""#, #""[::1]""#, #""[::1]:80""#, #""é""#,
                #""user@a""#, #""a\u0000""#, #""a\r\nb""#, "\"\(String(repeating: "a", count: 64))\"",
                "\"\(String(repeating: "a.", count: 126))bc\"",
            ])
        + FaultCase.each("/origin/domains", [#"["a", "b", "A"]"#], ["/origin/domains/2"])
        + FaultCase.each("/origin/servers", [nil, "null", "\"s1\"", "{}", "[]", FaultCase.list(1001) { "\"x\($0)\"" }])
        + FaultCase.each(
            "/origin/servers/0",
            [
                "null", "1", #""""#, #""s 1""#, #""s.1""#, #""-s""#, #""s-""#, #""s_1""#, #""s[2-1]""#, #""s[1]""#, #""s[1-]""#,
                #""s[-1]""#,
                #""s[a-b]""#, #""s[1-2""#, #""s1-2]""#, #""s]1-2[""#, #""s[1-2][1-2]""#, #""s[1-2-3]""#, #""[1-2]-""#, #""s[0-10000]""#,
                #""s[1-9999999999]""#, "\"\(String(repeating: "s", count: 63))[1-2]\"",
            ])
        + FaultCase.each("/origin/servers", [#"["s1", "S1"]"#, #"["s[1-9]", "s9"]"#, #"["s9", "s[1-9]"]"#], ["/origin/servers/1"])
        + FaultCase.each("/origin/servers", [#"["a[1-5000]", "b[1-5000]", "c"]"#])
        + FaultCase.each("/origin/scheme", ["null", "1", #""ftp""#, #""HTTP""#, #""http://""#, "[]"])
        + FaultCase.each("/origin/keepScheme", ["null", "1", #""both""#, #"["http", "https"]"#])
        + FaultCase.each("/origin/every", ["null", "-1", "1000000001", "1.5", "\"10\"", "true", "[]", "1e30"])
        + FaultCase.each("/origin/scope", ["null", "true", #""each""#, #""All""#])

    static let cdns =
        FaultCase.each("/cdns", [nil, "null", "{}", "\"a\"", "1", FaultCase.list(1001) { #"{"name": "c\#($0)", "url": "http://c"}"# }])
        + FaultCase.each("/cdns/0", ["null", "[]", "\"http://a\"", "1"])
        + FaultCase.each(
            "/cdns/0/name",
            [nil, "null", "1", #""""#, #""a b""#, #""a/b""#, #""é""#, #""a\n""#, #""origin""#, "\"\(String(repeating: "a", count: 65))\""])
        + FaultCase.each(
            "/cdns/0/url",
            [
                nil, "null", "1", #""""#, #""a""#, #""cdn.example.com""#, #""//a""#, #""ftp://a""#, #""http:a""#, #""http://""#,
                #""http:///p""#,
                #""http://user@a""#, #""http://a:b@c""#, #""http://a?q""#, #""http://a/?q""#, #""http://a#f""#, #""http://a/b#f""#,
                #""http://a/../b""#, #""http://a/.""#, #""http://a/%2e%2E/""#, #""http://a/%5c..""#, #""http://a/b c""#, #""http://a/é""#,
                #""http://a/%""#, #""http://a/%zz""#, #""http://a\\b""#, #""http://a/b\\c""#, #""http://a b""#, #"" http://a""#,
                #""http://a ""#,
                #""http://a\r\nX: y""#, #""http://a/\u0001""#, #""http://a_b""#, #""http://a:0""#, #""http://a:99999""#, #""http://[::1""#,
                #""http://::1""#, #""http://[a]""#, "\"http://a/\(String(repeating: "a", count: 1024))\"",
            ])
        + FaultCase.each("/cdns/0/weight", ["null", "-1", "1001", "0.5", "\"1\"", "true"])
        + FaultCase.each("/cdns/0/enabled", ["null", "1", "0", "\"true\"", "[]"])

    static let others =
        FaultCase.each("/selection", ["null", "[]", "\"weighted\""])
        + FaultCase.each("/selection/strategy", ["null", "1", #""random""#, #""Weighted""#])
        + FaultCase.each("/selection/every", ["5"])
        + FaultCase.each("/selection", [#"{"strategy": "rotate"}"#], ["/selection/every"])
        + ["0", "-1", "1000000001", "1.5", "\"1\"", "null"].map {
            FaultCase("/selection", #"{"strategy": "rotate", "every": \#($0)}"#, ["/selection/every"])
        }
        + FaultCase.each("/redirect", ["null", "301", "[]"])
        + FaultCase.each("/redirect/status", ["null", "200", "300", "303", "304", "305", "306", "309", "301.5", "\"301\""])
        + FaultCase.each(
            "/redirect/passParameters", ["null", "\"CMCD\"", "{}", FaultCase.list(33) { "\"p\($0)\"" }])
        + [
            "null", "1", #""""#, #""a b""#, #""a=""#, #""a&b""#, #""a%20""#, #""é""#, #""a\r\nX""#, #""video""#, #""avoid""#,
            #""redirect""#,
            "\"\(String(repeating: "a", count: 65))\"",
        ].map { FaultCase("/redirect/passParameters", "[\($0)]", ["/redirect/passParameters/0"]) }
        + FaultCase.each("/redirect/passParameters", [#"["a", "b", "a"]"#], ["/redirect/passParameters/2"])
        + ["/surplus", "/origin/surplus", "/cdns/0/surplus", "/selection/surplus", "/redirect/surplus"].map { FaultCase($0, "null") }
        + [FaultCase("/Version", "1"), FaultCase("/origin/Every", "1"), FaultCase("/cdns/0/weigth", "1")]

    @Test(arguments: version + origin + cdns + others)
    func `one fault is reported at its place and nowhere else`(fault: FaultCase) throws {
        #expect(Catalog.faultPointers(try fault.document()) == fault.faults)
    }

    @Test(arguments: [
        ("/version", "1"), ("/origin/every", "0"), ("/origin/every", "1"), ("/origin/every", "1000000000"), ("/origin/scheme", #""https""#),
        ("/origin/scope", #""server""#), ("/origin/domains", FaultCase.list(64) { "\"d\($0)\"" }), ("/origin/domains/0", #""a:1""#),
        ("/origin/domains/0", #""a:65535""#), ("/origin/domains/0", #""127.0.0.1:8080""#),
        ("/origin/domains/0", "\"\(String(repeating: "a.", count: 126))b\""),
        ("/origin/domains/0", "\"\(String(repeating: "a", count: 63))\""),
        ("/origin/servers", FaultCase.list(1000) { "\"x\($0)\"" }), ("/origin/servers", #"["a[1-5000]", "b[1-5000]"]"#),
        ("/origin/servers/0", #""s[1-10000]""#), ("/origin/servers/0", #""s[5-5]""#), ("/cdns", "[]"), ("/cdns/0/weight", "0"),
        ("/cdns/0/weight", "1"), ("/cdns/0/weight", "1000"), ("/cdns/0/enabled", "false"), ("/cdns/0/name", #""Origin.example_-""#),
        ("/cdns/0/name", "\"\(String(repeating: "a", count: 64))\""), ("/cdns/0/url", #""http://[::1]:8080/a//b/""#),
        ("/cdns/0/url", "\"http://a/\(String(repeating: "a", count: 1015))\""), ("/selection", "{}"), ("/redirect", "{}"),
        ("/selection", #"{"strategy": "rotate", "every": 1}"#), ("/selection", #"{"strategy": "rotate", "every": 1000000000}"#),
        ("/redirect/status", "302"), ("/redirect/status", "307"), ("/redirect/status", "308"),
        ("/redirect/passParameters", "[]"), ("/redirect/passParameters", FaultCase.list(32) { "\"p\($0)\"" }),
        ("/redirect/passParameters", #"["CMCD", "cmcd", "_HLS_msn", "a.b-c", "Video", "\#(String(repeating: "a", count: 64))"]"#),
    ])
    func `a value at its border is accepted`(pointer: String, json: String) throws {
        let document = try Example.document().setting(pointer, Document(json: json))
        #expect(Catalog.faultPointers(document) == [])
    }
}
