import Testing

@testable import Edge

@Suite struct ListenAddressTests {
    @Test(
        arguments: [
            ("127.0.0.1:8000", "127.0.0.1", 8000, false, true), ("[::]:8000", "::", 8000, true, false), ("[::1]:0", "::1", 0, true, true),
            ("0.0.0.0:65535", "0.0.0.0", 65535, false, false), ("[2001:db8::1]:80", "2001:db8::1", 80, true, false),
            ("127.255.0.9:1", "127.255.0.9", 1, false, true),
            ("[::ffff:1.2.3.4]:1", "::ffff:1.2.3.4", 1, true, false),
        ] as [(String, String, UInt16, Bool, Bool)])
    func `a literal address with a port is read and written alike`(text: String, host: String, port: UInt16, isIPv6: Bool, isLoopback: Bool)
        throws
    {
        let address = try #require(ListenAddress(text))
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.isIPv6 == isIPv6)
        #expect(address.isLoopback == isLoopback)
        #expect(address.description == text)
    }

    @Test(arguments: [
        "", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:8a", "127.0.0.1: 80", "127.0.0.1:80 ",
        "127.1:80", "1.2.3.4.5:80", "01.2.3.4:80",
        "localhost:80", "example.com:80", "*:80", "::1:80", "::1", "[::1]", "[::1]:", "[::1:80", "::1]:80", "[]:80", "[127.0.0.1]:80",
        "[::1%lo]:80", "[[::1]]:80", "[g::]:80",
        "http://127.0.0.1:80", "127.0.0.1:80/",
    ])
    func `names, missing ports and other text are no address`(text: String) { #expect(ListenAddress(text) == nil) }

    @Test func `a port is digits alone`() { #expect(ListenAddress("127.0.0.1:+80") == nil) }

    @Test func `any is every address and a port of the system's choice`() {
        #expect(ListenAddress.any.description == "[::]:0")
        #expect(ListenAddress(ListenAddress.any.description) == .any)
    }
}
