import Foundation
import Steering
import TLS
import Testing

@testable import Signing

/// Links as they are written, and as they come back.
@Suite struct LinkTests {
    static let schemes = [
        #""scheme": "nginx", "expression": "$secure_link_expires$uri$remote_addr $secret""#,
        #""scheme": "nginx", "expression": "$secure_link_expires$directory $secret", "placement": "path""#,
        #""scheme": "nginx", "expression": "$expires$arg_a $secret", "parameter": "st", "expiresParameter": "e""#,
        #""scheme": "akamai""#, #""scheme": "akamai", "placement": "path", "bindAddress": true"#, #""scheme": "bunny""#,
        #""scheme": "bunny", "placement": "path""#, #""scheme": "gcore""#, #""scheme": "hmac", "expression": "$expires$path""#,
        #""scheme": "hmac", "expression": "$expires$path", "encoding": "hex", "placement": "path""#, #""scheme": "nginx-secret""#,
    ]
    /// Those of private keys, with the kind of their key.
    static let privateSchemes = [
        #""scheme": "cloudfront""#, #""scheme": "cloudfront", "covers": "file""#, #""scheme": "media-cdn""#,
        #""scheme": "media-cdn", "covers": "file""#, #""scheme": "media-cdn", "placement": "path""#,
        #""scheme": "media-cdn", "placement": "path", "covers": "prefix""#,
    ]
    private static func privateKey(_ sign: String) -> String {
        "id K1\n" + (sign.contains("cloudfront") ? PrivateKeys.ecdsa : PrivateKeys.ed25519)
    }
    private static func url(_ sign: String) -> String {
        sign.contains("nginx-secret") ? "https://cdn.example.com/p" : "https://cdn.example.com"
    }

    @Test(
        arguments: schemes,
        ["/film/a.m3u8", "/film/a.m3u8?a=1&b=2", "/", "", "/a%20b/%D0%B0.m3u8", "//x//y", "/film/a.m3u8?expires=5", "/a?md5", "/~!*/x.ts"])
    func `a link that comes back signed is read without its token, and signed anew`(sign: String, tail: String) throws {
        let signed = try Signed(sign, url: Self.url(sign))
        let link = try signed.location("http://s1.o\(tail)")
        for second in [Signed.second, Signed.second + 100] {
            let fresh = try signed.location("http://s1.o\(tail)", at: second)
            // Encoded, as a player gives it back, and raw where nothing ends the value early.
            #expect(try signed.location(encoded(link), at: second) == fresh)
            #expect(try signed.location(link, at: second) == fresh)
        }
    }

    @Test(arguments: privateSchemes, ["/film/a.m3u8", "/film/a.m3u8?a=1&b=2", "/", "/a%20b/%D0%B0.m3u8", "//x//y", "/a/b/c/x*y.ts"])
    func `a link that a private key has signed comes back without its token, too`(sign: String, tail: String) throws {
        let signed = try Signed(sign, key: Self.privateKey(sign))
        let link = try signed.location("http://s1.o\(tail)")
        #expect(link != "https://cdn.example.com/s1\(tail)")
        for second in [Signed.second, Signed.second + 1000] {
            let fresh = try signed.location("http://s1.o\(tail)", at: second)
            #expect(try signed.location(encoded(link), at: second) == fresh)
            #expect(try signed.location(link, at: second) == fresh)
        }
    }

