import Foundation
import Steering
import TLS
import Testing

@testable import Signing

/// A target whose links cannot be signed is left out, with a reason.
@Suite struct MissingKeyTests {
    private static func catalog(every: Int, origin: Bool = false) throws -> Catalog {
        let sign = #""sign": {"scheme": "akamai", "key": "k"}"#
        let text = """
            {"version": 1, "origin": {"domains": ["o"], "servers": ["s1"], "every": \(every)\(origin ? ", " + sign : "")},
             "steering": {"enabled": true},
             "cdns": [{"name": "a", "url": "https://a", \(sign)}, {"name": "b", "url": "https://b"}]}
            """
        return try Catalog(JSONDecoder().decode(Document.self, from: Data(text.utf8)))
    }

    private static func targets(_ table: RoutingTable) throws -> Set<String> {
        let book = SequenceBook()
        let url = "http://s1.o/x"
        return Set(
            try (0..<20).map { _ in
                let source = Array(url.utf8)
                var decoded: [UInt8] = []
                let video = try table.video(in: 0..<source.count, of: source.span, decodedInto: &decoded)
                let asker = Asker(client: .unknown, second: 0)
                switch try table.decide(video, of: source.span, asker, head: source.span, sequences: book.set(for: table)).target {
                case .origin: return "origin"
                case .cdn(let cdn): return table.catalog.cdns[cdn].name
                }
            })
    }

    @Test(arguments: [nil, [:], ["k": "too-short"]] as [[String: String]?])
    func `without a fitting key a CDN gets no redirect and the others all, whatever health says`(files: [String: String]?) throws {
        let catalog = try Self.catalog(every: 4)
        let keys = try files.map { try $0.mapValues { try SigningKey(Array($0.utf8).span) } }
        let table = RoutingTable(catalog, revision: 1, signers: Signers(catalog, keys: keys))
        #expect(try Self.targets(table) == ["b", "origin"])
        #expect(table.unsigned.map(\.target) == ["a"])
        // Nor in a panic, in which health is ignored.
        let panicking = table.with(health: Health(downCDNs: ["a", "b"]), nodes: 1)
        #expect(try Self.targets(panicking).contains("a") == false)
    }

    @Test func `with its key it gets its share`() throws {
        let catalog = try Self.catalog(every: 0)
        let keys = ["k": try SigningKey(Array("0123456789abcdef0123456789abcdef".utf8).span)]
        let table = RoutingTable(catalog, revision: 1, signers: Signers(catalog, keys: keys))
        #expect(try Self.targets(table) == ["a", "b"])
        #expect(table.unsigned.isEmpty)
    }

    @Test func `an origin whose key is missing is no target, not even the last resort`() throws {
        let catalog = try Self.catalog(every: 1, origin: true)
        let table = RoutingTable(catalog, revision: 1, signers: Signers(catalog, keys: [:]))
        #expect(table.unsigned.map(\.target) == ["origin", "a"])
        #expect(try Self.targets(table) == ["b"])
        let only = table.with(health: Health(downCDNs: ["b"]), nodes: 1)
        #expect(try Self.targets(only) == ["b"])
    }

    @Test func `explain says why`() throws {
        let catalog = try Self.catalog(every: 0)
        let table = RoutingTable(catalog, revision: 1, signers: Signers(catalog, keys: [:]))
        let explanation = table.explain("http://s1.o/x", avoiding: nil, at: 0, sequences: SequenceBook().set(for: table))
        let excluded = explanation.steps.filter { $0.about == "excluded" }.map(\.text)
        #expect(excluded.contains { $0.hasPrefix("a: its links cannot be signed: there is no key \"k\" on this node") })
    }

    @Test func `explain masks the token unless it is asked for it`() throws {
        let catalog = try Self.catalog(every: 0)
        let keys = ["k": try SigningKey(Array("0123456789abcdef0123456789abcdef".utf8).span)]
        let table = RoutingTable(catalog, revision: 1, signers: Signers(catalog, keys: keys))
        func location(_ showsToken: Bool) -> String {
            let set = SequenceBook().set(for: table)
            return table.explain("http://s1.o/x", avoiding: "b", at: 0, sequences: set, showsToken: showsToken).location ?? ""
        }
        #expect(location(false) == "https://a/s1/x?hdnts=***")
        #expect(location(true).hasPrefix("https://a/s1/x?hdnts=exp=21660~acl=/s1/*~hmac="))
    }
}
