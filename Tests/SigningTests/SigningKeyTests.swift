import Steering
import TLS
import Testing

@testable import Signing

@Suite struct SigningKeyTests {
    private func text(_ secret: Secret?) -> String? {
        secret.map { $0.withBytes { bytes in String(decoding: (0..<bytes.count).map { bytes[$0] }, as: UTF8.self) } }
    }

    @Test(arguments: [
        "abcdefghijklmnop", "abcdefghijklmnop\n", "\u{FEFF}abcdefghijklmnop\r\n", "# a key\n\n  current abcdefghijklmnop \n",
        "current\tabcdefghijklmnop",
    ])
    func `a key stands alone or behind its word`(file: String) throws {
        let key = try SigningKey(Array(file.utf8).span)
        #expect(text(key.current) == "abcdefghijklmnop")
        #expect(key.next == nil)
    }

    @Test func `a next key has the second from which it signs`() throws {
        let key = try SigningKey(Array("next bbb\nswitch 2026-12-01T03:00:00Z\ncurrent aaa".utf8).span)
        #expect(text(key.current) == "aaa")
        #expect(text(key.next) == "bbb")
        #expect(key.switches == 1_796_094_000)
    }

    @Test(arguments: [
        ("", "is empty"), ("# nothing\n", "is empty"), ("aaa\nbbb", "two keys"), ("current a\nbbb", "neither"), ("a b c", "no spaces"),
        ("key aaa", "none, or the second"), ("current a\ncurrent b", "the second"), ("current a\nnext b", "says when"),
        ("current a\nswitch 2026-12-01T03:00:00Z", "would take over"), ("next b\nswitch 2026-12-01T03:00:00Z", "no line \"current KEY\""),
        ("current a\nnext b\nswitch tomorrow", "like 2026"), ("current a\nnext b\nswitch 2026-02-30T00:00:00Z", "like 2026"),
        ("-----BEGIN PRIVATE KEY-----\nMIG", "PEM"), ("current \u{1}x", "no visible ASCII"), ("schlüssel", "no visible ASCII"),
    ])
    func `what is no key is refused with a sentence that has nothing of it`(file: String, part: String) throws {
        let fault = #expect(throws: SigningKey.Fault.self) { try SigningKey(Array(file.utf8).span) }
        #expect(fault?.description.contains(part) == true, "\(fault?.description ?? "")")
        #expect(fault?.description.contains("bbb") == false)
    }

    @Test func `a file that is larger than a key can be is refused`() {
        #expect(throws: SigningKey.Fault.self) { try SigningKey([UInt8](repeating: 0x61, count: SigningKey.maximumBytes + 1).span) }
    }

    @Test(arguments: [
        (LinkSigning.Scheme.nginx, "short", "fewer than 16"), (.bunny, "short", "fewer than 16"), (.hmac, "short", "fewer than 16"),
        (.akamai, "no hexadecimal digits", "hexadecimal"), (.akamai, "abc", "hexadecimal"), (.akamai, "abcdef", "fewer than 24"),
        (.gcore, String(repeating: "x", count: 33), "at most 32"),
    ])
    func `a key that does not fit its scheme leaves the target out with a sentence`(
        scheme: LinkSigning.Scheme, secret: String, part: String
    ) throws {
        let secret = secret.replacing(" ", with: "_")
        let fault = try SigningKey(Array("current \(secret)".utf8).span).fault(for: scheme)
        #expect(fault?.contains(part) == true, "\(fault ?? "")")
        #expect(fault?.contains(secret) == false)
        let next = try SigningKey(
            Array("current 0123456789abcdef0123456789abcdef\nnext \(secret)\nswitch 2026-12-01T03:00:00Z".utf8).span)
        #expect(next.fault(for: scheme)?.contains("the next key") == true)
    }

    @Test(arguments: LinkSigning.Scheme.allCases)
    func `a key that is made here fits every scheme`(scheme: LinkSigning.Scheme) throws {
        #expect(try SigningKey(Array("0123456789abcdef0123456789abcdef".utf8).span).fault(for: scheme) == nil)
    }

    @Test func `no description shows a secret`() throws {
        let key = try SigningKey(Array("current topsecrettopsecret".utf8).span)
        var dumped = ""
        dump(key, to: &dumped)
        for text in [
            "\(key)", "\(key.current)", String(reflecting: key), String(reflecting: key.current), dumped,
            SigningKey.fingerprint(key.current),
        ] {
            #expect(!text.contains("topsecret"), "\(text)")
        }
    }

    @Test func `the fingerprint is the same for the same key alone`() throws {
        let (one, two) = (Secret(Array("a".utf8).span), Secret(Array("b".utf8).span))
        #expect(SigningKey.fingerprint(one) == SigningKey.fingerprint(Secret(Array("a".utf8).span)))
        #expect(SigningKey.fingerprint(one) != SigningKey.fingerprint(two))
        #expect(SigningKey.fingerprint(one).count == 8)
    }
}
