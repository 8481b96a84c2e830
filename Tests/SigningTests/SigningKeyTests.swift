import Steering
import TLS
import Testing

@testable import Signing

@Suite struct SigningKeyTests {
    private func text(_ part: SigningKey.Part?) -> String? {
        part?.secret.map { $0.withBytes { bytes in String(decoding: (0..<bytes.count).map { bytes[$0] }, as: UTF8.self) } }
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

    @Test(arguments: LinkSigning.Scheme.allCases.filter { !$0.takesPrivateKey })
    func `a text that is made here fits every scheme that takes one`(scheme: LinkSigning.Scheme) throws {
        #expect(try SigningKey(Array("0123456789abcdef0123456789abcdef".utf8).span).fault(for: scheme) == nil)
    }

    @Test func `a private key stands in its own lines, with what the CDN calls it, whoever wrote the file`() throws {
        for text in [
            "id K1\n" + PrivateKeys.rsa, "\u{FEFF}# of cdn-a\r\ncurrent\r\n" + PrivateKeys.rsa.replacing("\n", with: "\r\n") + "id K1\r\n",
            "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + PrivateKeys.ecdsa + "id K1",
        ] {
            let key = try SigningKey(Array(text.utf8).span)
            #expect(key.current.id == "K1")
            #expect(key.current.secret == nil)
            #expect(key.fault(for: .cloudFront) == nil)
            #expect(key.warning == nil)
        }
        let rotating = "current\nid K1\n\(PrivateKeys.rsa)next\nid K2\n\(PrivateKeys.nextRSA)switch 2026-12-01T03:00:00Z\n"
        let key = try SigningKey(Array(rotating.utf8).span)
        #expect(key.next?.id == "K2")
        #expect(SigningKey.fingerprint(key.current) != key.next.map { SigningKey.fingerprint($0) })
        #expect(SigningKey.fingerprint(key.current).count == 8)
        let withoutID = try SigningKey(Array(rotating.replacing("id K2\n", with: "").utf8).span)
        #expect(withoutID.warning?.contains("next key") == true)
        #expect(withoutID.fault(for: .cloudFront) == nil)
    }

    @Test(arguments: [
        (PrivateKeys.rsa + PrivateKeys.nextRSA, "two keys"), ("abcdefghijklmnop\n" + PrivateKeys.rsa, "two keys"),
        (String(PrivateKeys.rsa.prefix(300)), "cut off"), ("id K1\nabcdefghijklmnop", "that it would be about"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "cannot be read"),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", "without a password"),
        ("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", "without a password"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "public key"),
        ("id K&1\n" + PrivateKeys.rsa, "whose name is none"),
    ])
    func `what is no private key is refused with a sentence that has nothing of it`(file: String, part: String) throws {
        let fault = #expect(throws: SigningKey.Fault.self) { try SigningKey(Array(file.utf8).span) }
        #expect(fault?.description.contains(part) == true, "\(fault?.description ?? "")")
        #expect(fault?.description.contains("AAAA") == false)
    }

    @Test(arguments: [
        (LinkSigning.Scheme.cloudFront, "id K1\n" + PrivateKeys.ed25519, "an Ed25519 key"),
        (.mediaCDN, "id K1\n" + PrivateKeys.rsa, "2048 bits"),
        (.mediaCDN, "current 0123456789abcdef0123456789abcdef", "no private key"), (.cloudFront, PrivateKeys.rsa, "no line \"id NAME\""),
        (.akamai, "id K1\n" + PrivateKeys.rsa, "takes a text"), (.mediaCDNToken, "id K1\n" + PrivateKeys.ed25519, "takes a text"),
        (.mediaCDNToken, "current short", "fewer than 16"),
    ])
    func `a key of another kind leaves the target out with a sentence`(scheme: LinkSigning.Scheme, file: String, part: String) throws {
        let fault = try SigningKey(Array(file.utf8).span).fault(for: scheme)
        #expect(fault?.contains(part) == true, "\(fault ?? "")")
    }

    @Test func `no description shows a private key`() throws {
        let key = try SigningKey(Array(("id K1\n" + PrivateKeys.ecdsa).utf8).span)
        var dumped = ""
        dump(key, to: &dumped)
        let line = String(PrivateKeys.ecdsa.split(separator: "\n")[1])
        for text in ["\(key)", "\(key.current)", String(reflecting: key), dumped, key.current.privateKey?.publicPEM ?? ""] {
            #expect(!text.contains(line), "\(text)")
        }
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
