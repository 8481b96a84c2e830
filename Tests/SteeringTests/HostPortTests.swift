import Testing

@testable import Steering

@Suite struct HostPortTests {
    @Test(arguments: [
        ("a", "a"), ("A.Example", "a.example"), ("a:1", "a:1"), ("a:65535", "a:65535"), ("127.0.0.1:80", "127.0.0.1:80"), ("1", "1"),
        ("xn--nxasmq6b", "xn--nxasmq6b"), ("[::1]", "[::1]"), ("[2001:DB8::1]:443", "[2001:db8::1]:443"),
        ("[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]"),
    ])
    func `a host with or without a port is given in lower case`(text: String, normal: String) {
        #expect(HostPort.normalised(text) == normal)
    }

    @Test(arguments: [
        "", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b", "a_b", "a b", "a/b", "a\\b", "a@b", "a#", "a?", "a%41", "é", "a\u{0}", "a\n", ":",
        ":1",
        "a:", "a:0", "a:65536", "a:100000", "a:+1", "a:-1", "a: 1", "a:1a", "a:1:2", "::1", "[", "]", "[]", "[:]", "[::1", "::1]", "[::1]:",
        "[::1]:0", "[::1]x", "[::g]", "[::1%eth0]", "[1]", "[[::1]]", "x[::1]", "a\u{301}", "a:١",
    ])
    func `anything else is refused`(text: String) {
        #expect(HostPort.normalised(text) == nil)
    }

    @Test func `a name has at most 253 bytes and a label at most 63`() {
        let label = String(repeating: "a", count: 63)
        let longest = [label, label, label, String(label.dropLast(2))].joined(separator: ".")
        #expect(longest.utf8.count == 253)
        #expect(HostPort.normalised(longest) == longest)
        #expect(HostPort.normalised(longest + ":80") == longest + ":80")
        #expect(HostPort.normalised(longest + "a") == nil)
        #expect(HostPort.normalised(label + "a") == nil)
    }
}
