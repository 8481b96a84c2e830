import Testing

@testable import Steering

@Suite struct VideoReferenceTests {
    private let table: RoutingTable

    init() throws {
        table = try Setup(domains: ["origin-cluster", "origin.example:8080"]).table()
    }

    @Test(arguments: [
        ("http://s1.origin-cluster/video/1488/xcg2djHckad.m3u8", "s1", "origin-cluster", "/video/1488/xcg2djHckad.m3u8"),
        ("https://s99.origin-cluster/a", "s99", "origin-cluster", "/a"),
        ("http://S7.Origin-CLUSTER/Path", "s7", "origin-cluster", "/Path"),
        ("http://s1.origin.example:8080/a", "s1", "origin.example:8080", "/a"),
        ("http://s1.origin-cluster", "s1", "origin-cluster", ""),
        ("http://s1.origin-cluster/", "s1", "origin-cluster", "/"),
        ("http://s1.origin-cluster?a=b", "s1", "origin-cluster", "?a=b"),
        ("http://s1.origin-cluster/a?b=c?d=/../", "s1", "origin-cluster", "/a?b=c?d=/../"),
        ("http://s1.origin-cluster//evil.example//x", "s1", "origin-cluster", "//evil.example//x"),
        ("http://s1.origin-cluster/a&b=c", "s1", "origin-cluster", "/a&b=c"),
        ("http://s1.origin-cluster/?video=http://s2.origin-cluster/b", "s1", "origin-cluster", "/?video=http://s2.origin-cluster/b"),
        ("http://s1.origin-cluster/@:8080", "s1", "origin-cluster", "/@:8080"),
    ])
    func `an origin URL is taken apart, raw or encoded`(url: String, server: String, domain: String, tail: String) throws {
        for found in [try table.find(url), try table.find(encoded(url)), try table.find("h%74tp" + url.dropFirst(4))] {
            #expect(found.server == server)
            #expect(found.domain == domain)
            #expect(found.tail == tail)
            #expect(found.video.form == .originURL)
        }
        #expect(try table.find(url).video.isDecoded == false)
        #expect(try table.find(encoded(url)).video.isDecoded)
    }

    @Test func `a raw value is never decoded, an encoded one exactly once`() throws {
        #expect(try table.find("http://s1.origin-cluster/a%2Fb%2520").tail == "/a%2Fb%2520")
        #expect(try table.find(encoded("http://s1.origin-cluster/a%2Fb%2520")).tail == "/a%2Fb%2520")
        #expect(try table.find("http%3A//s1.origin-cluster/a%2Fb%2520").tail == "/a/b%20")
        #expect(try table.find("http%3A//s1.origin-cluster/a+b%2B").tail == "/a+b+", "a plus is no space")
    }

    @Test func `an unencoded ampersand ends a raw value, an encoded one does not`() throws {
        let raw = "http://s1.origin-cluster/a?b=c&d=e"
        #expect(try table.find(query: "video=" + raw).location() == "http://s1.origin-cluster/a?b=c")
        #expect(try table.find(query: "video=" + encoded(raw)).location() == raw)
        #expect(try table.find(query: "video=http://s1.origin-cluster/a?b=c%26d=e").location() == "http://s1.origin-cluster/a?b=c%26d=e")
    }

    @Test(arguments: [
        "", "h", "http", "http:", "http:/", "http%3A/", "HTTPX://s1.origin-cluster/a", "Htt%3A//s1.origin-cluster/a", "HTTP:/s1",
        "ftp://s1.origin-cluster/a",
        "//s1.origin-cluster/a", "/s1/a", "s1.origin-cluster/a", "http:s1.origin-cluster/a", "http:/s1.origin-cluster/a",
        "httpss://s1.origin-cluster/a",
        " http://s1.origin-cluster/a", "%20http://s1.origin-cluster/a", "\thttp://s1.origin-cluster/a", "javascript:alert(1)", "data:,",
        "http%253A%252F%252Fs1.origin-cluster%252Fa", "%2568ttp://s1.origin-cluster/a", "%00http://s1.origin-cluster/a",
        "\u{FEFF}http://s1.origin-cluster/a",
    ])
    func `a value that does not begin with http or https, also once decoded, is refused`(value: String) {
        #expect(throws: Refusal.notHTTP) { try table.find(value) }
    }

