import Testing

@testable import Steering

@Suite struct GeographyTests {
    /// 10.0.0.0/8 and 2001:db8::/32 are in DE, 11.0.0.0/8 in AT; 10.0.0.0/16 belongs to AS64496, the rest of 10.0.0.0/8 and IPv6 to the last.
    private static let geography: Geography = {
        var countries = AddressMap()
        for (start, country) in [(0x0A00_0000, "DE"), (0x0B00_0000, "AT"), (0x0C00_0000, "")] as [(UInt32, String)] {
            countries.begin(ipv4: start, CountryCode(country)?.number ?? 0)
        }
        countries.begin(ipv6: 0x2001_0db8 << 96, CountryCode("DE")?.number ?? 0)
        countries.begin(ipv6: 0x2001_0db9 << 96, 0)
        var asns = AddressMap()
        for (start, asn) in [(0x0A00_0000, 64496), (0x0A01_0000, .max), (0x0B00_0000, 0)] as [(UInt32, UInt32)] {
            asns.begin(ipv4: start, asn)
        }
        asns.begin(ipv6: 0x2001_0db8 << 96, .max)
        asns.begin(ipv6: 0x2001_0db9 << 96, 0)
        return Geography(countries: countries, asns: asns)
    }()

    private func table(_ rules: String, _ geography: Geography = geography) throws -> RoutingTable {
        let document = Setup(every: 0).document.setting("/rules", try Document(json: rules))
        return RoutingTable(try Catalog(document), revision: 1, geography: geography)
    }

    /// The index of the rule that decides for the client; nil for none.
    private func rule(_ table: RoutingTable, _ client: String, path: String = "/x") throws -> Int? {
        let policy = try table.ask(path, from: client, sequences: SequenceBook().set(for: table)).policy
        return policy == 0 ? nil : policy - 1
    }

    @Test func `a rule by country matches clients in one of its countries, over IPv4, mapped IPv4 and IPv6`() throws {
        let table = try table(
            """
            [{"name": "at", "when": {"countries": ["CH", "AT"]}, "every": 3},
             {"name": "de", "when": {"countries": ["DE"], "paths": ["/x"]}, "every": 2}]
            """)
        #expect(try rule(table, "11.255.255.255") == 0)
        #expect(try rule(table, "10.0.0.0") == 1)
        #expect(try rule(table, "::ffff:10.0.0.0") == 1)
        #expect(try rule(table, "2001:db8::1") == 1)
        #expect(try rule(table, "10.0.0.0", path: "/y") == nil)
        for nowhere in ["9.255.255.255", "12.0.0.0", "2001:db9::", "::", "::1", "::10.0.0.1", "255.255.255.255"] {
            #expect(try rule(table, nowhere) == nil, "\(nowhere)")
        }
    }

    @Test func `a rule by autonomous system matches its clients alone, up to the highest number`() throws {
        let table = try table(
            """
            [{"name": "both", "when": {"asns": [64496, 64497], "countries": ["DE"], "clients": ["10.0.0.0/24"]}, "every": 2},
             {"name": "one", "when": {"asns": [64496]}, "every": 3}, {"name": "last", "when": {"asns": [4294967295]}, "every": 4}]
            """)
        #expect(try rule(table, "10.0.0.255") == 0)
        #expect(try rule(table, "10.0.1.0") == 1)
        #expect(try rule(table, "10.1.0.0") == 2)
        #expect(try rule(table, "2001:db8::") == 2)
        #expect(try rule(table, "11.0.0.0") == nil)
    }

