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
}