    @Test(arguments: privateSchemes)
    func `a private key's token is masked, and its next key signs from its second on`(sign: String) throws {
        let signed = try Signed(sign, key: Self.privateKey(sign))
        let masked = try signed.location("http://s1.o/film/a.m3u8?a=1", showsAll: false)
        #expect(masked.contains("***"))
        #expect(!masked.contains("Signature=") || masked.contains("Signature=***"))
        let (old, new) = sign.contains("cloudfront") ? (PrivateKeys.ecdsa, PrivateKeys.rsa) : (PrivateKeys.ed25519, PrivateKeys.googlePath)
        let rotating = try Signed(sign, key: "current\nid K1\n\(old)next\nid K2\n\(new)switch 2020-08-21T00:00:00Z\n")
        let switches = 1_597_968_000
        #expect(try rotating.location("http://s1.o/film/a.m3u8", at: switches - 1).contains("=K1&"))
        #expect(try rotating.location("http://s1.o/film/a.m3u8", at: switches).contains("=K2"))
        let withoutID = try Signed(sign, key: "current\nid K1\n\(old)next\n\(new)switch 2020-08-21T00:00:00Z\n")
        #expect(try withoutID.location("http://s1.o/film/a.m3u8", at: switches).contains("=K1"))
    }

    @Test func `regression: what looks like Media CDN's token in an origin's URL is the video's own`() throws {
        let signed = try Signed(
            #""scheme": "media-cdn", "placement": "path""#, key: Self.privateKey("media-cdn"),
            more: #", {"name": "b", "url": "https://b.example.com"}"#)
        let tail = "/a/edge-cache-token=x/b.ts"
        #expect(try signed.location("http://s1.o\(tail)", .cdn(1)) == "https://b.example.com/s1\(tail)")
        #expect(try signed.location("/s1\(tail)", .cdn(1)) == "https://b.example.com/s1\(tail)")
    }

    @Test func `a raw link whose value ended at its first ampersand is read without its token too`() throws {
        let signed = try Signed(Self.schemes[0])
        let link = try signed.location("http://s1.o/film/a.m3u8")
        let cut = String(link.prefix { $0 != "&" })
        #expect(cut.contains("?md5="))
        #expect(try signed.location(cut) == link)
    }

    @Test func `what a player adds behind a token stays`() throws {
        let signed = try Signed(Self.schemes[0])
        let link = try signed.location("http://s1.o/film/a.m3u8?x=1")
        #expect(try signed.location(encoded(link + "&t=5&u")).hasPrefix("https://cdn.example.com/s1/film/a.m3u8?x=1&t=5&u&md5="))
    }

    @Test func `parameters that are passed on stand before the token`() throws {
        let signed = try Signed(Self.schemes[0])
        let link = try signed.location("http://s1.o/film/a.m3u8", query: "CMCD=bl%3D1")
        #expect(link.hasPrefix("https://cdn.example.com/s1/film/a.m3u8?CMCD=bl%3D1&md5="))
    }

    @Test func `a parameter that is called like a token's is the video's own where no token is, but not beside another`() throws {
        let signed = try Signed(Self.schemes[0], more: #", {"name": "b", "url": "https://b.example.com"}"#)
        #expect(try signed.location("https://b.example.com/s1/a?expires=7", .cdn(1)) == "https://b.example.com/s1/a?expires=7")
        #expect(try signed.location("https://b.example.com/s1/a?md5=x&b&expires=7", .cdn(1)) == "https://b.example.com/s1/a?b")
        // nginx would take the first of two for the link's own time.
        #expect(try signed.location("http://s1.o/a?expires=7&x") == signed.location("http://s1.o/a?x"))
    }

    @Test(arguments: [
        "/ABCDEFGHIJKLMNOPQRSTUV/1080/a.ts", "/ABCDEFGHIJKLMNOPQRSTUV/1598024587/a.ts", "/hdntl=1/a.ts", "/a.ts?md5=x&expires=1",
        "/a.ts?hdnts=x", "/a.ts?token=x&expires=1",
    ])
    func `regression: what looks like a CDN's token in an origin's URL is the video's own`(tail: String) throws {
        for sign in Self.schemes {
            let signed = try Signed(sign, url: Self.url(sign), more: #", {"name": "b", "url": "https://b.example.com"}"#)
            #expect(try signed.location("http://s1.o\(tail)", .cdn(1)) == "https://b.example.com/s1\(tail)")
            #expect(try signed.location("/s1\(tail)", .cdn(1)) == "https://b.example.com/s1\(tail)")
        }
    }

    @Test(arguments: schemes.dropLast(), ["/film/a.m3u8", "/film/a.m3u8?a=1", ""])
    func `a link to a signed origin comes back without its token too`(sign: String, tail: String) throws {
        let signed = try Signed(sign, url: Self.url(sign), origin: sign)
        let link = try signed.location("http://s1.o\(tail)", .origin)
        #expect(link.contains("1598024587"))
        #expect(
            try signed.location(encoded(link), .origin, at: Signed.second + 5)
                == signed.location("http://s1.o\(tail)", .origin, at: Signed.second + 5))
    }

    @Test(arguments: schemes)
    func `masked, a link shows no token`(sign: String) throws {
        let signed = try Signed(sign, url: Self.url(sign))
        let (link, masked) = (
            try signed.location("http://s1.o/film/a.m3u8?a=1"), try signed.location("http://s1.o/film/a.m3u8?a=1", showsAll: false)
        )
        #expect(masked.contains("***"))
        let parts = masked.components(separatedBy: "***")
        let token = link.dropFirst(parts[0].count).dropLast(parts[1].count)
        #expect(link == parts[0] + token + parts[1])
        // All that is secret: a digest of 22 characters or more is in the part that is left out.
        #expect(token.count >= 22)
        #expect(!parts.joined().split { !$0.isLetter && !$0.isNumber && $0 != "-" && $0 != "_" }.contains { $0.count >= 22 })
    }

    @Test(arguments: schemes.dropLast())
    func `a link expires a life and a minute after it was written`(sign: String) throws {
        #expect(try Signed(sign).location("http://s1.o/film/a.m3u8").contains("1598024587"))
    }

    @Test(arguments: schemes)
    func `the next key signs from its second on, and the current one until then`(sign: String) throws {
        let (old, new) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210")
        let rotating = try Signed(sign, key: "current \(old)\nnext \(new)\nswitch 2020-08-21T00:00:00Z\n", url: Self.url(sign))
        let switches = 1_597_968_000
        let (before, after) = (try Signed(sign, key: old, url: Self.url(sign)), try Signed(sign, key: new, url: Self.url(sign)))
        let video = "http://s1.o/film/a.m3u8"
        #expect(try rotating.location(video, at: switches - 1) == before.location(video, at: switches - 1))
        #expect(try rotating.location(video, at: switches) == after.location(video, at: switches))
        #expect(try rotating.location(video, at: switches) != before.location(video, at: switches))
    }

    @Test(arguments: schemes + privateSchemes + [#""scheme": "media-cdn-token""#])
    func `whatever the path and query, there is room and only visible ASCII is written`(sign: String) throws {
        let isPrivate = Self.privateSchemes.contains(sign)
        let key = isPrivate ? Self.privateKey(sign) : "current 0123456789abcdef0123456789abcdef"
        let signed = try Signed(sign, key: key, url: Self.url(sign), client: "2001:db8:1111:2222:3333:4444:5555:6666")
        var random = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            var source = Array("http://s1.o/".utf8)
            for _ in 0..<Int.random(in: 0...400, using: &random) {
                let byte = UInt8.random(in: 0x21...0xFF, using: &random)
                // Those that no video may have.
                if ![0x23, 0x25, 0x5C, 0x7F, 0x2E].contains(byte) { source.append(byte) }
            }
            var decoded: [UInt8] = []
            let video = try signed.table.video(in: 0..<source.count, of: source.span, decodedInto: &decoded)
            var out: [UInt8] = []
            signed.table.appendLocation(
                .cdn(0), video, of: source.span, passing: .empty, of: source.span, for: Asker(client: signed.client, second: Signed.second),
                to: &out)
            #expect(out.allSatisfy { (0x21...0x7E).contains($0) })
        }
    }

    private func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            let hex = String(byte, radix: 16, uppercase: true)
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (hex.count == 1 ? "0" + hex : hex)
        }.joined()
    }
}
