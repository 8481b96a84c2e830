import Testing

@testable import Steering

/// How a catalog says that manifests are served.
@Suite struct DeliveryTests {
    @Test func `delivery needs steering, in the catalog and in rules`() throws {
        let rules = try Document(json: "[{\"name\": \"r\", \"delivery\": \"links\"}, {\"name\": \"s\", \"delivery\": \"redirect\"}]")
        let document = try Example.document().setting("/delivery", .string("playlist")).setting("/rules", rules)
        #expect(Catalog.faultPointers(document) == ["/delivery", "/rules/0/delivery"])
        #expect(Catalog.faultPointers(document.setting("/steering", try Document(json: "{\"enabled\": true}"))) == [])
        #expect(Catalog.faultPointers(try Example.document().setting("/delivery", .string("push"))) == ["/delivery"])
    }

    @Test func `regression: a rule that steers its requests may deliver their manifests, and one that does not steer them may not`() throws
    {
        func rule(_ text: String) throws -> [String] {
            Catalog.faultPointers(try Example.document().setting("/rules", Document(json: "[{\"name\": \"r\", \(text)}]")))
        }
        #expect(try rule("\"steering\": {\"enabled\": true}, \"delivery\": \"playlist\"") == [])
        #expect(try rule("\"steering\": {\"ttl\": 60}, \"delivery\": \"playlist\"") == ["/rules/0/delivery"])
        let steered = try Example.document().setting("/steering", Document(json: "{\"enabled\": true}"))
        let against = try Document(json: "[{\"name\": \"r\", \"steering\": {\"enabled\": false}, \"delivery\": \"links\"}]")
        #expect(Catalog.faultPointers(steered.setting("/rules", against)) == ["/rules/0/delivery"])
        let ruled = try Document(json: "[{\"name\": \"r\", \"steering\": {\"enabled\": true}}]")
        #expect(Catalog.faultPointers(try Example.document().setting("/delivery", .string("playlist")).setting("/rules", ruled)) == [])
    }

    @Test func `a catalog without it is written without it`() throws {
        #expect(try Catalog(Example.document()).document["delivery"] == nil)
    }

    @Test func `sessions have scopes of their own, one where redirects have one`() throws {
        let document = try Example.document().setting("/steering", try Document(json: "{\"enabled\": true}"))
            .setting("/origin/servers", try Document(json: "[\"s[1-2]\"]")).setting("/origin/scope", .string("server"))
            .setting(
                "/rules",
                try Document(
                    json: """
                        [{"name": "a", "delivery": "links"}, {"name": "b", "delivery": "playlist", "every": 3},
                         {"name": "c", "deny": true}, {"name": "d", "status": 302}]
                        """))
        let plain = RoutingTable(try Catalog(document.setting("/rules", .array([]))), revision: 1)
        #expect(!plain.deliversManifests && plain.scopeNames == ["server/s1", "server/s2"])
        let table = RoutingTable(try Catalog(document), revision: 1)
        #expect(table.deliversManifests)
        #expect(table.scopeNames == ["server/s1", "server/s2", "rule/b", "sessions/server/s1", "sessions/server/s2", "sessions/rule/b"])
        #expect(table.compiled.sessionScopes == [nil, 3, 5, nil, nil])
    }

    @Test func `a session has the order of its steering answer over random catalogs and health, and every N-th is the origin's`() throws {
        var random = SplitMix64(for: "delivery")
        for _ in 0..<200 {
            let every = Int.random(in: 1...5, using: &random)
            let cdns = (0..<Int.random(in: 0...7, using: &random)).map {
                "{\"name\": \"c\($0)\", \"url\": \"http://c\($0)\", \"weight\": \(Int.random(in: 0...9, using: &random))}"
            }
            let document = try Document(
                json: """
                    {"version": 1, "origin": {"domains": ["o"], "servers": ["s1"], "every": \(every)}, "cdns": [\(cdns.joined(separator: ","))],
                     "steering": {"enabled": true}, "delivery": "playlist"}
                    """)
            let down = Set((0..<7).filter { _ in Bool.random(using: &random) }.map { "c\($0)" })
            let table = RoutingTable(try Catalog(document), revision: 1, health: Health(downCDNs: down))
            let sequences = SequenceBook().set(for: table)
            let path = Array("/s1/x.m3u8".utf8)
            let video = try table.video(atPath: 0..<path.count, of: path.span)
            let asker = Asker(client: .unknown, second: 1)
            var ranking: [Decision.Target] = []
            for expected in 1...10 as ClosedRange<UInt64> {
                let (number, list) = try table.beginSession(
                    video, of: path.span, asker, head: path.span, sequences: sequences, ranking: &ranking)
                let steered = try table.steer(
                    video, of: path.span, asker, head: path.span, session: number, sequences: sequences, ranking: &ranking)
                #expect(number == expected && list == steered)
                #expect((list[0] == .origin && list.reason == .everyNth) == (number % UInt64(every) == 0))
                let resumed = try table.resume(
                    number, video, of: path.span, asker, head: path.span, sequences: sequences, ranking: &ranking)
                #expect(resumed == list && table.decision(of: list, session: number).number == number)
            }
        }
    }
}
