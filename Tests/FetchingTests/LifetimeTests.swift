import NIOHTTP1
import Testing

@testable import Fetching

/// What headers allow to be kept and shared.
@Suite struct LifetimeTests {
    @Test(arguments: [
        ([], 2, 60), (["Cache-Control: max-age=7"], 7, 60), (["Cache-Control: max-age=7000"], 10, 60),
        (["cache-control: Max-Age=\"7\""], 7, 60), (["Cache-Control: max-age=7, s-maxage=3"], 3, 0),
        (["Cache-Control: max-age=9", "Age: 4"], 5, 60),
        (["Cache-Control: max-age=9", "Age: 40"], 0, 60), (["Cache-Control: max-age=9", "Age: -4"], 9, 60),
        (["Cache-Control: max-age=9", "Age: 99999999999999999999"], 0, 60), (["Cache-Control: max-age=9", "Age: 3, 9"], 6, 60),
        (["Cache-Control: max-age=9, immutable, stale-while-revalidate=60"], 9, 60), (["Cache-Control: s-maxage=0, max-age=9"], 0, 0),
        (["Cache-Control: max-age=0"], 0, 60), (["Cache-Control: ,, max-age = 7 ,"], 7, 60), (["Cache-Control: max-age=1.5"], 0, 60),
        (["Expires: 0"], 0, 60), (["Expires: Thu, 01 Jan 1970 00:00:00 GMT", "Date: Sat, 28 Nov 2026 18:00:00 GMT"], 0, 60),
        (["Expires: Sat, 28 Nov 2026 18:00:05 GMT", "Date: Sat, 28 Nov 2026 18:00:00 GMT"], 5, 60),
        (["Expires: Sat, 28 Nov 2026 18:00:05 GMT", "Date: Sat, 28 Nov 2026 18:00:00 GMT", "Cache-Control: max-age=7"], 7, 60),
        (["Expires: Sat, 28 Nov 2026 18:00:05 GMT"], 2, 60), (["ETag: W/\"a\"", "Date: Fri, 01 Jan 1999 00:00:00 GMT"], 2, 60),
        (["Cache-Control: max-age=x"], 0, 60),
        (["Cache-Control: max-age=-1"], 0, 60), (["Cache-Control: max-age"], 0, 60),
        (["Cache-Control: max-age=99999999999999999999"], 10, 60),
        (["Cache-Control: no-cache, max-age=9"], 0, 0), (["Cache-Control: max-age=5, must-revalidate"], 5, 0),
        (["Cache-Control: max-age=5", "Cache-Control: stale-if-error=30"], 5, 30),
        (["Cache-Control: max-age=5, stale-if-error=999999"], 5, 3600),
        (["Cache-Control: max-age=5, max-age=8"], 5, 60), (["Cache-Control: public"], 2, 60),
    ])
    func `an answer is kept as its fields say, and never longer than is good for a live film`(fields: [String], fresh: Int, stale: Int) {
        let lifetime = Lifetime(Self.headers(fields), atMost: 10)
        #expect(lifetime.fresh == fresh && lifetime.stale == stale && lifetime.isShared)
    }

    static let privateSigns = [
        "Cache-Control: private", "Cache-Control: max-age=60, PRIVATE", "Cache-Control: private=\"x\"", "Cache-Control: no-store",
        "Set-Cookie: a=b", "Vary: Cookie", "Vary: *", "Vary: Accept-Encoding, User-Agent", "Vary: Authorization", "Vary: X-Forwarded-For",
    ]

    @Test(arguments: privateSigns) func `what is somebody's own is not shared`(field: String) {
        #expect(!Lifetime(Self.headers([field]), atMost: 10).isShared)
    }

    @Test func `what no request of ours has tells no two of them apart`() {
        #expect(Lifetime(Self.headers(["Vary: Accept-Encoding", "vary: origin , Access-Control-Request-Headers"]), atMost: 10).isShared)
    }

    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Tue, 29 Feb 2028 23:59:60 GMT", 1_835_481_600),
        ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800), ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
    ])
    func `a time of HTTP is read`(text: String, seconds: Int) { #expect(HTTPDate.seconds(text) == seconds) }

    @Test(arguments: [
        "", "0", "-1", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 XXX 1994 08:49:37 GMT",
        "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 99999 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT",
    ])
    func `what is no such time is none`(text: String) { #expect(HTTPDate.seconds(text) == nil) }

    private static func headers(_ fields: [String]) -> HTTPHeaders {
        HTTPHeaders(
            fields.map { field in
                let sides = field.split(separator: ":", maxSplits: 1)
                return (String(sides[0]), sides[1].trimmingPrefix(" ").description)
            })
    }
}

@Suite struct FetchURLTests {
    @Test func `a URL has its host, port and target`() throws {
        let plain = try #require(FetchURL(Array("http://a.example/s1/x?y".utf8)))
        #expect(plain.host == "a.example" && plain.port == 80 && plain.target == "/s1/x?y" && !plain.isSecure)
        let secure = try #require(FetchURL(Array("HTTPS://[2001:db8::1]:8443/".utf8)))
        #expect(secure.host == "2001:db8::1" && secure.port == 8443 && secure.isSecure && secure.authority == "[2001:db8::1]:8443")
        #expect(FetchURL(Array("https://[2001:db8::1]/x".utf8))?.port == 443)
    }

    @Test func `a reference is resolved as far as a redirect needs it`() throws {
        let url = try #require(FetchURL(Array("https://a.example:8443/s1/film/m.m3u8?x=/y".utf8)))
        for (reference, result) in [
            ("HTTP://b/c#d", "HTTP://b/c"), ("//b/c", "https://b/c"), ("/c?d", "https://a.example:8443/c?d"),
            ("c", "https://a.example:8443/s1/film/c"), ("c?d:e", "https://a.example:8443/s1/film/c?d:e"), ("ftp:c", "ftp:c"),
            ("?d", "https://a.example:8443/s1/film/m.m3u8?d"), ("", "https://a.example:8443/s1/film/m.m3u8"),
        ] {
            #expect(String(decoding: url.absolute(reference), as: UTF8.self) == result)
        }
    }

    @Test(arguments: [
        "ftp://a/", "http:///x", "http://u@a/", "http://a:0/", "http://a:70000/", "http://a:x/", "http://a/x y", "http://a/#f", "//a/",
    ])
    func `what is no URL of a target is none`(text: String) {
        #expect(FetchURL(Array(text.utf8)) == nil)
    }
}
