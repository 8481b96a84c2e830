import Steering
import TLS
import Testing

@testable import Signing

/// What each scheme writes, held against published examples where there are, and else against what Python's hmac and hashlib made of the
/// string that its documentation names. Tests/ControlAPI/test_signed_links.py has the verifiers.
@Suite struct SchemeTests {
    /// Signs a link that stands alone, as examples have it.
    private func sign(_ url: String, _ signer: some LinkSigner, base: Int, client: String = "::", second: Int) -> String {
        var bytes = Array(url.utf8)
        let room = signer.capacity(bytes.count)
        let length = bytes.count
        var signed: [UInt8] = []
        signed.append(addingCapacity: length + room) { output in
            for byte in bytes { output.append(byte) }
            _ = signer.sign(&output, from: 0, base: base, for: ClientAddress(client) ?? .unknown, second: second)
        }
        bytes = signed
        return String(decoding: bytes, as: UTF8.self)
    }

    private func signing(_ members: String) throws -> LinkSigning {
        try #require(Signed(members).table.catalog.cdns[0].sign)
    }

    @Test func `nginx's own example of secure_link_md5 comes out`() throws {
        let key = try SigningKey(Array("secret".utf8).span)
        let scheme = try signing(#""scheme": "nginx", "expression": "$secure_link_expires$uri$remote_addr $secret""#)
        let signer = try #require(ExpressionSigner(scheme, key))
        let second = 2_147_483_647 - 3600 - LinkLife.skew
        #expect(
            sign("http://example.com/s/link", signer, base: 19, client: "127.0.0.1", second: second)
                == "http://example.com/s/link?md5=_e4Nc3iduzkWRm01TBBNYw&expires=2147483647")
    }

