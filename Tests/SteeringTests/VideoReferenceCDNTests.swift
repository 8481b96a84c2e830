import Testing

@testable import Steering

/// URLs of the catalog's CDNs, which are mapped back to the origin's.
@Suite struct VideoReferenceCDNTests {
    private let table: RoutingTable

    init() throws {
        table = try Setup(
            domains: ["first", "second:81"],
            cdns: [
                .init(name: "plain", url: "http://cdn.example.com"),
                .init(name: "prefix", url: "https://cdn.example.com/live/Cam"),
                .init(name: "port", url: "http://[2001:db8::1]:8080/x"),
                .init(name: "drained", url: "http://drained.example", enabled: false),
                .init(name: "weightless", url: "http://none.example", weight: 0),
            ]
        ).table()
    }

    @Test(arguments: [
        ("http://cdn.example.com/s1/video/1.m3u8?a=b", "http://s1.first/video/1.m3u8?a=b"),
        ("https://CDN.Example.com/S1/Video", "http://s1.first/Video"),
        ("http://cdn.example.com/s1", "http://s1.first/"),
        ("http://cdn.example.com/s1/", "http://s1.first/"),
        ("http://cdn.example.com/s1?a", "http://s1.first/?a"),
        ("http://cdn.example.com/s1/s2/x", "http://s1.first/s2/x"),
        ("http://cdn.example.com/s1//x", "http://s1.first//x"),
        ("http://cdn.example.com/live/Cam/s2/x", "http://s2.first/x"),
        ("http://cdn.example.com/live/Cam/s2", "http://s2.first/"),
        ("http://[2001:DB8::1]:8080/x/s3/y", "http://s3.first/y"),
        ("http://drained.example/s4/x", "http://s4.first/x"),
        ("http://none.example/s5/x", "http://s5.first/x"),
    ])
    func `a CDN's URL is mapped back, raw or encoded, whether or not the CDN takes traffic`(url: String, location: String) throws {
        for found in [try table.find(url), try table.find(encoded(url))] {
            #expect(found.location() == location)
            #expect(found.video.form == .cdnURL)
            #expect(found.video.domain == 0)
        }
    }

    @Test(arguments: [
        "http://cdn.example.com", "http://cdn.example.com/", "http://cdn.example.com//s1/x", "http://cdn.example.com/s0/x",
        "http://cdn.example.com/s100/x", "http://cdn.example.com/%731/x", "http://cdn.example.com/s1%2Fx", "http://cdn.example.com/s1;a/x",
        "http://cdn.example.com?s1/x", "http://cdn.example.com:443/s1/x", "http://cdn.example.com../s1/x", "http://xcdn.example.com/s1/x",
        "http://cdn.example.comx/s1/x", "http://cdn.example.com/live", "http://cdn.example.com/live/Cam",
        "http://cdn.example.com/live/Cam/",
        "http://cdn.example.com/live/cam/s1/x", "http://cdn.example.com/live/Cams1/x", "http://cdn.example.com/live/s1/x",
        "http://cdn.example.com/live%2FCam/s1/x", "http://cdn.example.com//live/Cam/s1/x", "http://[2001:db8::1]/x/s3/y",
        "http://[2001:db8::1]:8080/s3/y", "http://cdn.example.com%2Fs1/x",
    ])
    func `a URL that no CDN would be sent is unknown`(url: String) {
        #expect(throws: Refusal.unknownHost) { try table.find(url) }
        #expect(throws: Refusal.unknownHost) { try table.find(encoded(url)) }
    }

    @Test(arguments: [["http://same.example", "http://same.example/b"], ["http://same.example/b", "http://same.example"]])
    func `several CDNs may share a host, whichever is written first`(urls: [String]) throws {
        let table = try Setup(cdns: urls.enumerated().map { .init(name: "c\($0.offset)", url: $0.element) }).table()
        #expect(try table.find("http://same.example/s1/x").location() == "http://s1.origin-cluster/x")
        #expect(try table.find("http://same.example/b/s2/x").location() == "http://s2.origin-cluster/x")
        #expect(throws: Refusal.unknownHost) { try table.find("http://same.example/c/s2/x") }
    }

    @Test func `each Location leads back to the video it was made for`() throws {
        let found = try table.find("http://s7.second:81/a/b.m3u8?c=d")
        #expect(try table.find(found.location()).location() == found.location())
        for cdn in table.catalog.cdns.indices {
            let back = try table.find(found.location(.cdn(cdn)))
            #expect(back.location() == "http://s7.first/a/b.m3u8?c=d")
            #expect(back.location(.cdn(cdn)) == found.location(.cdn(cdn)))
        }
    }
}
