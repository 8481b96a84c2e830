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

    @Test(arguments: [
        "ftp://a/", "http:///x", "http://u@a/", "http://a:0/", "http://a:70000/", "http://a:x/", "http://a/x y", "http://a/#f", "//a/",
    ])
    func `what is no URL of a target is none`(text: String) {
        #expect(FetchURL(Array(text.utf8)) == nil)
    }
}
