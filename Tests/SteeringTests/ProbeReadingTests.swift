import Testing

@testable import Steering

@Suite struct ProbeReadingTests {
    private func faults(_ probe: String, at pointer: String = "/cdns/0/probe") throws -> [String] {
        Catalog.faultPointers(try Example.document().setting(pointer, Document(json: probe)))
    }

    @Test func `absent keys of a probe take their defaults, and the document has them resolved`() throws {
        let catalog = try Catalog(Example.document().setting("/cdns/0/probe", Document(json: #"{"path": "/healthz"}"#)))
        let probe = try #require(catalog.cdns[0].probe)
        #expect(probe.interval == 5 && probe.timeout == 2 && probe.rise == 2 && probe.fall == 3)
        guard case .http(let http) = probe.check else { throw CatalogFaults([]) }
        #expect(http.method == .get && http.path == "/healthz" && http.expect == [200] && http.host == nil && http.playlist == nil)
        #expect(probe.addresses == .any && catalog.origin.probe == nil)
        #expect(try Catalog(catalog.document) == catalog)
        #expect(catalog.document.json.contains(#""probe":{"type":"http","method":"GET","path":"/healthz","expect":[200],"interval":5"#))
    }

    @Test(arguments: [
        #"{"type": "tcp", "interval": 1, "timeout": 1, "rise": 64, "fall": 64}"#,
        #"{"path": "/", "method": "HEAD", "expect": [200, 204, 301], "host": "a.example:81", "headers": {"X-Key": "v w"}}"#,
        #"{"path": "/", "addresses": "ipv4"}"#, #"{"type": "tcp", "addresses": "ipv6"}"#,
        #"{"path": "/live/index.m3u8?x=1", "playlist": "live"}"#, #"{"path": "/v.m3u8", "playlist": "any", "headers": {}}"#,
    ]) func `a probe reads back from its document`(probe: String) throws {
        for pointer in ["/cdns/0/probe", "/origin/probe"] {
            let catalog = try Catalog(Example.document().setting(pointer, Document(json: probe)))
            #expect(try Catalog(catalog.document) == catalog)
        }
    }

    @Test(arguments: [
        ("{}", ["/path"]), ("5", [""]), (#"{"path": "healthz"}"#, ["/path"]), (#"{"path": "http://evil.example/"}"#, ["/path"]),
        (#"{"path": "//evil.example/"}"#, ["/path"]), (#"{"path": "/a b"}"#, ["/path"]), (#"{"path": "/a#b"}"#, ["/path"]),
        (#"{"path": "/\r\nX: y"}"#, ["/path"]), (#"{"path": "/", "url": "http://x/"}"#, ["/url"]),
        (#"{"path": "/", "interval": 0, "timeout": 61, "rise": 65, "fall": 0}"#, ["/fall", "/interval", "/rise", "/timeout"]),
        (#"{"path": "/", "expect": []}"#, ["/expect"]),
        (#"{"path": "/", "expect": [99, 200, 600, "x"]}"#, ["/expect/0", "/expect/2", "/expect/3"]),
        (#"{"path": "/", "method": "POST"}"#, ["/method"]), (#"{"path": "/", "method": "HEAD", "playlist": "any"}"#, ["/playlist"]),
        (#"{"path": "/", "addresses": "ipv5", "fall": 0}"#, ["/addresses", "/fall"]), (#"{"path": "/", "addresses": 4}"#, ["/addresses"]),
        (#"{"path": "/", "playlist": "vod"}"#, ["/playlist"]), (#"{"path": "/", "host": "a b"}"#, ["/host"]),
        (
            #"{"path": "/", "headers": {"Host": "x", "A:": "x", "B": "\r\n", "C": 1}}"#,
            ["/headers/A:", "/headers/B", "/headers/C", "/headers/Host"]
        ),
        (#"{"type": "tcp", "path": "/"}"#, ["/path"]), (#"{"type": "icmp", "path": "/"}"#, ["/type"]),
    ]) func `each fault of a probe has its pointer`(probe: String, pointers: [String]) throws {
        #expect(try faults(probe) == pointers.map { "/cdns/0/probe" + $0 })
        #expect(try faults(probe, at: "/origin/probe") == pointers.map { "/origin/probe" + $0 })
    }
}
