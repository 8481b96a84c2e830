import Testing

@testable import Steering

/// Dot segments, in each spelling that some cache or client resolves, in each form of naming a video.
@Suite struct VideoReferenceDotTests {
    private let table: RoutingTable

    init() throws {
        table = try Setup().table()
    }

    /// One way of naming the video `s1` + tail.
    private enum Naming {
        case value(String)
        case path(String)

        static func all(_ tail: String) -> [Naming] {
            let urls = ["http://s1.origin-cluster" + tail, "http://cdn.example.com/s1" + tail]
            let links = urls.flatMap { ["http://balancer/?video=" + $0, "http://balancer/origin?video=" + encoded($0)] }
            return (urls + links).flatMap { [.value($0), .value(encoded($0))] } + [.path("/s1" + tail)]
        }

        func find(in table: RoutingTable) throws(Refusal) -> FoundVideo {
            switch self {
            case .value(let value): try table.find(value)
            case .path(let path): try table.find(path: path)
            }
        }
    }

    @Test(arguments: [
        "/.", "/..", "/./", "/../", "/../s2/x", "/a/..", "/a/.", "/a/../b", "/a/./b", "//..", "/..//", "/%2e", "/%2E", "/%2e%2e",
        "/%2E%2e/",
        "/.%2e", "/%2e.", "/a/%2E./b", "/a%2f..", "/a%2F../b", "/..%2fb", "/%2f..%2f", "/a%2f%2e%2e%2fb", "/a%5c..", "/..%5C",
        "/a%5c%2e%5cb",
        "/.?x", "/..?x=y", "/a/%2e%2e?x", "/%2e%2F?x",
    ])
    func `a dot segment is refused in every spelling`(tail: String) {
        for naming in Naming.all(tail) { #expect(throws: Refusal.dotSegment, "\(naming)") { try naming.find(in: table) } }
    }

    @Test(arguments: [
        "/...", "/..a", "/a..", "/.a", "/a.", "/a/...b", "/.%2e%2e", "/%2e%2e%2e", "/a%2e/b", "/a?../..", "/a?/../", "/?/../", "?/../",
        "/a?%2e%2e",
        "/.,", "/.%20.", "/%00..", "/..%00", "/.%3F", "/%3f..", "/%23..",
    ])
    func `dots that are no segment of their own are kept`(tail: String) throws {
        let expected = "http://s1.origin-cluster" + (tail.hasPrefix("/") ? tail : "/" + tail)
        for naming in Naming.all(tail) { #expect(try naming.find(in: table).location() == expected, "\(naming)") }
    }

    @Test(arguments: ["/%252e%252e/x", "/a%252f..%252fb"])
    func `doubly encoded dots are refused where they are decoded and kept where they are not`(tail: String) throws {
        let url = "http://s1.origin-cluster" + tail
        #expect(try table.find(url).location() == url)
        #expect(throws: Refusal.dotSegment) { try table.find("http%3A" + url.dropFirst(5)) }
    }

    @Test func `a CDN's prefix does not hide a dot segment before the server`() throws {
        let table = try Setup(cdns: [.init(name: "a", url: "http://cdn.example.com/live")]).table()
        for path in ["/live/../s1/x", "/../live/s1/x", "/live/./s1/x", "/live/%2e%2e/s1/x", "/live/s1/../s2/x", "/live/..", "/./"] {
            #expect(throws: Refusal.dotSegment) { try table.find("http://cdn.example.com" + path) }
        }
    }

    /// Long tails are looked at eight bytes at a time.
    @Test func `a fault is found at every place of a long tail`() throws {
        let faults: [(String, Refusal)] = [
            ("/..", .dotSegment), ("/../", .dotSegment), ("/./", .dotSegment), ("/%2e%2e/", .dotSegment), ("/a%5c..", .dotSegment),
            ("%", .invalidEscape), ("%4", .invalidEscape), ("\\", .forbiddenCharacter), ("\u{7F}", .forbiddenCharacter),
            (" ", .forbiddenCharacter), ("\u{0}", .forbiddenCharacter),
        ]
        for (text, fault) in faults {
            for before in 0...20 {
                for after in 0...20 where !text.hasSuffix("..") || after == 0 {
                    let tail = "/" + String(repeating: "a", count: before) + text + String(repeating: "g", count: after)
                    #expect(throws: fault, "\(tail)") { try table.find("http://s1.origin-cluster" + tail) }
                    #expect(throws: fault, "\(tail)") { try table.find(path: "/s1" + tail) }
                }
            }
        }
        for before in 0...20 {
            let tail = "/" + String(repeating: "a", count: before) + "/.b/..c/d./" + String(repeating: "g", count: 20 - before)
            #expect(try table.find("http://s1.origin-cluster" + tail).location() == "http://s1.origin-cluster" + tail)
        }
    }
}
