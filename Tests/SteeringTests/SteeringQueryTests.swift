import Testing

@testable import Steering

/// What a player says in the query of a steering request; it cannot mend it, so nothing but a second `avoid` is refused.
@Suite struct SteeringQueryTests {
    private struct Read: Equatable {
        var session: UInt64?
        var pathway: String?
        var ignored = 0
    }

    private static func read(_ text: String, _ format: SteeringFormat) throws -> Read {
        let bytes = Array(text.utf8)
        let query = try SteeringQuery(bytes.span, 0..<bytes.count, format)
        return Read(
            session: query.session, pathway: query.pathway.map { String(decoding: bytes[$0], as: UTF8.self) }, ignored: query.ignored)
    }

    @Test(arguments: [
        ("session=17", 17), ("session=0", 0), ("a=b&session=007", 7), ("session=18446744073709551615", .max),
        ("session=00000000000000000001", 1),
    ])
    func `a session is a decimal number of 20 digits at most`(text: String, session: UInt64) throws {
        #expect(try Self.read(text, .hls) == Read(session: session))
    }

    @Test(arguments: [
        "session=", "session=-1", "session=+1", "session=1a", "session=0x1", "session=18446744073709551616", "session=%31",
        "session=99999999999999999999", "session=000000000000000000001", "session= 1", "session=\u{0661}",
    ])
    func `any other session is none, and is counted`(text: String) throws {
        #expect(try Self.read(text, .dash) == Read(ignored: 1))
    }

    @Test func `of two sessions the first counts`() throws {
        #expect(try Self.read("session=1&session=2", .hls) == Read(session: 1, ignored: 1))
    }

    @Test(arguments: [
        ("_HLS_pathway=cdn-a", "cdn-a"), ("_HLS_pathway=\"cdn-a\"&_HLS_throughput=5140000", "cdn-a"),
        ("_HLS_pathway=%22cdn.a_b%22", "cdn.a_b"), ("_HLS_throughput=0&_HLS_pathway=.", "."),
    ])
    func `an HLS player names its pathway with quotes or without`(text: String, pathway: String) throws {
        #expect(try Self.read(text, .hls) == Read(pathway: pathway))
    }

    @Test(arguments: [
        ("_DASH_pathway=a&_DASH_throughput=1", "a"), ("_DASH_pathway=\"a,b\"&_DASH_throughput=5000000,", "b"),
        ("_DASH_throughput=,7&_DASH_pathway=a%2Cb", "b"), ("_DASH_pathway=%22a%2cb,c%22&_DASH_throughput=,,", "c"),
        ("_DASH_pathway=a,b", "b"),
    ])
    func `a DASH player lists its locations, and how fast each was`(text: String, pathway: String) throws {
        #expect(try Self.read(text, .dash) == Read(pathway: pathway))
    }

    @Test(arguments: [
        "_HLS_pathway=", "_HLS_pathway=\"", "_HLS_pathway=\"\"", "_HLS_pathway=\"a", "_HLS_pathway=a\"", "_HLS_pathway=a%22",
        "_HLS_pathway=a,b",
        "_HLS_pathway=a%zz", "_HLS_pathway=a%", "_HLS_pathway=a/b", "_HLS_throughput=", "_HLS_throughput=1.5", "_HLS_throughput=-1",
        "_HLS_throughput=1,2", "_HLS_throughput=1e6", "_HLS_throughput=999999999999999999999",
        "_HLS_pathway=\(String(repeating: "a", count: 65))",
    ])
    func `what an HLS player says and does not parse is passed over, and counted`(text: String) throws {
        #expect(try Self.read(text, .hls) == Read(ignored: 1))
    }

    @Test(arguments: [
        ("_DASH_pathway=a,", 1), ("_DASH_pathway=,", 1), ("_DASH_pathway=", 1), ("_DASH_throughput=1,x", 1), ("_DASH_throughput=1,2", 1),
        ("_DASH_pathway=a,b%2", 1), ("_DASH_pathway=a b&_DASH_throughput=x", 2),
    ])
    func `what a DASH player says and does not parse is passed over, and counted`(text: String, ignored: Int) throws {
        #expect(try Self.read(text, .dash) == Read(ignored: ignored))
    }

    @Test func `lists that do not align leave the locations, and are counted`() throws {
        #expect(try Self.read("_DASH_pathway=a,b&_DASH_throughput=1", .dash) == Read(pathway: "b", ignored: 1))
        #expect(try Self.read("_HLS_pathway=a&_HLS_pathway=b", .hls) == Read(pathway: "a", ignored: 1))
    }

    @Test func `what the other kind of player says, and what nobody says, is not read`() throws {
        #expect(try Self.read("_DASH_pathway=a&x&&=&session&_hls_pathway=a", .hls) == Read())
        #expect(try Self.read("_HLS_pathway=/&_HLS_throughput=x", .dash) == Read())
    }

    @Test func `a second avoid is refused, as of a redirect`() {
        #expect(throws: Refusal.repeatedAvoid) { try Self.read("avoid=a&avoid=b", .hls) }
    }

    @Test func `no query is read beyond its end, whatever its bytes`() throws {
        var random = SplitMix64(for: "steering query")
        let pieces = ["session=", "_HLS_pathway=", "_DASH_pathway=", "_DASH_throughput=", "\"", "%22", "%2C", "%", ",", "&", "1", "a", "="]
        for _ in 0..<20_000 {
            let text = (0..<random.below(12)).map { _ in random.one(of: pieces) }.joined()
            for format in SteeringFormat.allCases {
                let read = try Self.read(text, format)
                if let pathway = read.pathway { #expect(!pathway.isEmpty && pathway.utf8.allSatisfy(URLByte.isNameByte)) }
            }
        }
    }
}
