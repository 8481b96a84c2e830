import Testing

@testable import Steering

@Suite struct LocationTests {
    @Test(arguments: [
        ("http://s1.origin-cluster/video/1488/xcg2djHckad.m3u8", "/video/1488/xcg2djHckad.m3u8"),
        ("http://s1.origin-cluster", "/"),
        ("http://s1.origin-cluster?a", "/?a"),
        ("http://s1.origin-cluster/", "/"),
        ("http://s1.origin-cluster//", "//"),
        ("http://s1.origin-cluster/%e9%2f%", nil),
        ("http://s1.origin-cluster/%e9%2F?%41", "/%e9%2F?%41"),
        ("http://s1.origin-cluster/é/🎬?ü", "/%C3%A9/%F0%9F%8E%AC?%C3%BC"),
        ("http://s1.origin-cluster/a\"<>[]^`{|}", "/a%22%3C%3E[]^%60%7B|%7D"),
        ("http://s1.origin-cluster/~!$&'()*+,;=:@-._", "/~!$&'()*+,;=:@-._"),
    ])
    func `path and query go to origin and CDN as they came`(url: String, tail: String?) throws {
        let table = try Example.table()
        guard let tail else {
            #expect(throws: Refusal.invalidEscape) { try table.find(url) }
            return
        }
        #expect(try table.find(url).location(.origin) == "http://s1.origin-cluster" + tail)
        #expect(try table.find(url).location(.cdn(0)) == "http://cdn.example.com/s1" + tail)
    }

    @Test func `scheme, host and port are the catalog's, whatever the request wrote`() throws {
        let table = try Setup(
            domains: ["First", "Second:8080"], servers: ["S1"], scheme: "https",
            cdns: [.init(name: "a", url: "HTTP://CDN.example:81/Live/"), .init(name: "b", url: "https://[::1]")]
        ).table()
        for url in ["http://S1.SECOND:8080/A", "https://s1.Second:8080/A"] {
            let found = try table.find(url)
            #expect(found.location(.origin) == "https://s1.second:8080/A")
            #expect(found.location(.cdn(0)) == "http://cdn.example:81/Live/s1/A")
            #expect(found.location(.cdn(1)) == "https://[::1]/s1/A")
        }
        #expect(try table.find("http://S1.FIRST/A").location() == "https://s1.first/A")
    }

    @Test(
        arguments: [
            ("http://s1.second:8080/A", "http://s1.second:8080/A"), ("https://s1.second:8080/A", "https://s1.second:8080/A"),
            ("HTTPS://S1.FIRST:443/A", "https://s1.first/A"), ("http://s1.first:80/A", "http://s1.first/A"),
            ("https%3A%2F%2Fs1.first%2FA", "https://s1.first/A"), ("https://b/?video=http://s1.first/A", "http://s1.first/A"),
            ("http://b/?video=https://s1.first/A", "https://s1.first/A"), ("https://cdn.example/s1/A", "https://s1.first/A"),
            ("http://cdn.example/s1/A", "http://s1.first/A"),
        ], ["http", "https"])
    func `the origin is reached by the video's scheme where the catalog keeps it, else by the catalog's`(
        sample: (video: String, kept: String), scheme: String
    ) throws {
        let setup = Setup(domains: ["first", "second:8080"], scheme: scheme, cdns: [.init(name: "a", url: "http://cdn.example")])
        let keeping = RoutingTable(try Catalog(setup.document.setting("/origin/keepScheme", .bool(true))), revision: 1)
        let found = try keeping.find(sample.video)
        #expect(found.location(.origin) == sample.kept)
        #expect(found.location(.cdn(0)) == "http://cdn.example/s1/A")
        #expect(try keeping.find(path: "/s1/A").location(.origin) == "\(scheme)://s1.first/A")
        let rest = sample.kept.drop { $0 != ":" }
        #expect(try setup.table().find(sample.video).location(.origin) == scheme + rest)
    }