    @Test(arguments: ["/%", "/%4", "/%zz", "/%4g", "/%%41", "/a?%", "/a?b=%1", "/%25%", "?%4"])
    func `a percent sign without two hexadecimal digits is refused`(tail: String) {
        let url = "http://s1.origin-cluster" + tail
        #expect(throws: Refusal.invalidEscape) { try table.find(url) }
        #expect(throws: Refusal.invalidEscape) { try table.find(encoded(url)) }
        #expect(throws: Refusal.invalidEscape) { try table.find("http%3A" + url.dropFirst(5)) }
        #expect(throws: Refusal.invalidEscape) { try table.find(path: "/s1" + tail) }
    }

    @Test(arguments: [
        "s1.other", "s1.origin-cluste", "s1.origin-clusterx", "s1.origin-cluster..", "s1.origin-cluster.:8080",
        "s1.origin-cluster.evil.example", "s1..origin-cluster",
        "s1.origin-cluster:080", "s1.origin-cluster::", "s1.origin-cluster:80:", "s1.origin-cluster:80.", "s1.origin-cluster:8080",
        "s1.origin.example", "s1.origin.example:80",
        "s1.origin.example:8080:8080", "s1.origin.example:08080", "s0.origin-cluster", "s100.origin-cluster", "s01.origin-cluster",
        "xs1.origin-cluster", "s1x.origin-cluster", "x.s1.origin-cluster", "s1.x.origin-cluster", "origin-cluster", ".origin-cluster",
        "s1.",
        "s1", "", ".", "s1%2Eorigin-cluster", "s1.origin-cluster%2F", "s1.origin-cluster%00", "s1.origin-cluster%3A80", "[::1]",
        "127.0.0.1",
        "s1.origin\u{2010}cluster", "ｓ1.origin-cluster", "s1。origin-cluster", "s1.origin-cluster;x", "s1,s2.origin-cluster",
        "localhost:8001",
    ])
    func `a host that is not exactly a listed server at a listed domain is unknown`(host: String) {
        for url in ["http://\(host)/video/a.m3u8", "https://\(host)", "http://\(host)?x=y"] {
            #expect(throws: Refusal.unknownHost) { try table.find(url) }
            #expect(throws: Refusal.unknownHost) { try table.find(encoded(url)) }
        }
    }

    /// They were 403, and an upper-case scheme 400.
    @Test(arguments: [
        "HTTP://s1.origin-cluster/a", "hTTpS://s1.origin-cluster/a", "http://s1.origin-cluster:80/a", "https://s1.origin-cluster:443/a",
        "http://s1.origin-cluster:/a", "http://s1.origin-cluster./a", "HTTPS://S1.ORIGIN-CLUSTER.:443/a",
        "http://CDN.example.com:80/s1/a", "HTTPS://cdn.example.com./s1/a", "HTTP://balancer/origin/?video=http://s1.origin-cluster/a",
    ])
    func `regression: an upper-case scheme, the scheme's own port and a dot behind the host mean nothing`(url: String) throws {
        for found in [try table.find(url), try table.find(encoded(url))] { #expect(found.location() == "http://s1.origin-cluster/a") }
    }

    @Test(arguments: ["http://s1.origin-cluster:443/a", "https://s1.origin-cluster:80/a", "http://cdn.example.com:443/s1/a"])
    func `the other scheme's port is another server`(url: String) {
        #expect(throws: Refusal.unknownHost) { try table.find(url) }
    }

    @Test(arguments: ["user@", "user:password@", "@", "s1.origin-cluster@", "evil.example:80@", "%40@"])
    func `a user name or password is refused`(userinfo: String) {
        let url = "http://\(userinfo)s1.origin-cluster/a"
        #expect(throws: Refusal.userinfo) { try table.find(url) }
        #expect(throws: Refusal.userinfo) { try table.find(encoded(url)) }
        #expect(throws: Refusal.userinfo) { try table.find("http://s1.origin-cluster@evil.example/a") }
    }

    @Test func `what an earlier request left in the buffer is dropped`() throws {
        var buffer: [UInt8] = []
        for url in ["http://s1.origin-cluster/a-long-path-to-a-film", "http://s2.origin-cluster/b"] {
            let value = Array(encoded(url).utf8)
            let video = try table.video(in: 0..<value.count, of: value.span, decodedInto: &buffer)
            #expect(String(decoding: buffer, as: UTF8.self) == url)
            #expect(video.tail.range.upperBound == url.utf8.count)
        }
    }
}
