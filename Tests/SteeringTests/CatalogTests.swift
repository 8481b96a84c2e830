import Testing

@testable import Steering

@Suite struct CatalogTests {
    @Test func `the design's example is read whole`() throws {
        let catalog = try Catalog(json: Example.json)
        #expect(catalog.origin.domains == ["origin-cluster"])
        #expect(catalog.origin.servers == ["s[1-99]"])
        #expect(catalog.origin.labels == (1...99).map { "s\($0)" })
        #expect(catalog.origin.scheme == .http)
        #expect(catalog.origin.every == 10)
        #expect(catalog.origin.scope == .all)
        let cdn = try #require(catalog.cdns.first)
        #expect(catalog.cdns.count == 1)
        #expect(cdn.name == "cdn-a")
        #expect(cdn.url.text == "http://cdn.example.com")
        #expect(cdn.weight == 100)
        #expect(cdn.enabled)
        #expect(catalog.selection == .weighted)
        #expect(catalog.redirect.status == 301)
    }

    @Test func `keys of a later version are refused, each with its pointer`() throws {
        var document = try Example.document()
        document = document.setting("/steering", .array([]))
        #expect(Catalog.faultPointers(document) == ["/steering"])
    }

    @Test func `absent keys take their defaults`() throws {
        let catalog = try Catalog(
            json: #"{"version": 1, "origin": {"domains": ["o"], "servers": ["s1"]}, "cdns": [{"name": "a", "url": "http://a"}]}"#)
        #expect(catalog.origin.scheme == .http)
        #expect(catalog.origin.every == 10)
        #expect(catalog.origin.scope == .all)
        #expect(catalog.cdns.map(\.weight) == [100])
        #expect(catalog.cdns.map(\.enabled) == [true])
        #expect(catalog.selection == .weighted)
        #expect(catalog.redirect.status == 301)
    }

    @Test func `the document of a catalog has its defaults resolved`() throws {
        let short = #"{"version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s[1-99]"]}, "#
        let catalog = try Catalog(json: short + #""cdns": [{"name": "cdn-a", "url": "HTTP://CDN.example.com/"}]}"#)
        #expect(catalog == (try Catalog(json: Example.json)))
        #expect(
            catalog.document.json == """
                {"version":1,"origin":{"domains":["origin-cluster"],"servers":["s[1-99]"],"scheme":"http","every":10,"scope":"all"},\
                "cdns":[{"name":"cdn-a","url":"http://cdn.example.com","weight":100,"enabled":true}],\
                "selection":{"strategy":"weighted"},"redirect":{"status":301,"links":false},\
                "failover":{"panicThreshold":0.5,"originLimit":null},"rules":[]}
                """)
    }

    private static func rule(hours: [Document.Member]) -> Document {
        .object([
            .init("name", .string("r")), .init("when", .object([.init("hours", .object(hours))])), .init("every", .integer(1)),
        ])
    }

    /// Keys that came later are written only where they are used: an earlier version goes on reading the catalog.
    @Test(arguments: [
        ("/origin/keepScheme", Document.bool(true), Document.bool(false)),
        ("/redirect/passParameters", .array([.string("CMCD"), .string("_HLS_msn")]), .array([])),
        (
            "/rules", .array([rule(hours: [.init("timeZone", .string("Europe/Berlin"))])]), .array([])
        ),
    ])
    func `what is new reads back, and is not written where it is not used`(pointer: String, used: Document, unused: Document) throws {
        let plain = try Catalog(Example.document())
        let catalog = try Catalog(Example.document().setting(pointer, used))
        #expect(catalog != plain)
        #expect(try Catalog(catalog.document) == catalog)
        #expect(try Catalog(Example.document().setting(pointer, unused)).document == plain.document)
    }

    @Test(arguments: [
        Setup(),
        Setup(domains: ["A.example:8080", "b"], servers: ["S1", "edge[01-12]-EU"], scheme: "https", every: 0, scope: "server"),
        Setup(cdns: [], rotate: 7),
        Setup(cdns: Setup.cdns(weights: [0, 1, 1000]), rotate: 1_000_000_000),
        Setup(cdns: [Setup.CDN(name: "A.b_c-9", url: "https://[2001:DB8::1]:8443/Live/%C3%A9//", enabled: false)]),
    ])
    func `a catalog's document reads back as the same catalog`(setup: Setup) throws {
        let catalog = try Catalog(setup.document)
        #expect(try Catalog(catalog.document) == catalog)
        #expect(try Catalog(json: catalog.document.json) == catalog)
        #expect(try Catalog(catalog.document).document.json == catalog.document.json)
    }

    @Test func `a CDN takes traffic when it is enabled and has a weight`() throws {
        let cdns = [
            Setup.CDN(name: "a", url: "http://a"), Setup.CDN(name: "b", url: "http://b", weight: 0),
            Setup.CDN(name: "c", url: "http://c", enabled: false), Setup.CDN(name: "d", url: "http://d", weight: 1),
        ]
        #expect(try Catalog(Setup(cdns: cdns).document).cdns.map(\.takesTraffic) == [true, false, false, true])
    }

    @Test func `host names and schemes are kept in lower case, names and paths as written`() throws {
        let cdn = Setup.CDN(name: "Cdn-A", url: "HTTPS://CDN.Example.COM:8443/Live/A/")
        let catalog = try Catalog(Setup(domains: ["Origin-Cluster:80"], servers: ["S[1-2]"], cdns: [cdn]).document)
        #expect(catalog.origin.domains == ["origin-cluster:80"])
        #expect(catalog.origin.labels == ["s1", "s2"])
        #expect(catalog.cdns.map(\.name) == ["Cdn-A"])
        #expect(catalog.cdns.map(\.url.text) == ["https://cdn.example.com:8443/Live/A"])
    }
}