    @Test func `without a database its rules match nobody, and the table says so`() throws {
        let rules = """
            [{"name": "a", "when": {"paths": ["/a"]}, "every": 2}, {"name": "b", "when": {"countries": ["DE"]}, "every": 3},
             {"name": "c", "when": {"asns": [64496]}, "every": 4}, {"name": "d", "when": {"countries": ["AT"]}, "every": 5}]
            """
        let blind = try table(rules, Geography())
        #expect(try rule(blind, "10.0.0.0") == nil)
        #expect(
            blind.blindRules == [
                "rule \"b\" asks for the client's country, but no database of them is loaded: it matches nobody",
                "rule \"c\" asks for the client's autonomous system, but no database of them is loaded: it matches nobody",
            ])
        #expect(try table(rules, Geography(countries: GeographyTests.geography.countries)).blindRules.count == 1)
        #expect(try table(rules).blindRules == [])
        #expect(try table(#"[{"name": "a", "when": {"paths": ["/a"]}, "every": 2}]"#, Geography()).blindRules == [])
    }

    @Test func `many rules by place match as rules read one by one`() throws {
        var random = SplitMix64(for: "geography")
        let clients = ["10.0.0.1", "10.1.0.1", "11.0.0.1", "12.0.0.1", "2001:db8::1", "2001:db9::1"]
        for count in [1, 64, 65, 130] {
            let rules = (0..<count).map { index in
                func some(_ values: [Document]) -> Document { .array(values.shuffled(using: &random).prefix(1) + [values[0]]) }
                var when: [Document.Member] = []
                if Bool.random(using: &random) { when.append(.init("countries", some(["FR", "DE", "AT"].map(Document.string)))) }
                if Bool.random(using: &random) { when.append(.init("asns", some([1, 64496, Int(UInt32.max)].map(Document.integer)))) }
                return Document.object([.init("name", .string("r\(index)")), .init("when", .object(when)), .init("every", .integer(1))])
            }
            let catalog = try Catalog(Setup().document.setting("/rules", .array(rules)))
            let table = RoutingTable(catalog, revision: 1, geography: GeographyTests.geography)
            for client in clients {
                let address = try #require(ClientAddress(client))
                let (country, asn) = (table.geography.country(of: address), table.geography.asn(of: address))
                let wanted = catalog.rules.firstIndex { rule in
                    (rule.when.countries.isEmpty || country.map(rule.when.countries.contains) == true)
                        && (rule.when.asns.isEmpty || asn.map(rule.when.asns.contains) == true)
                }
                #expect(try rule(table, client) == wanted, "\(client), \(count) rules")
            }
        }
    }

    @Test func `explain tells where the client is`() throws {
        let rules = #"[{"name": "de", "when": {"countries": ["DE"]}, "every": 2}]"#
        func steps(_ table: RoutingTable, _ client: String) throws -> [String] {
            table.explain(
                "/s1/x", avoiding: nil, client: try #require(ClientAddress(client)), at: 0, sequences: SequenceBook().set(for: table)
            ).steps.filter { ["client", "blind", "rule"].contains($0.about) }.map { "\($0.about): \($0.text)" }
        }
        #expect(
            try steps(table(rules), "10.0.0.1") == [
                "client: 10.0.0.1: country DE, autonomous system 64496", "rule: \"de\" is the first that matches",
            ])
        #expect(
            try steps(table(rules), "12.0.0.1") == ["client: 12.0.0.1: country unknown, autonomous system unknown", "rule: none matches"])
        #expect(
            try steps(table(rules, Geography()), "10.0.0.1") == [
                "blind: rule \"de\" asks for the client's country, but no database of them is loaded: it matches nobody",
                "rule: none matches",
            ])
    }

    @Test func `simulate goes by the same places, and says what it could not know`() throws {
        let rules = try Document(json: #"[{"name": "de", "when": {"countries": ["DE"]}, "every": 1}]"#)
        let catalog = try Catalog(Setup(every: 0).document.setting("/rules", rules))
        let path = Array("/s1/x".utf8)
        func toOrigin(_ geography: Geography) throws -> (count: Int, warnings: Int) {
            var simulation = Simulation(catalog, health: .allUp, perSecond: 1000, start: 0, geography: geography)
            for client in ["10.0.0.1", "11.0.0.1", "10.2.0.1"] { simulation.play(path.span, of: try #require(ClientAddress(client))) }
            return (simulation.report.toOrigin, simulation.warnings.count)
        }
        #expect(try toOrigin(GeographyTests.geography) == (2, 0))
        #expect(try toOrigin(Geography()) == (0, 1))
    }

    @Test func `a country's code is two capital letters`() {
        for code in ["AA", "DE", "ZZ"] { #expect(CountryCode(code)?.description == code) }
        for other in ["", "D", "de", "DEU", "D1", "Ä", "@A", "A["] { #expect(CountryCode(other) == nil, "\(other)") }
        #expect(CountryCode("AA")?.number == 1 && CountryCode("ZZ")?.number == 676)
        #expect(CountryCode(number: 0) == nil && CountryCode(number: 677) == nil)
    }

    @Test func `faults of countries and systems have their path, and a good rule is read back equal`() throws {
        let bad = try Document(
            json: """
                [{"name": "a", "when": {"countries": ["de", "DE", 7], "asns": [0, 1, "AS1", 4294967296, -1]}, "every": 1},
                 {"name": "b", "when": {"countries": [], "asns": []}, "every": 1}]
                """)
        #expect(
            Catalog.faultPointers(Setup().document.setting("/rules", bad)) == [
                "/rules/0/when/asns/0", "/rules/0/when/asns/2", "/rules/0/when/asns/3", "/rules/0/when/asns/4",
                "/rules/0/when/countries/0", "/rules/0/when/countries/2", "/rules/1/when/asns", "/rules/1/when/countries",
            ])
        let good = try Document(json: #"[{"name": "a", "when": {"countries": ["DE", "AT"], "asns": [1, 4294967295]}, "every": 1}]"#)
        let catalog = try Catalog(Setup().document.setting("/rules", good))
        #expect(catalog.rules.first?.when.countries.map(\.description) == ["DE", "AT"] && catalog.rules.first?.when.asns == [1, .max])
        #expect(try Catalog(catalog.document) == catalog)
    }

    @Test func `a rule has at most 1000 systems, and all rules together 100,000`() throws {
        func pointers(_ rules: Int, _ each: Int) -> [String] {
            let rules = (0..<rules).map { rule in
                Document.object([
                    .init("name", .string("r\(rule)")), .init("every", .integer(1)),
                    .init("when", .object([.init("asns", .array((1...each).map { .integer(rule * 1000 + $0) }))])),
                ])
            }
            return Catalog.faultPointers(Setup().document.setting("/rules", .array(rules)))
        }
        #expect(pointers(100, 1000) == [])
        #expect(pointers(1, 1001) == ["/rules/0/when/asns"])
        #expect(pointers(101, 1000) == ["/rules"])
    }
}
