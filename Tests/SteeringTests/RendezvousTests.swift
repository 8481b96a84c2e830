import Testing

@testable import Steering

@Suite struct RendezvousTests {
    private static let films = 20_000

    private func table(_ weights: [Int], without gone: Int? = nil) throws -> RoutingTable {
        var setup = Setup(every: 0, cdns: Setup.cdns(weights: weights))
        if let gone { setup.cdns.remove(at: gone) }
        let selection = try Document(json: #"{"strategy": "hash", "on": "film"}"#)
        return RoutingTable(try Catalog(setup.document.setting("/selection", selection)), revision: 1)
    }

    /// The name of each film's CDN.
    private func places(_ table: RoutingTable) throws -> [String] {
        let sequences = SequenceBook().set(for: table)
        return try (0..<RendezvousTests.films).map { film in
            guard case .cdn(let cdn) = try table.ask("/video/\(film)/a.m3u8", sequences: sequences).target else { return "origin" }
            return table.catalog.cdns[cdn].name
        }
    }

    @Test(arguments: [[100, 100, 100], [5, 3, 2], [1000, 1, 250], [1, 1, 1, 1, 1, 1, 1]])
    func `shares follow the weights within two parts in a hundred`(weights: [Int]) throws {
        let table = try table(weights)
        let places = try places(table)
        let sum = weights.reduce(0, +)
        for (index, weight) in weights.enumerated() {
            let share = Double(places.count { $0 == "cdn-\(index)" }) / Double(RendezvousTests.films)
            #expect(abs(share - Double(weight) / Double(sum)) < 0.02, "cdn-\(index): \(share)")
        }
    }

    @Test(arguments: 0..<5) func `a CDN that goes moves its own films and no other`(gone: Int) throws {
        let weights = [100, 80, 120, 100, 100]
        let before = try places(table(weights))
        let after = try places(table(weights, without: gone))
        for (was, is_) in zip(before, after) where was != "cdn-\(gone)" { #expect(was == is_) }
        let moved = zip(before, after).count { $0 != $1 }
        #expect(Double(moved) / Double(RendezvousTests.films) <= Double(weights[gone]) / 500 + 0.02)
    }

    @Test func `a CDN that does not work moves its films as one that is gone`() throws {
        let catalog = try table([1, 1, 1, 1]).catalog
        let down = RoutingTable(catalog, revision: 1, health: Health(downCDNs: ["cdn-2"]))
        #expect(try places(down) == places(table([1, 1, 1, 1], without: 2)))
    }

    @Test func `all pieces of a film and all its queries go to one CDN`() throws {
        let table = try table([1, 1, 1, 1, 1])
        let sequences = SequenceBook().set(for: table)
        let pieces = ["/video/7/a.m3u8", "/video/7/seg-1.ts", "/video/7/seg-2.ts?token=/x/y", "/video/7/"]
        #expect(Set(try pieces.map { "\(try table.ask($0, sequences: sequences).target)" }).count == 1)
    }

    @Test func `a viewer is its network, or what the catalog names, and falls back to the network`() throws {
        for (viewer, fields, query) in [
            ("header:X-Viewer", [("x-viewer", "anna")], ""), ("cookie:sid", [("Cookie", "a=b; sid=anna; c=d")], ""),
            ("query:user", [], "video=x&user=anna"),
        ] {
            let selection = Document.object([
                .init("strategy", .string("hash")), .init("on", .string("viewer")), .init("viewer", .string(viewer)),
            ])
            let setup = Setup(every: 0, cdns: Setup.cdns(weights: [1, 1, 1, 1, 1, 1, 1, 1]))
            let table = RoutingTable(try Catalog(setup.document.setting("/selection", selection)), revision: 1)
            let sequences = SequenceBook().set(for: table)
            func target(_ client: String, named: Bool) throws -> Decision.Target {
                try table.ask("/f/\(client)", from: client, fields: named ? fields : [], query: named ? query : "", sequences: sequences)
                    .target
            }
            let clients = (0..<64).map { "10.0.\($0).7" }
            #expect(Set(try clients.map { "\(try target($0, named: true))" }).count == 1, "\(viewer)")
            #expect(Set(try clients.map { "\(try target($0, named: false))" }).count > 4, "\(viewer)")
            #expect(try target("10.0.3.7", named: false) == target("10.0.3.250", named: false))
        }
    }

    @Test func `logarithms are right to six digits`() {
        for (value, wanted) in [(UInt64.max >> 1, 1.0), (1 << 62, 2.0), (1, 64.0), (3 << 62, 0.415037499), (0, 64.0)] {
            #expect(abs(Logarithm.negativeBinary(value, Logarithm.table) - wanted) < 1e-6, "\(value)")
        }
    }
}