    @Test func `nginx's own example of secure_link_secret comes out`() throws {
        let key = try SigningKey(Array("secret".utf8).span)
        let signer = try #require(SecretLinkSigner(key))
        #expect(
            sign("http://example.com/p/link", signer, base: 21, second: 0) == "http://example.com/p/5e814704a28d9bc1914ff19fa0c4a00a/link")
    }

    @Test(arguments: [
        (#""bindAddress": false"#, "::", "HS256-1lwWBD_c1IAGSj1UKPoxreu8ePDQ-Z9FoWLcRn_RRH0"),
        (#""bindAddress": true"#, "1.2.3.4", "HS256-1-rWalmQRJ-A_qrb08-JoeU3b-gOS5mJiJjPOfDWa0gsQ"),
    ])
    func `Bunny's published vectors come out`(members: String, client: String, token: String) throws {
        let key = try SigningKey(Array("SecurityKey".utf8).span)
        let scheme = try signing(#""scheme": "bunny", "covers": "file", "# + members)
        let signer = try #require(BunnySigner(scheme, key))
        #expect(
            sign("https://token-tester.b-cdn.net/300kb.jpg", signer, base: 31, client: client, second: Signed.second)
                == "https://token-tester.b-cdn.net/300kb.jpg?token=\(token)&token_ignore_params=true&expires=1598024587")
    }

    @Test(arguments: [
        (
            #""scheme": "akamai", "covers": "directory""#,
            "/s1/film/a.m3u8?hdnts=exp=1598024587~acl=/s1/film/*~hmac=1666110c74c1455a219025c3719c836171c52d914ae255d48a6399867d182b02"
        ),
        (
            #""scheme": "akamai", "covers": "file", "parameter": "__token__""#,
            "/s1/film/a.m3u8?__token__=exp=1598024587~acl=/s1/film/a.m3u8~hmac=c1e3639e7376b21e49113d4f04f912479287eae057160913c0812822367f1f08"
        ),
        (
            #""scheme": "akamai", "covers": "prefix", "bindAddress": true"#,
            "/s1/film/a.m3u8?hdnts=ip=192.0.2.1~exp=1598024587~acl=/*~hmac=224fc336a04af9e90a504be017a42a05ad4d0ae3713e31d725e3e7f85f643f4a"
        ),
        (
            #""scheme": "akamai", "placement": "path""#,
            "/hdntl=exp=1598024587~acl=%2fs1%2ffilm%2f*~data=hdntl~hmac=b563cce6a79c3863af8342fc2df4243501892c66de5c3201612426807f28aeac/s1/film/a.m3u8"
        ),
    ])
    func `Akamai's tokens are what Python's hmac makes of the documented fields`(sign: String, tail: String) throws {
        let signed = try Signed(sign, key: "eee7e9157f81b2f6d471bf2ceee7e915")
        #expect(try signed.location("http://s1.o/film/a.m3u8") == "https://cdn.example.com" + tail)
    }

    @Test(arguments: [
        (#""covers": "file", "bindAddress": true"#, "oUMIiss3J4RvyQHgECjU6w"), (#""covers": "directory""#, "kDgY477AQxfZAy5X0NT9mA"),
    ])
    func `Gcore's tokens are what Python's hashlib makes of the documented text`(members: String, token: String) throws {
        let signed = try Signed(#""scheme": "gcore", "# + members, key: "secret_key_secret_key", client: "1.2.3.4")
        #expect(
            try signed.location("http://s1.o/film/a.m3u8") == "https://cdn.example.com/s1/film/a.m3u8?md5=\(token)&expires=1598024587")
    }

    @Test func `a Bunny directory's token stands before the path, and its path is encoded`() throws {
        let signed = try Signed(#""scheme": "bunny", "placement": "path""#, key: "current SecurityKeySecurityKey")
        let key = try SigningKey(Array("SecurityKey".utf8).span)
        let scheme = try #require(signed.table.catalog.cdns[0].sign)
        let signer = try #require(BunnySigner(scheme, key))
        #expect(
            sign("https://c/s1/film/a.m3u8?x=1", signer, base: 10, second: Signed.second)
                == "https://c/bcdn_token=HS256-QJgEeN1R2vUuIEQlcZTaZ7mm0qME-LDGasrxpQi6Kj4&token_ignore_params=true&token_path=%2Fs1%2Ffilm%2F&expires=1598024587/s1/film/a.m3u8?x=1"
        )
    }

    @Test(arguments: [
        ("base64url", "7lYs16gKLiqp4uz_JAwiElZ9CZA-pftMpSrNwmlzaE0"),
        ("hex", "ee562cd7a80a2e2aa9e2ecff240c2212567d09903ea5fb4ca52acdc26973684d"),
    ])
    func `an HMAC of an expression with a key longer than a block is Python's`(encoding: String, token: String) throws {
        let signed = try Signed(
            #""scheme": "hmac", "encoding": "\#(encoding)", "expression": "$expires|${path}|$arg_v", "parameter": "sig", "expiresParameter": "e""#,
            key: String(repeating: "k", count: 100))
        #expect(
            try signed.location("http://s1.o/a%20b.m3u8?w=1&V=x")
                == "https://cdn.example.com/s1/a%20b.m3u8?w=1&V=x&sig=\(token)&e=1598024587")
    }

    @Test(arguments: ["2001:db8::1", "::1", "::", "1:0:0:2:0:0:0:3", "1:2:3:4:5:6:7:8", "0:1::", "fe80::a:0:0:b", "192.0.2.255", "0.0.0.0"])
    func `an address is signed as nginx and the access log write it`(text: String) throws {
        let address = try #require(ClientAddress(text))
        let written = AddressText(address)
        #expect(String(decoding: (0..<written.count).map { written.bytes[$0] }, as: UTF8.self) == address.description)
    }

    @Test func `random addresses are written as they are elsewhere`() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            // Many zeros, so that gaps of all kinds come.
            func half() -> UInt64 {
                (0..<4).reduce(0) { sum, _ in sum << 16 | (Bool.random(using: &random) ? 0 : UInt64.random(in: 0...0xFFFF, using: &random))
                }
            }
            let address = ClientAddress(high: half(), low: half())
            let written = AddressText(address)
            #expect(String(decoding: (0..<written.count).map { written.bytes[$0] }, as: UTF8.self) == address.description)
        }
    }
}
