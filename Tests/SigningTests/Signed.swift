import Foundation
import Steering
import TLS
import Testing

@testable import Signing

/// A catalog whose one CDN is signed, and what it writes.
struct Signed {
    let table: RoutingTable
    let client: ClientAddress

    static let expiry = 1_598_024_587
    /// Whose links expire at `expiry`.
    static let second = expiry - 3600 - LinkLife.skew

    /// - Parameters:
    ///   - sign: members of `cdns[0].sign` beside key and life, in JSON.
    ///   - key: the content of the key's file.
    init(
        _ sign: String, key: String = "current 0123456789abcdef0123456789abcdef", url: String = "https://cdn.example.com",
        client: String = "192.0.2.1",
        origin: String? = nil, more: String = ""
    ) throws {
        let life = sign.contains("nginx-secret") ? "" : #", "life": 3600"#
        let originSign = origin.map { #", "sign": {"key": "k", "life": 3600, \#($0)}"# } ?? ""
        let text = """
            {"version": 1, "origin": {"domains": ["o"], "servers": ["s1"], "every": 0\(originSign)}, "redirect": {"passParameters": ["CMCD"]},
             "cdns": [{"name": "a", "url": "\(url)", "sign": {"key": "k"\(life), \(sign)}}\(more)]}
            """
        let catalog = try Catalog(JSONDecoder().decode(Document.self, from: Data(text.utf8)))
        let keys = ["k": try SigningKey(Array(key.utf8).span)]
        table = RoutingTable(catalog, revision: 1, signers: Signers(catalog, keys: keys))
        self.client = try #require(ClientAddress(client))
    }

    func location(
        _ video: String, _ target: Decision.Target = .cdn(0), query: String = "", at second: Int = Signed.second, showsAll: Bool = true
    ) throws -> String {
        let source = Array(video.utf8)
        let head = Array(query.utf8)
        var decoded: [UInt8] = []
        let found =
            video.hasPrefix("/")
            ? try table.video(atPath: 0..<source.count, of: source.span)
            : try table.video(in: 0..<source.count, of: source.span, decodedInto: &decoded)
        var out = Array("Location: ".utf8)
        let bytes = found.isDecoded ? decoded : source
        let token = table.appendLocation(
            target, found, of: bytes.span, passing: HeadRange(0..<head.count), of: head.span,
            for: Asker(client: client, second: second), to: &out)
        if !showsAll { out.replaceSubrange(token, with: "***".utf8) }
        return String(decoding: out.dropFirst(10), as: UTF8.self)
    }
}
