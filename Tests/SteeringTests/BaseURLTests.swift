import Testing

@testable import Steering

@Suite struct BaseURLTests {
    @Test(arguments: [
        ("http://a", "http://a", "a", ""),
        ("https://a/", "https://a", "a", ""),
        ("HTTP://A:80//", "http://a:80", "a:80", ""),
        ("http://a/b", "http://a/b", "a", "/b"),
        ("http://a/B/c//", "http://a/B/c", "a", "/B/c"),
        ("http://a//b", "http://a//b", "a", "//b"),
        ("http://a/%C3%A9", "http://a/%C3%A9", "a", "/%C3%A9"),
        ("http://a/...", "http://a/...", "a", "/..."),
        ("http://a/@:!$&'()*+,;=~_.-", "http://a/@:!$&'()*+,;=~_.-", "a", "/@:!$&'()*+,;=~_.-"),
        ("https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443/x", "[2001:db8::1]:8443", "/x"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1:8080", ""),
    ])
    func `a base URL is normalised, and what it became is kept`(text: String, normal: String, authority: String, prefix: String) throws {
        let url = try #require(BaseURL(text))
        #expect(url.text == normal)
        #expect(url.authority == authority)
        #expect(url.prefix == prefix)
        #expect(BaseURL(normal) == url)
    }

    @Test func `each byte that no path may have is refused`() {
        let allowed = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/".utf8)
        for byte in UInt8.min...0x7F {
            let url = BaseURL("http://a/b" + String(decoding: [byte], as: UTF8.self) + "c")
            #expect((url != nil) == allowed.contains(byte), "byte \(byte)")
        }
    }
}
