import Testing

@testable import Steering

/// Links to a balancer, which are unwrapped once.
@Suite struct VideoReferenceLinkTests {
    private let table: RoutingTable
    private let video = "http://s1.origin-cluster/video/1.m3u8?a=b"

    init() throws {
        table = try Setup().table()
    }

    private static let heads = ["http://balancer/?video=", "https://lb.example:8000/origin?video=", "http://[::1]:8000?video="]

    @Test(arguments: heads)
    func `a link is unwrapped, raw or encoded, whichever way it holds the video`(head: String) throws {
        let values = [
            "raw in raw": head + video, "encoded in raw": head + encoded(video), "raw in encoded": encoded(head + video),
            "encoded in encoded": encoded(head + encoded(video)),
        ]
        for (name, value) in values {
            let found = try table.find(value)
            #expect(found.location() == video, "\(name)")
            #expect(found.video.form == .originURL)
            #expect(try table.find(query: "video=" + value).location() == video, "\(name)")
        }
    }

    @Test(arguments: heads)
    func `a link in a link is refused`(head: String) {
        let once = [head + video, head + encoded(video)]
        for value in once.flatMap({ [head + $0, head + encoded($0), encoded(head + $0), encoded(head + encoded($0))] }) {
            #expect(throws: Refusal.unknownHost) { try table.find(value) }
        }
    }

    @Test func `a link may name a CDN's URL`() throws {
        let url = "http://cdn.example.com/s2/a.m3u8"
        for value in [url, encoded(url)].flatMap({ ["http://lb/?video=" + $0, encoded("http://lb/?video=" + $0)] }) {
            let found = try table.find(value)
            #expect(found.location() == "http://s2.origin-cluster/a.m3u8")
            #expect(found.video.form == .cdnURL)
        }
    }

    @Test func `a video in a link is decoded no more often than it was encoded`() throws {
        let odd = "http://s1.origin-cluster/%2541%20"
        for value in [odd, encoded(odd)].flatMap({ ["http://lb/?video=" + $0, encoded("http://lb/?video=" + $0)] }) {
            #expect(try table.find(value).location() == odd)
        }
        let twice = "http://lb/?video=" + encoded(encoded(video))
        #expect(throws: Refusal.notHTTP) { try table.find(twice) }
        #expect(throws: Refusal.notHTTP) { try table.find(encoded(twice)) }
        #expect(throws: Refusal.notHTTP) { try table.find(encoded(encoded("http://lb/?video=" + video))) }
    }

    @Test func `an ampersand ends the video in a link, an encoded one does not`() throws {
        let long = video + "&c=d"
        #expect(try table.find("http://lb/?x=1&video=" + long).location() == video)
        #expect(try table.find(encoded("http://lb/?x=1&video=" + long)).location() == video)
        #expect(try table.find("http://lb/?video=" + encoded(long) + "&avoid=cdn-0").location() == long)
        #expect(try table.find(encoded("http://lb/?avoid=cdn-0&video=" + encoded(long))).location() == long)
    }

    @Test func `a link with two videos is refused`() {
        let link = "http://lb/?video=\(video)&video=\(video)"
        #expect(throws: Refusal.repeatedVideo) { try table.find(link) }
        #expect(throws: Refusal.repeatedVideo) { try table.find(encoded(link)) }
    }

    @Test(arguments: [
        "http://lb/", "http://lb/?", "http://lb/?x=y", "http://lb/?Video=V", "http://lb/x?video=V", "http://lb/origin//?video=V",
        "http://lb//?video=V",
        "http://lb/Origin?video=V", "http://lb/originx?video=V", "http://lb/s1/a.m3u8", "http://lb/%6Frigin?video=V", "http://lb/video=V",
    ])
    func `other URLs on unknown hosts are no links`(link: String) {
        let link = link.replacing("V", with: video)
        #expect(throws: Refusal.unknownHost) { try table.find(link) }
        #expect(throws: Refusal.unknownHost) { try table.find(encoded(link)) }
    }

    @Test(arguments: [
        ("http://lb/?video=", Refusal.notHTTP), ("http://lb/?video=/s1/a", .notHTTP), ("http://lb/?video=%2Fs1", .notHTTP),
        ("http://lb/?video=http://s1.other/a", .unknownHost), ("http://lb/?video=http%3A//s1.other/a", .unknownHost),
        ("http://user@lb/?video=http://s1.origin-cluster/a", .userinfo), ("http://lb/?video=http://u@s1.origin-cluster/a", .userinfo),
        ("http://lb/?video=http%3A//u@s1.origin-cluster/a", .userinfo),
        ("http://lb\\/?video=http://s1.origin-cluster/a", .forbiddenCharacter),
        ("http://lb/?video=http%3A//s1.origin-cluster/a%20b", .forbiddenCharacter), ("http://lb/?video=%", .invalidEscape),
        ("http://lb/?video=http://s1.origin-cluster/a#b", .forbiddenCharacter),
        ("http://lb/#?video=http://s1.origin-cluster/a", .forbiddenCharacter),
        ("http://lb/?video=http%3A//s1.origin-cluster/%25", .invalidEscape),
        ("http://lb/../?video=http://s1.origin-cluster/a", .dotSegment),
    ])
    func `a link and the video in it are read as strictly as any URL`(link: String, refusal: Refusal) {
        #expect(throws: refusal) { try table.find(link) }
        #expect(throws: refusal) { try table.find(encoded(link)) }
    }
}
