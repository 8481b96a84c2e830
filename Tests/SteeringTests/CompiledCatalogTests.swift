import Testing

@testable import Steering

@Suite struct CompiledCatalogTests {
    private func catalog() throws -> Catalog {
        try Catalog(
            Document(
                json: """
                    {"version": 1, "origin": {"domains": ["o"], "servers": ["s[1-3]"], "every": 10},
                     "cdns": [{"name": "a", "url": "http://a", "weight": 3, "maxPerSecond": 90}, {"name": "b", "url": "http://b", "weight": 1},
                              {"name": "c", "url": "http://c", "enabled": false}],
                     "rules": [{"name": "one", "when": {"servers": ["s1"]}, "cdns": {"a": 1}},
                               {"name": "two", "when": {"paths": ["/x/"]}, "cdns": {"b": 1, "a": 2}, "selection": {"strategy": "ordered"}},
                               {"name": "no", "when": {"countries": ["DE"]}, "deny": true},
                               {"name": "three", "when": {"clients": ["192.0.2.0/24"]}, "cdns": {"b": 1}}]}
                    """))
    }

    /// What a table's policies do.
    private func shown(_ table: RoutingTable) -> [String] {
        table.policies.map { policy in
            let chosen = (0..<20).map { policy.choice.first(from: $0) ?? -1 }
            return
                "\(policy.denies) \(policy.every) \(policy.sequence) \(policy.isPanicking) \(policy.excluded) \(policy.candidates) \(chosen)"
        }
    }

    @Test(arguments: [[], ["a"], ["b"], ["a", "b"], ["c"], ["unknown"]] as [Set<String>])
    func `a verdict's table is the one that would be compiled anew`(_ down: Set<String>) throws {
        let catalog = try catalog()
        let health = Health(downCDNs: down, downServers: ["s2"])
        let table = RoutingTable(catalog, revision: 7).with(health: health, nodes: 3)
        let anew = RoutingTable(catalog, revision: 7, health: health, nodes: 3)
        #expect(shown(table) == shown(anew))
        #expect(table.caps == anew.caps && table.caps[0] == 30)
        #expect(table.serverIsUp == [true, false, true] && table.revision == 7 && table.panics == anew.panics)
        // And back.
        #expect(shown(table.with(health: .allUp, nodes: 1)) == shown(RoutingTable(catalog, revision: 7)))
    }

    @Test func `a verdict compiles neither the rules nor a policy without the CDN`() throws {
        let table = RoutingTable(try catalog(), revision: 1)
        let after = table.with(health: Health(downCDNs: ["a"]), nodes: 1)
        #expect(after.rules === table.rules && after.compiled === table.compiled)
        // "no" and "three" do not know the CDN.
        #expect(after.policies[3] === table.policies[3] && after.policies[4] === table.policies[4])
        #expect(after.policies[1] !== table.policies[1] && after.policies[0] !== table.policies[0])
    }

    @Test func `caps of another fleet make no policy`() throws {
        let table = RoutingTable(try catalog(), revision: 1)
        let after = table.with(health: .allUp, nodes: 2)
        #expect(after.caps[0] == 45)
        #expect(zip(after.policies, table.policies).allSatisfy { $0 === $1 })
    }

    @Test func `rules that name the same servers in other ways find them all`() throws {
        let document = try catalog().document.replacing(
            "rules", with: Document(json: #"[{"name":"r","when":{"servers":["s[1-2]","s3","s[1-2]"]},"deny":true}]"#))
        #expect(try Catalog(document).rules[0].when.servers == ["s[1-2]", "s3", "s[1-2]"])
        let unknown = try document.replacing("rules", with: Document(json: #"[{"name":"r","when":{"servers":["s[1-4]"]},"deny":true}]"#))
        #expect(throws: CatalogFaults.self) { try Catalog(unknown) }
    }
}
