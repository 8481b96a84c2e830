import Testing

@testable import Steering

/// Targets by the scheme of the request: a page by HTTPS refuses all others.
@Suite struct MixedContentTests {
    private static let both = #"{"name": "both", "url": "http://a.example/x", "httpsUrl": "https://b.example:8443/y"}"#
    private static let plain = #"{"name": "plain", "url": "http://plain.example"}"#
    private static let secure = #"{"name": "secure", "url": "https://secure.example"}"#

    private static func document(_ cdns: String..., origin: String = "", rules: String = "") throws -> Document {
        try Document(
            json: """
                {"version": 1, "origin": {"domains": ["o"], "servers": ["s1"]\(origin)}, "cdns": [\(cdns.joined(separator: ", "))],
                 "rules": [\(rules)]}
                """)
    }

    private static func table(_ cdns: String..., origin: String = "") throws -> RoutingTable {
        var list = cdns.joined(separator: ", ")
        list = list.isEmpty ? both : list
        return RoutingTable(try Catalog(try document(list, origin: origin)), revision: 1)
    }

    @Test func `a request by HTTPS is sent to the address by HTTPS, one by HTTP to the other`() throws {
        let table = try Self.table(Self.both, Self.plain, Self.secure)
        var found = try table.find("http://s1.o/a?b")
        #expect(
            [0, 1, 2].map { found.location(.cdn($0)) } == [
                "http://a.example/x/s1/a?b", "http://plain.example/s1/a?b", "https://secure.example/s1/a?b",
            ])
        found.video.isAskedByHTTPS = true
        #expect(
            [0, 1, 2].map { found.location(.cdn($0)) } == [
                "https://b.example:8443/y/s1/a?b", "http://plain.example/s1/a?b", "https://secure.example/s1/a?b",
            ])
        #expect(found.location(.origin) == "http://s1.o/a?b")
    }

    @Test(arguments: ["http://s1.o/a", "https://s1.o/a", "https://a.example/x/s1/a"])
    func `an origin that speaks both is reached by HTTPS for a request by HTTPS, whatever the video says`(url: String) throws {
        var found = try Self.table(origin: #", "keepScheme": true"#).find(url)
        found.video.isAskedByHTTPS = true
        #expect(found.location(.origin) == "https://s1.o/a")
    }

    @Test func `links of both addresses are mapped back to the origin`() throws {
        let table = try Self.table()
        for url in ["http://a.example/x/s1/a", "https://b.example:8443/y/s1/a"] {
            #expect(try table.find(url).location(.origin) == "http://s1.o/a")
        }
        #expect(throws: Refusal.unknownHost) { try table.find("https://b.example:8443/s1/a") }
    }

    @Test func `an address by HTTPS must be one, and means nothing beside a URL by HTTPS`() throws {
        func faults(_ cdn: String) throws -> [String] {
            let error = #expect(throws: CatalogFaults.self) { try Catalog(try Self.document(cdn)) }
            return try #require(error).faults.map { "\($0.pointer) \($0.message)" }
        }
        #expect(
            try faults(#"{"name": "a", "url": "http://a", "httpsUrl": "http://a"}"#) == [
                "/cdns/0/httpsUrl must be a URL such as \"https://cdn.example.com\" (https, host, optional port and path; no user, query or dot "
                    + "segment), is \"http://a\""
            ])
        #expect(
            try faults(#"{"name": "a", "url": "https://a", "httpsUrl": "https://b"}"#) == [
                "/cdns/0/httpsUrl has no meaning beside a url by https, which serves requests by HTTPS too; remove it"
            ])
    }

    @Test func `a catalog without the key is written without it, so that earlier versions can read it`() throws {
        let written = try Catalog(Self.document(Self.plain)).document
        guard case .array(let cdns)? = written["cdns"] else { return #expect(Bool(false), "no CDNs") }
        #expect(cdns.allSatisfy { $0["httpsUrl"] == nil })
    }

    @Test func `targets in use that pages by HTTPS refuse are named`() throws {
        func named(_ cdns: String..., origin: String = "", rules: String = "") throws -> [String] {
            try Catalog(Self.document(cdns.joined(separator: ", "), origin: origin, rules: rules)).targetsWithoutHTTPS
        }
        #expect(try named(Self.both, Self.plain, Self.secure) == ["plain", "origin"])
        #expect(try named(Self.both, Self.secure, origin: #", "keepScheme": true"#) == [])
        #expect(try named(Self.both, Self.secure, origin: #", "scheme": "https""#) == [])
        // An origin that gets nothing is no target; a rule may give it something.
        #expect(try named(Self.both, origin: #", "every": 0"#) == [])
        let toOrigin = #"{"name": "r", "when": {"paths": ["/x"]}, "every": 2}"#
        #expect(try named(Self.both, origin: #", "every": 0"#, rules: toOrigin) == ["origin"])
        // So may one give a CDN of weight 0 a weight; what is disabled stays so.
        let idle = #"{"name": "idle", "url": "http://idle", "weight": 0}"#
        let off = #"{"name": "off", "url": "http://off", "enabled": false}"#
        let toIdle = #"{"name": "r", "when": {"paths": ["/x"]}, "cdns": {"idle": 1, "off": 1}}"#
        #expect(try named(Self.both, idle, off, origin: #", "scheme": "https""#) == [])
        #expect(try named(Self.both, idle, off, origin: #", "scheme": "https""#, rules: toIdle) == ["idle"])
    }

    @Test func `the warning says what to do, and does not grow with the catalog`() throws {
        let one = try Catalog(Self.document(Self.plain, origin: #", "scheme": "https""#))
        #expect(
            one.mixedContentWarning
                == "pages by HTTPS refuse redirects to plain, which the catalog has by http alone: add httpsUrl to a CDN, "
                + "keepScheme to the origin, where they speak HTTPS")
        #expect(try Catalog(Self.document(Self.both, origin: #", "scheme": "https""#)).mixedContentWarning == nil)
        let many = (0..<500).map { #"{"name": "c\#($0)", "url": "http://c\#($0)"}"# }.joined(separator: ", ")
        let warning = try #require(Catalog(Self.document(many, Self.both)).mixedContentWarning)
        #expect(warning.contains("c7, and 493 more") && warning.utf8.count < 300)
    }

    @Test func `regression: a catalog that has nothing by HTTPS is not warned of pages by HTTPS`() throws {
        #expect(try Catalog(Self.document(Self.plain)).mixedContentWarning == nil)
        let document = try Self.document(Self.plain)
        let secure = try Document(json: #"{"enabled": true, "publicUrl": "https://play.example"}"#)
        #expect(try Catalog(document.setting("/steering", secure)).mixedContentWarning != nil)
        let rule = try Document(json: #"[{"name": "r", "steering": {"enabled": true, "publicUrl": "https://play.example"}}]"#)
        #expect(try Catalog(document.setting("/rules", rule)).mixedContentWarning != nil)
        #expect(try Catalog(Self.document(Self.plain, origin: #", "keepScheme": true"#)).mixedContentWarning != nil)
    }

    @Test func `explain says which targets of the answer a page refuses, and only for a request by HTTPS`() throws {
        func steps(_ table: RoutingTable, isByHTTPS: Bool) -> [Explanation.Step] {
            table.explain("http://s1.o/a", avoiding: nil, isByHTTPS: isByHTTPS, at: 0, sequences: SequenceBook().set(for: table)).steps
                .filter { ["answer", "mixed"].contains($0.about) }
        }
        let table = try Self.table(Self.both, Self.plain)
        #expect(steps(table, isByHTTPS: false) == [.init(about: "answer", text: "301 http://a.example/x/s1/a")])
        #expect(
            steps(table, isByHTTPS: true) == [
                .init(about: "answer", text: "301 https://b.example:8443/y/s1/a"),
                .init(about: "mixed", text: "a page by HTTPS refuses plain, origin: the catalog has them by http alone"),
            ])
        let whole = try Self.table(Self.both, origin: #", "keepScheme": true"#)
        #expect(steps(whole, isByHTTPS: true).map(\.about) == ["answer"])
    }
}
