import Steering
import TLS
import Testing

@testable import Signing

/// Google Media CDN's links, against Google's published examples (python-docs-samples, media_cdn) where there are.
@Suite struct MediaCDNTests {
    /// When links of the examples expire.
    private static let expiry = 1_650_848_400

    /// What a form writes for a key and a time.
    private func link(_ form: some SignedForm, _ url: String, base: Int, key pem: String, id: String, expiry: Int) throws -> String {
        let key = try SignatureKey(pem: Array(pem.utf8).span)
        var signed: [UInt8] = []
        signed.append(addingCapacity: url.utf8.count + form.capacity(url.utf8.count)) { output in
            for byte in url.utf8 { output.append(byte) }
            let parts = LinkParts(output.span, from: 0, base: base)
            let draft = form.begin(&output, parts, .unknown, expiry: expiry, id: Array(id.utf8))
            let signature = Signature(key.sign(output.span.extracting(draft.text), .sha256) ?? []) ?? Signature()
            _ = form.end(&output, draft, signature, .sha256, id: Array(id.utf8))
        }
        return String(decoding: signed, as: UTF8.self)
    }

    private func signing(_ members: String) throws -> LinkSigning {
        let key = "id my-key\n" + PrivateKeys.ed25519
        return try #require(
            Signed(members, key: members.contains("token") ? "current 0123456789abcdef0123456789abcdef" : key).table.catalog.cdns[0].sign)
    }

    @Test(arguments: [
        (
            "http://35.186.234.33/index.html",
            "?Expires=1650848400&KeyName=my-key&Signature=16-oE9GZ5U9S_LYrW8RplZhvMfI7RGtGRY0C-Ahh6YAwiJ0UaEi6rQuPxfm6R-cBPfs8MwRGiu2fAoS1JOoKCA=="
        ),
        (
            "http://www.example.com/",
            "?Expires=1650848400&KeyName=my-key&Signature=QhWcq48iCRTJFayWexw929QRxjOxE8ZPSQ38ybTxLhu77hmS_JB6GSougMu_-ejS_ZiGguqxT-HfgSFuy3f5DQ=="
        ),
        (
            "http://www.example.com/some/path?some=query&another=param",
            "&Expires=1650848400&KeyName=my-key&Signature=Li_D6rxUh1Kj54JbmUuAms2wmjJHJUcMXJHgYxjL4LqYH02wSX-4gCayXgklNSDpfBfSHnbdC_wvcdyXvADGDw=="
        ),
    ])
    func `Google's published signatures of whole URLs come out`(url: String, tail: String) throws {
        let form = MediaCDNForm(try signing(#""scheme": "media-cdn", "covers": "file""#))
        #expect(try link(form, url, base: 0, key: PrivateKeys.googleSignatures, id: "my-key", expiry: Self.expiry) == url + tail)
    }

    @Test(arguments: [
        (
            "http://35.186.234.33/index.html",
            "?URLPrefix=aHR0cDovLzM1LjE4Ni4yMzQuMzMv&Expires=1650848400&KeyName=my-key&Signature=mR4jNsWVn39ofSC5425SXwZVzHAAixemdcRGHgPuO1V1Fl7lJs2Ws5aPOGp-MhbDinFYUkutHh-I9c5Du4jtAA=="
        ),
        (
            "http://www.example.com/some/path?some=query&another=param",
            "&URLPrefix=aHR0cDovL3d3dy5leGFtcGxlLmNvbS9zb21lLw==&Expires=1650848400&KeyName=my-key&Signature=pVN8HKc6Be-PDczd9NjqSui3HHaoCLUN5iDv6JhQ77uKigsCih6z_cMTGjeXhgGASh1zr-ZPrOnxWJxxGWxsBg=="
        ),
    ])
    func `Google's published signatures of prefixes come out`(url: String, tail: String) throws {
        let form = MediaCDNForm(try signing(#""scheme": "media-cdn""#))
        #expect(try link(form, url, base: 0, key: PrivateKeys.googleSignatures, id: "my-key", expiry: Self.expiry) == url + tail)
    }

    @Test func `Google's published signature in the path comes out`() throws {
        let form = MediaCDNForm(try signing(#""scheme": "media-cdn", "placement": "path""#))
        let signed = try link(
            form, "https://example.com/test-filename", base: 0, key: PrivateKeys.googlePath, id: "test-key", expiry: 1_663_070_400)
        #expect(
            signed
                == "https://example.com/edge-cache-token=Expires=1663070400&KeyName=test-key&Signature=2hvmMKXW_e0bY3ViJNDSgoXDGvNj2L-UYTseTgtj96Va0S4FYxehka1k4hzWo2_87B9zqr_Ne4MMEdRfHUMUBw==/test-filename"
        )
    }

    @Test func `Google's published token by HMAC-SHA256 comes out`() throws {
        let secret = Secret(
            [
                0x83, 0xF4, 0xA5, 0x30, 0x82, 0xE2, 0x21, 0x62, 0xAA, 0xB0, 0x2E, 0x99, 0xD8, 0xBE, 0xE0, 0xCB, 0x4B, 0x11, 0x78, 0x33,
                0xAA,
                0xB5, 0x2A, 0xC9, 0xAC, 0x4E, 0xC2, 0x5C, 0xDA, 0xF9, 0x36, 0x5F,
            ].span)
        let signer = try #require(
            MediaCDNTokenSigner(
                try signing(#""scheme": "media-cdn-token""#),
                SigningKey(current: .init(secret: secret, privateKey: nil, id: nil), next: nil, switches: .max)))
        #expect(
            signed(signer, "http://10.20.30.40/a", second: 1_663_070_400 - 3600 - LinkLife.skew)
                == "http://10.20.30.40/a?edge-cache-token=URLPrefix=aHR0cDovLzEwLjIwLjMwLjQwLw~Expires=1663070400~hmac=409722313cf6d987da44bb360e60dccc3d79764520fc5e3b57654e1d4d2c862e"
        )
    }

    private func signed(_ signer: some LinkSigner, _ url: String, second: Int) -> String {
        var bytes: [UInt8] = []
        bytes.append(addingCapacity: url.utf8.count + signer.capacity(url.utf8.count)) { output in
            for byte in url.utf8 { output.append(byte) }
            _ = signer.sign(&output, from: 0, base: 0, for: .unknown, second: second)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `a token binds an IPv4 address, and the network of an IPv6 one`() throws {
        let sign = #""scheme": "media-cdn-token", "bindAddress": true, "covers": "file""#
        for (client, range) in [("192.0.2.1", "192.0.2.1/32"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")] {
            let link = try Signed(sign, client: client).location("http://s1.o/film/a.m3u8?x")
            #expect(link.contains("~Expires=1598024587~IPRanges=\(base64(range))~hmac="))
            #expect(link.contains("URLPrefix=\(base64("https://cdn.example.com/s1/film/a.m3u8"))~"))
        }
    }

    private func base64(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.append(addingCapacity: 2 * text.utf8.count + 4) { output in
            for byte in text.utf8 { output.append(byte) }
            output.encodeBase64(from: 0, .urlWithoutPadding)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy"),
    ])
    func `the vectors of RFC 4648 come out, in the place of what is encoded`(text: String, code: String) {
        #expect(base64(text) == code)
    }

    @Test func `a signature in the path stands behind the directory, or behind the target's URL`() throws {
        let key = "id films\n" + PrivateKeys.ed25519
        let directory = try Signed(#""scheme": "media-cdn", "placement": "path""#, key: key).location("http://s1.o/film/v/a.m3u8?x=1")
        #expect(directory.hasPrefix("https://cdn.example.com/s1/film/v/edge-cache-token=Expires="))
        #expect(directory.hasSuffix("==/a.m3u8?x=1"))
        let prefix = try Signed(#""scheme": "media-cdn", "placement": "path", "covers": "prefix""#, key: key)
        #expect(try prefix.location("http://s1.o/film/v/a.m3u8").hasPrefix("https://cdn.example.com/edge-cache-token=Expires="))
        #expect(try prefix.location("http://s1.o/film/v/a.m3u8").hasSuffix("==/s1/film/v/a.m3u8"))
    }
}