    @Test(arguments: [
        ("CMCD=bl%3D900", "/a?CMCD=bl%3D900"), ("x=1&CMCD=a&y", "/a?CMCD=a"), ("", "/a"), ("&&", "/a"), ("x=1", "/a"),
        ("_HLS_part=2&_HLS_msn=7", "/a?_HLS_part=2&_HLS_msn=7"), ("CMCD=1&CMCD=1&CMCD=2", "/a?CMCD=1&CMCD=1&CMCD=2"),
        ("CMCD", "/a?CMCD"), ("CMCD=", "/a?CMCD="), ("CMCD==&", "/a?CMCD=="), ("cmcd=1&CMC=1&CMCDx=1&xCMCD=1&%43MCD=1", "/a"),
        ("CMCD=\"<>\\`{}|^[]", "/a?CMCD=%22%3C%3E%5C%60%7B%7D|^[]"), ("CMCD=%zz%", "/a?CMCD=%zz%"), ("CMCD=%0d%0A%20", "/a?CMCD=%0d%0A%20"),
        ("CMCD=\r\nX: y#f", "/a?CMCD=%0D%0AX:%20y%23f"), ("CMCD=/../?é", "/a?CMCD=/../?%C3%A9"),
    ])
    func `listed parameters go on as they were sent, in their order, and no others`(query: String, tail: String) throws {
        let list = Document.array(["CMCD", "_HLS_msn", "_HLS_part"].map(Document.string))
        let table = RoutingTable(try Catalog(Setup().document.setting("/redirect/passParameters", list)), revision: 1)
        func location(_ video: String, _ target: Decision.Target) throws -> String {
            // Amid bytes that would be parameters too.
            let bytes = Array("CMCD=before&\(query)&CMCD=after".utf8)
            let found = try table.find(video)
            var out = Array("?".utf8)
            table.appendLocation(
                target, found.video, of: found.source.span, passing: HeadRange(12..<bytes.count - 11), of: bytes.span,
                for: Asker(client: .unknown, second: 0), to: &out)
            return String(decoding: out.dropFirst(), as: UTF8.self)
        }
        #expect(try location("http://s1.origin-cluster/a", .origin) == "http://s1.origin-cluster" + tail)
        #expect(try location("http://s1.origin-cluster/a", .cdn(0)) == "http://cdn.example.com/s1" + tail)
        let more = tail.dropFirst(3)
        let added = more.isEmpty ? "" : "&" + more
        #expect(try location("http%3A%2F%2Fs1.origin-cluster%2Fa%3Fb%26CMCD=1", .cdn(0)) == "http://cdn.example.com/s1/a?b&CMCD=1" + added)
        #expect(try location("http://s1.origin-cluster/a?", .cdn(0)) == "http://cdn.example.com/s1/a?" + added)
    }

    @Test func `the design's example is redirected to the letter`() throws {
        let table = try Setup(cdns: [.init(name: "cdn", url: "http://cdn-host")]).table()
        let found = try table.find(query: "video=http://s1.origin-cluster/video/1488/xcg2djHckad.m3u8")
        #expect(found.location(.origin) == "http://s1.origin-cluster/video/1488/xcg2djHckad.m3u8")
        #expect(found.location(.cdn(0)) == "http://cdn-host/s1/video/1488/xcg2djHckad.m3u8")
    }

    @Test func `a Location is appended to what is there`() throws {
        let table = try Example.table()
        let source = Array("http://s1.origin-cluster/a".utf8)
        var buffer: [UInt8] = []
        let video = try table.video(in: 0..<source.count, of: source.span, decodedInto: &buffer)
        var out = Array("Location: ".utf8)
        table.appendLocation(
            .cdn(0), video, of: source.span, passing: .empty, of: source.span, for: Asker(client: .unknown, second: 0), to: &out)
        #expect(String(decoding: out, as: UTF8.self) == "Location: http://cdn.example.com/s1/a")
    }

    @Test func `no byte of a tail can write anything but printable ASCII`() throws {
        let table = try Example.table()
        let source = (UInt8.min...UInt8.max).map { $0 }
        let video = VideoReference(server: 0, domain: 0, tail: SourceRange(0..<256), isDecoded: false, form: .originURL)
        for target in [Decision.Target.origin, .cdn(0)] {
            let location = FoundVideo(table: table, video: video, source: source).locationBytes(target)
            #expect(location.allSatisfy { (0x21...0x7E).contains($0) })
        }
    }

    @Test func `each byte is written alike at every place of a long tail, or refused at every one`() throws {
        let table = try Example.table()
        let start = Array("http://s1.origin-cluster/".utf8)
        for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: "%") {
            // Too short to be judged eight at a time; and a dot alone would be a segment.
            let alone = try? table.find(start + [byte, UInt8(ascii: "b")]).locationBytes(.origin)
            let written = alone?.dropFirst(start.count).dropLast()
            for place in 0..<20 {
                let before = [UInt8](repeating: UInt8(ascii: "a"), count: place)
                let after = [UInt8](repeating: UInt8(ascii: "b"), count: 20 - place)
                let location = try? table.find(start + before + [byte] + after).locationBytes(.origin)
                #expect(location == written.map { start + before + $0 + after }, "byte \(byte) at \(place)")
            }
        }
    }
}
