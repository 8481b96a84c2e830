import Testing

@testable import Steering

/// What is said when more than one thing is wrong, or the catalog as a whole.
@Suite struct CatalogFaultsTests {
    @Test func `many faults are reported in one throw`() {
        let json = """
            {"version": 0, "rules": {},
             "origin": {"domains": ["a b", "ok", 5], "servers": [], "scheme": "gopher", "every": -1, "scope": 3, "x": 1},
             "cdns": [{"name": "", "url": "http://a", "weight": 5000}, 5, {"name": "b", "enabled": "no", "probe": {}}],
             "selection": {"strategy": "rotate", "every": 0}, "redirect": {"status": 200, "y": 1}}
            """
        #expect(
            (try? Document(json: json)).map(Catalog.faultPointers) == [
                "/cdns/0/name", "/cdns/0/weight", "/cdns/1", "/cdns/2/enabled", "/cdns/2/probe/path", "/cdns/2/url", "/origin/domains/0",
                "/origin/domains/2", "/origin/every", "/origin/scheme", "/origin/scope", "/origin/servers", "/origin/x", "/redirect/status",
                "/redirect/y", "/rules", "/selection/every", "/version",
            ])
    }

    @Test(arguments: ["null", "true", "1", "\"x\"", "[]"])
    func `a document that is no object says so first`(json: String) throws {
        let error = try #require(throws: CatalogFaults.self) { try Catalog(json: json) }
        #expect(error.faults.first?.pointer == "")
    }

    @Test func `a newer version is refused with a sentence`() throws {
        let document = try Example.document().setting("/version", .integer(2))
        let error = try #require(throws: CatalogFaults.self) { try Catalog(document) }
        #expect(error.faults.map(\.pointer) == ["/version"])
        #expect(error.description == "/version: is 2, but this program knows catalogs up to version 1: upgrade the program first")
    }

    @Test func `a second CDN of the same name is refused, letter case apart`() throws {
        let cdns = ["cdn-a", "b", "CDN-A"].map { Setup.CDN(name: $0, url: "http://\($0)") }
        #expect(Catalog.faultPointers(Setup(cdns: cdns).document) == ["/cdns/2/name"])
    }

    /// The names of entries with another fault count too; otherwise the second fault comes to light only after the first is mended.
    @Test(arguments: ["\"ftp://x\"", "null"])
    func `a second CDN of the same name is refused also when the first has a bad URL`(url: String) throws {
        let cdns = "[{\"name\": \"a\", \"url\": \(url)}, {\"name\": \"a\", \"url\": \"http://x\"}]"
        let document = try Example.document().setting("/cdns", Document(json: cdns))
        #expect(Catalog.faultPointers(document) == ["/cdns/0/url", "/cdns/1/name"])
    }

    @Test func `two CDNs may share a URL`() {
        let cdns = ["a", "b"].map { Setup.CDN(name: $0, url: "http://same.example") }
        #expect(Catalog.faultPointers(Setup(cdns: cdns).document) == [])
    }

    @Test(arguments: [
        [], [Setup.CDN(name: "a", url: "http://a", enabled: false)], [Setup.CDN(name: "a", url: "http://a", weight: 0)],
    ])
    func `a catalog that would refuse every request is refused`(cdns: [Setup.CDN]) {
        #expect(Catalog.faultPointers(Setup(every: 0, cdns: cdns).document) == ["/cdns"])
        #expect(Catalog.faultPointers(Setup(every: 1, cdns: cdns).document) == [])
    }

    @Test func `a key that stands twice is a fault`() {
        let document = Document.object([.init("version", .integer(1)), .init("version", .integer(1))])
        #expect(Catalog.faultPointers(document) == ["/cdns", "/origin", "/version"])
    }

    @Test(arguments: [("a/b", "/a~1b"), ("a~b", "/a~0b"), ("~1", "/~01"), ("", "/"), ("é\n", "/é\n"), ("/\u{301}", "/~1\u{301}")])
    func `a pointer escapes its keys as RFC 6901 says`(key: String, pointer: String) throws {
        guard case .object(let members) = try Example.document() else { return }
        let pointers = Catalog.faultPointers(.object(members + [.init(key, .null)]))
        #expect(pointers.map { Array($0.utf8) } == [Array(pointer.utf8)])
    }

    @Test func `a fault says what it found and what would be accepted`() throws {
        let document = try Example.document().setting("/cdns/0/weight", .integer(1001)).setting("/origin/scheme", .string("ftp"))
        let error = try #require(throws: CatalogFaults.self) { try Catalog(document) }
        #expect(
            error.description == """
                /origin/scheme: must be one of "http", "https", is "ftp"
                /cdns/0/weight: must be a whole number from 0 to 1000, is 1001
                """)
    }

    @Test func `a fault with the whole document is described as at its root`() {
        #expect(Fault("", "is bad").description == "/: is bad")
    }
}
