import Testing

@testable import Steering

/// Documents that are near a catalog, and documents that are not.
@Suite struct CatalogFuzzTests {
    @Test func `no random document traps, and each is a catalog that reads back or has a fault`() throws {
        var random = SplitMix64(for: "random documents")
        var catalogs = 0
        for round in 0..<10_000 {
            let document = random.chance(60) ? try nearCatalog(&random) : tree(&random, depth: 4)
            do throws(CatalogFaults) {
                let catalog = try Catalog(document)
                catalogs += 1
                let again = try Catalog(catalog.document)
                if again != catalog { Issue.record("round \(round): \(document.json) reads back as \(again.document.json)") }
                _ = RoutingTable(catalog, revision: round)
            } catch {
                let pointers = error.faults.map(\.pointer)
                if pointers.isEmpty || !pointers.allSatisfy({ $0.isEmpty || $0.hasPrefix("/") }) {
                    Issue.record("round \(round): \(document.json) has the faults \(error)")
                }
            }
        }
        #expect((1000...9000).contains(catalogs), "too few or too many documents were catalogs: the test tries too little")
    }

    private static let keys = [
        "version", "origin", "cdns", "selection", "redirect", "domains", "servers", "scheme", "keepScheme", "passParameters", "every",
        "scope", "name", "url", "weight",
        "enabled", "strategy", "status", "rules", "probe", "", "a/b", "é", "0",
    ]

    private static let strings = [
        "", "origin-cluster", "o:80", "O:080", "o:", ":", "[::1]", "[::1]:80", "[", "]", "s1", "s[1-9]", "s[09-12]", "s[1-20]-x", "s[",
        "s[]",
        "http", "https", "all", "server", "weighted", "rotate", "hash", "a", "A", "b", "origin", "http://a", "HTTP://a:1/x/", "http://a//",
        "http://[::1]/p", "http://a/%2e%2e", "http:// ", "é", "\u{212A}", "\u{0}", "\r\n", "a\u{301}", "//", ".", "..", "%", "🎬",
    ]

    private static let places = [
        "/version", "/origin", "/origin/domains", "/origin/domains/0", "/origin/domains/1", "/origin/servers", "/origin/servers/0",
        "/origin/servers/1", "/origin/scheme", "/origin/keepScheme", "/origin/every", "/origin/scope", "/cdns", "/cdns/0", "/cdns/1",
        "/cdns/0/name",
        "/cdns/0/url",
        "/cdns/0/weight", "/cdns/0/enabled", "/cdns/1/name", "/cdns/1/url", "/selection", "/selection/strategy", "/selection/every",
        "/redirect", "/redirect/status", "/redirect/passParameters", "/redirect/passParameters/0", "/rules",
    ]

    /// A valid catalog with up to three places changed, most of them to something of the right kind.
    private func nearCatalog(_ random: inout SplitMix64) throws -> Document {
        var setup = Setup()
        setup.every = random.number(0...3)
        setup.cdns = Setup.cdns(weights: (0..<random.below(4)).map { _ in random.below(1001) })
        setup.rotate = random.chance(30) ? random.number(1...9) : nil
        var document = setup.document
        for _ in 0..<random.below(4) {
            document = document.setting(random.one(of: CatalogFuzzTests.places), random.chance(10) ? nil : tree(&random, depth: 2))
        }
        return document
    }

    private func tree(_ random: inout SplitMix64, depth: Int) -> Document {
        switch random.below(depth > 0 ? 14 : 9) {
        case 0: .null
        case 1: .bool(random.chance(50))
        case 2: .number(random.one(of: [0, -0.0, 1, 1.5, -1e300, .infinity, .nan]))
        case 3, 4: .integer(random.one(of: [0, 1, 2, 10, 100, 301, 307, 1000, 1001, -1, Int.max, Int.min, random.below(2000)]))
        case 5...8: .string(random.one(of: CatalogFuzzTests.strings))
        case 9, 10: .array((0..<random.below(4)).map { _ in tree(&random, depth: depth - 1) })
        default: .object((0..<random.below(6)).map { _ in .init(random.one(of: CatalogFuzzTests.keys), tree(&random, depth: depth - 1)) })
        }
    }
}
