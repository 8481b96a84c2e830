import Testing

@testable import Steering

/// `avoid=NAME`: a player leaves out the CDN that failed it.
@Suite struct DecisionAvoidTests {
    @Test(arguments: [nil, 1, 3])
    func `an avoided CDN gets nothing, and the origin keeps its share`(rotate: Int?) throws {
        let table = try Setup(every: 5, cdns: Setup.cdns(weights: [5, 3, 2]), rotate: rotate).table()
        for avoided in 0..<3 {
            let tally = try table.tally(500, avoiding: avoided, SequenceBook().set(for: table))
            #expect(tally.origin == 100)
            #expect(tally.cdns[avoided] == 0)
            #expect(tally.cdns.count { $0 > 0 } == 2)
            #expect(tally.cdns.reduce(0, +) == 400)
        }
    }

    @Test func `who avoids a CDN gets the next choice of the same number, others get their own`() throws {
        let table = try Setup(every: 0, cdns: Setup.cdns(weights: [1, 1, 1])).table()
        let sequences = SequenceBook().set(for: table)
        let decisions = try [0, 0, nil, 2, 2, 2].map { try table.decide(server: 0, avoiding: $0, sequences: sequences) }
        #expect(decisions.map(\.target) == [.cdn(1), .cdn(1), .cdn(2), .cdn(0), .cdn(1), .cdn(0)])
        #expect(decisions.map(\.reason) == [.avoided, .weighted, .weighted, .weighted, .weighted, .avoided])
        #expect(decisions.map(\.number) == [1, 2, 3, 4, 5, 6])
    }

    @Test func `the only CDN avoided means the origin, which takes a number but no slot`() throws {
        let table = try Setup(every: 3).table()
        let sequences = SequenceBook().set(for: table)
        let decisions = try (0..<3).map { _ in try table.decide(server: 0, avoiding: 0, sequences: sequences) }
        #expect(decisions.map(\.target) == [.origin, .origin, .origin])
        #expect(decisions.map(\.reason) == [.noCDN, .noCDN, .everyNth])
        #expect(sequences.sequences[0].taken == (3, 0))
    }

    @Test func `the only CDN that takes traffic counts as the only one`() throws {
        var cdns = Setup.cdns(weights: [10, 0, 10])
        cdns[2].enabled = false
        let table = try Setup(every: 10, cdns: cdns).table()
        #expect(try table.targets(2, avoiding: 0, SequenceBook().set(for: table)) == [.origin, .origin])
    }

    @Test(arguments: [nil, 4])
    func `the only CDN avoided and no origin allowed is refused and takes no number`(rotate: Int?) throws {
        let table = try Setup(every: 0, rotate: rotate).table()
        let sequences = SequenceBook().set(for: table)
        #expect(throws: Refusal.noTarget) { try table.decide(server: 0, avoiding: 0, sequences: sequences) }
        #expect(sequences.sequences[0].taken == (0, 0))
        #expect(try table.targets(1, sequences) == [.cdn(0)])
    }

    @Test func `without CDNs everything goes to the origin`() throws {
        let table = try Setup(every: 4, cdns: []).table()
        let sequences = SequenceBook().set(for: table)
        let decisions = try (0..<4).map { _ in try table.decide(server: 0, avoiding: nil, sequences: sequences) }
        #expect(decisions.map(\.target) == [.origin, .origin, .origin, .origin])
        #expect(decisions.map(\.reason) == [.noCDN, .noCDN, .noCDN, .everyNth])
    }

    @Test func `avoiding a CDN that takes no traffic changes nothing`() throws {
        let table = try Setup(every: 0, cdns: Setup.cdns(weights: [1, 0])).table()
        let decision = try table.decide(server: 0, avoiding: 1, sequences: SequenceBook().set(for: table))
        #expect(decision.target == .cdn(0) && decision.number == 1 && decision.reason == .weighted)
    }

    @Test(arguments: [
        ("a", 0), ("A", 0), ("Cdn.B_1-x", 1), ("cdn.b_1-X", 1), ("", nil), ("c", nil), ("origin", nil), ("a ", nil), ("%61", nil),
    ])
    func `a CDN is found by name, letter case apart, and an unknown name is passed over`(name: String, index: Int?) throws {
        let table = try Setup(cdns: [.init(name: "a", url: "http://a"), .init(name: "Cdn.B_1-x", url: "http://b")]).table()
        let query = Array("video=x&avoid=\(name)&y".utf8)
        let value = try #require(try Query(query.span, 0..<query.count).avoid)
        #expect(table.cdn(named: value, of: query.span) == index)
    }
}
