import Testing

@testable import Steering

/// The form `/{server}/path…`, in which the relative names of a playlist come back to the balancer.
@Suite struct VideoReferencePathTests {
    private let table: RoutingTable

    init() throws {
        table = try Setup(domains: ["first", "second"]).table()
    }

    @Test(arguments: [
        ("/s1/video/1.ts", "http://s1.first/video/1.ts"),
        ("/S99/Video", "http://s99.first/Video"),
        ("/s1", "http://s1.first/"),
        ("/s1/", "http://s1.first/"),
        ("/s1?a=b&c=d", "http://s1.first/?a=b&c=d"),
        ("/s1/a?video=http://s2.first/b", "http://s1.first/a?video=http://s2.first/b"),
        ("/s1//evil.example/x", "http://s1.first//evil.example/x"),
        ("/s1/%2F%3f%C3%a9", "http://s1.first/%2F%3f%C3%a9"),
        ("/s1/é", "http://s1.first/%C3%A9"),
    ])
    func `a path names server and film`(path: String, location: String) throws {
        let found = try table.find(path: path)
        #expect(found.location() == location)
        #expect(found.video.form == .path)
        #expect(found.video.domain == 0)
        #expect(found.video.isDecoded == false)
    }

    @Test(arguments: [
        "/", "//", "//s1/a", "/s0/a", "/s100/a", "/s01/a", "/s1x/a", "/xs1", "/s1.first/a", "/%731/a", "/s1%2Fa", "/s1;x/a", "/s1:80/a",
        "/.",
        "/../s1/a", "/ s1/a", "/s1 /a", "/s1#", "/s1\\a", "/?s1/a", "/origin", "/favicon.ico",
    ])
    func `a path that begins with no listed server is unknown`(path: String) {
        #expect(throws: Refusal.unknownServer) { try table.find(path: path) }
    }

    @Test(arguments: ["/s1/a b", "/s1/a#b", "/s1/a\\b", "/s1/a\u{0}", "/s1/a\r\nX: y", "/s1/a\u{7F}", "/s1?a b", "/s1?#"])
    func `a byte that no URL may have is refused`(path: String) {
        #expect(throws: Refusal.forbiddenCharacter) { try table.find(path: path) }
    }
}
