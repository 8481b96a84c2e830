import Foundation
import Steering
import TLS
import Testing

@testable import Signing

/// CloudFront's links: their policies, byte for byte. Tests/ControlAPI/test_signed_links.py checks the signatures with botocore and cryptography.
@Suite struct CloudFrontTests {
    private static let expiry = LinkLife.window(3600)

    private func policy(_ link: String) throws -> String {
        let text = try #require(link.components(separatedBy: "Policy=").last?.components(separatedBy: "&").first)
        let base64 = text.replacing("-", with: "+").replacing("_", with: "=").replacing("~", with: "/")
        return String(decoding: try #require(Data(base64Encoded: base64)), as: UTF8.self)
    }

    private func time(_ text: String) throws -> Int {
        try #require(Int(text.components(separatedBy: "EpochTime\":").last?.prefix { $0.isNumber } ?? ""))
    }

    @Test(arguments: [
        (#""covers": "directory""#, "https://cdn.example.com/s1/film/*", ""), (#""covers": "prefix""#, "https://cdn.example.com/*", ""),
        (
            #""covers": "file", "bindAddress": true"#, "https://cdn.example.com/s1/film/a.m3u8?x=1",
            #","IpAddress":{"AWS:SourceIp":"192.0.2.1/32"}"#
        ),
    ])
    func `a custom policy is what botocore writes`(members: String, resource: String, more: String) throws {
        let link = try Signed(#""scheme": "cloudfront", "# + members, key: "id K2JCJMDEHXQW5F\n" + PrivateKeys.rsa)
            .location("http://s1.o/film/a.m3u8?x=1")
        let policy = try policy(link)
        let expiry = try time(policy)
        #expect(
            policy
                == "{\"Statement\":[{\"Resource\":\"\(resource)\",\"Condition\":{\"DateLessThan\":{\"AWS:EpochTime\":\(expiry)}\(more)}}]}")
        #expect((Signed.expiry...Signed.expiry + LinkLife.window(3600)).contains(expiry))
        #expect(link.hasPrefix("https://cdn.example.com/s1/film/a.m3u8?x=1&Policy="))
        #expect(link.hasSuffix("&Key-Pair-Id=K2JCJMDEHXQW5F"))
    }

    @Test func `a file's policy is canned, and an ECDSA key says how it signs`() throws {
        for (key, end) in [(PrivateKeys.rsa, "&Key-Pair-Id=K1"), (PrivateKeys.ecdsa, "&Key-Pair-Id=K1&Hash-Algorithm=SHA256")] {
            let link = try Signed(#""scheme": "cloudfront", "covers": "file""#, key: "id K1\n" + key).location("http://s1.o/film/a.m3u8")
            #expect(link.hasPrefix("https://cdn.example.com/s1/film/a.m3u8?Expires="))
            #expect(link.contains("&Signature=") && !link.contains("Policy"))
            #expect(link.hasSuffix(end))
        }
    }

    @Test(arguments: ["file", "directory"])
    func `regression: a star in a path is no wildcard of its policy`(covers: String) throws {
        let link = try Signed(#""scheme": "cloudfront", "covers": "\#(covers)""#, key: "id K1\n" + PrivateKeys.ecdsa)
            .location("http://s1.o/*/a*.m3u8")
        #expect(link.hasPrefix("https://cdn.example.com/s1/%2A/a%2A.m3u8?"))
        if covers == "directory" { #expect(try policy(link).contains("\"https://cdn.example.com/s1/%2A/*\"")) }
    }

    @Test func `a film's links have one signature for a window, and every film's windows begin at another second`() throws {
        let signed = try Signed(#""scheme": "cloudfront""#, key: "id K1\n" + PrivateKeys.ecdsa)
        let window = LinkLife.window(3600)
        func signatures(_ film: String) throws -> [String] {
            try (0..<2 * window).map { second in
                let link = try signed.location("http://s1.o/\(film)/\(second).ts", at: Signed.second + second)
                return link.components(separatedBy: "Policy=")[1]
            }
        }
        let (one, other) = (try signatures("one"), try signatures("other"))
        // Two windows, and part of a third.
        #expect((2...3).contains(Set(one).count))
        #expect((2...3).contains(Set(other).count))
        func changes(_ list: [String]) -> [Int] { (1..<list.count).filter { list[$0] != list[$0 - 1] } }
        #expect(changes(one) != changes(other))
        #expect(Set(one).isDisjoint(with: other))
    }

    @Test func `a link is ready once its directory was signed, for every file of it, and not for another client that it binds`() throws {
        let signed = try Signed(#""scheme": "cloudfront""#, key: "id K1\n" + PrivateKeys.ecdsa)
        func isReady(_ video: String, _ client: String = "192.0.2.1") throws -> Bool {
            let source = Array(video.utf8)
            var decoded: [UInt8] = []
            var scratch: [UInt8] = []
            let found = try signed.table.video(in: 0..<source.count, of: source.span, decodedInto: &decoded)
            let asker = Asker(client: try #require(ClientAddress(client)), second: Signed.second)
            let isReady = signed.table.areLinksReady(
                found, of: source.span, passing: .empty, of: source.span, for: asker, scratch: &scratch)
            let works = signed.table.linkPreparations(found, of: source.span, passing: .empty, of: source.span, for: asker)
            #expect(works.isEmpty == isReady)
            for work in works { work.run() }
            return isReady
        }
        #expect(signed.table.signsSlowly)
        #expect(try !isReady("http://s1.o/film/a.m3u8"))
        #expect(try isReady("http://s1.o/film/b.ts"))
        #expect(try isReady("http://s1.o/film/b.ts", "192.0.2.2"))
        #expect(try !isReady("http://s1.o/other/b.ts"))
    }
}
