import Testing

@testable import Steering

@Suite struct RuleTests {
    private func table(_ rules: String, cdns: Int = 3, every: Int = 0) throws -> RoutingTable {
        let setup = Setup(every: every, cdns: Setup.cdns(weights: Array(repeating: 100, count: cdns)))
        return RoutingTable(try Catalog(setup.document.setting("/rules", try Document(json: rules))), revision: 1)
    }

    @Test func `the first rule that matches decides`() throws {
        let table = try table(
            """
            [{"name": "one", "when": {"paths": ["/live/"], "clients": ["10.0.0.0/8"]}, "cdns": {"cdn-2": 1}},
             {"name": "two", "when": {"paths": ["/live/"]}, "cdns": {"cdn-1": 1}},
             {"name": "three", "when": {"paths": ["*.mpd"]}, "every": 1},
             {"name": "four", "when": {"servers": ["s[3-4]"]}, "deny": true}]
            """)
        let sequences = SequenceBook().set(for: table)
        #expect(try table.ask("/live/a", from: "10.1.2.3", sequences: sequences).target == .cdn(2))
        #expect(try table.ask("/live/a", from: "11.1.2.3", sequences: sequences).target == .cdn(1))
        #expect(try table.ask("/vod/a.mpd", sequences: sequences).target == .origin)
        #expect(try table.ask("/vod/a.mpd?x=1", sequences: sequences).target == .origin)
        #expect(throws: Refusal.denied) { try table.ask("/vod/a", server: 2, sequences: sequences) }
        #expect(try table.ask("/vod/a", server: 4, sequences: sequences).policy == 0)
    }

    @Test func `a rule with shares of its own counts for itself`() throws {
        let table = try table(#"[{"name": "r", "when": {"paths": ["/r/"]}, "every": 3, "cdns": {"cdn-0": 2, "cdn-1": 1}}]"#, every: 5)
        let sequences = SequenceBook().set(for: table)
        let ruled = try (0..<9).map { _ in try table.ask("/r/x", sequences: sequences) }
        #expect(ruled.map(\.number) == Array(1...9))
        #expect(ruled.map { $0.target == .origin } == [false, false, true, false, false, true, false, false, true])
        #expect(ruled.count { $0.target == .cdn(0) } == 4 && ruled.count { $0.target == .cdn(1) } == 2)
        #expect(try table.ask("/x", sequences: sequences).number == 1)
    }

    @Test func `a status of a rule is the redirect's`() throws {
        let table = try table(#"[{"name": "r", "when": {"headers": {"User-Agent": "*roku*"}}, "status": 307}]"#)
        let sequences = SequenceBook().set(for: table)
        #expect(try table.ask("/x", fields: [("User-agent", "A Roku/9")], sequences: sequences).status == 307)
        #expect(try table.ask("/x", fields: [("User-Agent", "Chromium")], sequences: sequences).status == 301)
        #expect(try table.ask("/x", sequences: sequences).number == 3)
    }

    /// A rule of few parts, so that random requests meet it often.
    private func randomRule(_ index: Int, _ random: inout SplitMix64) -> Document {
        var when: [Document.Member] = []
        func some<Value>(_ values: [Value]) -> [Value] { values.filter { _ in Bool.random(using: &random) } }
        let servers = some(["s1", "s2", "s[3-4]"])
        let paths = some(["/", "/a", "/ab", "/ab/", "/a*c", "*.ts", "/b/*/c", "/ab/c"])
        let clients = some(["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "10.0.1.0/24", "10.0.1.7", "2001:db8::/32", "::/0"])
        if !servers.isEmpty, Bool.random(using: &random) { when.append(.init("servers", .array(servers.map(Document.string)))) }
        if !paths.isEmpty, Bool.random(using: &random) { when.append(.init("paths", .array(paths.map(Document.string)))) }
        if !clients.isEmpty, Bool.random(using: &random) { when.append(.init("clients", .array(clients.map(Document.string)))) }
        return .object([.init("name", .string("r\(index)")), .init("when", .object(when)), .init("every", .integer(index))])
    }

    /// What the documentation says a rule is, read off its words.
    private func plainly(_ rules: [Rule], _ label: String, _ path: String, _ client: ClientAddress) -> Int? {
        rules.firstIndex { rule in
            let servers = rule.when.servers.flatMap { ServerPattern.labels(of: $0) ?? [] }
            let isPath = rule.when.paths.contains { pattern in
                let stars = Array(pattern.contains("*") ? pattern : pattern + "*")
                return matches(Array(path)[...], stars[...])
            }
            return (servers.isEmpty || servers.contains(label)) && (rule.when.paths.isEmpty || isPath)
                && (rule.when.clients.isEmpty || rule.when.clients.contains { $0.contains(client) })
        }
    }

    private func matches(_ text: ArraySlice<Character>, _ pattern: ArraySlice<Character>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        if first == "*" { return (text.startIndex...text.endIndex).contains { matches(text[$0...], pattern.dropFirst()) } }
        return text.first == first && matches(text.dropFirst(), pattern.dropFirst())
    }

    @Test(arguments: [1, 2, 5, 64, 65, 200]) func `compiled rules match as rules read one by one`(count: Int) throws {
        var random = SplitMix64(for: "rules \(count)")
        let paths = ["/", "/a", "/ab", "/abc", "/ab/c", "/ab/c.ts", "/b/x/c", "/b//c", "/axc", "/z.ts", "/ac"]
        let clients = ["10.0.0.1", "10.0.1.7", "10.0.1.8", "10.200.0.1", "11.0.0.1", "255.255.255.255", "2001:db8::1", "::1", "0.0.0.0"]
        for _ in 0..<20 {
            let rules = (1...count).map { randomRule($0, &random) }
            let document = Setup().document.setting("/rules", .array(rules))
            let table = RoutingTable(try Catalog(document), revision: 1)
            let sequences = SequenceBook().set(for: table)
            for _ in 0..<100 {
                let server = Int.random(in: 0..<5, using: &random)
                let path = paths.randomElement(using: &random) ?? "/"
                let client = clients.randomElement(using: &random) ?? ""
                let wanted = plainly(table.catalog.rules, "s\(server + 1)", path, ClientAddress(client) ?? .unknown)
                let decision = try table.ask(path, server: server, from: client, sequences: sequences)
                #expect(decision.policy == wanted.map { $0 + 1 } ?? 0, "\(path) \(client) s\(server + 1)")
            }
        }
    }

    @Test func `every fault of a rule has its path`() throws {
        let rules = try Document(
            json: """
                [{"name": "a b", "when": {"clients": ["10.0.0.1/8"], "paths": ["live"], "servers": ["s100"]}, "cdns": {"cdn-x": 1}},
                 {"name": "b", "when": {"hours": {"days": ["sunday"], "from": "25:00", "utcOffset": "3"}}, "cdns": {"cdn-0": 0}},
                 {"name": "B", "deny": true, "every": 3},
                 {"name": "c", "when": {"headers": {"A b": "x"}}},
                 {"name": "d", "whom": 1, "status": 300, "selection": {"strategy": "hash", "viewer": "header:"}}]
                """)
        #expect(
            Catalog.faultPointers(Setup().document.setting("/rules", rules)) == [
                "/rules/0/cdns/cdn-x", "/rules/0/name", "/rules/0/when/clients/0", "/rules/0/when/paths/0", "/rules/0/when/servers/0",
                "/rules/1/cdns", "/rules/1/when/hours/days/0", "/rules/1/when/hours/from", "/rules/1/when/hours/utcOffset",
                "/rules/2/every", "/rules/2/name", "/rules/3", "/rules/3/when/headers/A b", "/rules/4/selection/viewer",
                "/rules/4/status", "/rules/4/whom",
            ])
    }

    @Test func `a catalog with all of it is read back equal`() throws {
        let setup = Setup(cdns: Setup.cdns(weights: [1, 2]))
        let document = setup.document
            .setting("/cdns/1/maxPerSecond", .integer(50))
            .setting("/failover", try Document(json: #"{"panicThreshold": 0.25, "originLimit": 7}"#))
            .setting("/redirect", try Document(json: #"{"status": 302, "links": true}"#))
            .setting("/selection", try Document(json: #"{"strategy": "hash", "on": "both", "viewer": "cookie:sid"}"#))
            .setting(
                "/rules",
                try Document(
                    json: """
                        [{"name": "x", "when": {"servers": ["s[1-3]"], "paths": ["/a*"], "clients": ["10.0.0.0/8", "2001:db8::/32"],
                          "headers": {"accept": "*"}, "hours": {"days": ["sat", "sun"], "from": "18:00", "to": "02:30", "utcOffset": "-03:30"}},
                          "cdns": {"cdn-1": 5}, "selection": {"strategy": "ordered"}, "every": 0, "status": 308},
                         {"name": "y", "when": {}, "deny": true}]
                        """))
        let catalog = try Catalog(document)
        #expect(try Catalog(catalog.document) == catalog)
        #expect(catalog.rules.count == 2)
    }
}
