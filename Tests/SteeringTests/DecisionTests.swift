import Testing

@testable import Steering

@Suite struct DecisionTests {
    @Test(arguments: [0, 1, 2, 3, 10], [[1], [1, 1], [9, 1], [5, 3, 2], [0, 2, 0, 1]])
    func `over whole rings every N-th goes to the origin and the CDNs get their exact shares`(every: Int, weights: [Int]) throws {
        let table = try Setup(every: every, cdns: Setup.cdns(weights: weights)).table()
        let sequences = SequenceBook().set(for: table)
        let ring = weights.reduce(0, +)
        for _ in 1...3 {
            let tally = try table.tally(max(1, every) * ring, sequences)
            #expect(tally.origin == (every == 0 ? 0 : ring))
            let rings = every == 0 ? 1 : every - 1
            #expect(tally.cdns == weights.map { $0 * rings })
        }
    }

    @Test(arguments: [1, 2, 3, 10])
    func `exactly the multiples of N go to the origin, and numbers count from 1`(every: Int) throws {
        let table = try Setup(every: every).table()
        let sequences = SequenceBook().set(for: table)
        for number in 1...50 {
            let decision = try table.decide(server: 0, avoiding: nil, sequences: sequences)
            let isOrigin = number.isMultiple(of: every)
            #expect(decision.target == (isOrigin ? .origin : .cdn(0)))
            #expect(decision.number == UInt64(number) && decision.reason == (isOrigin ? .everyNth : .weighted))
        }
        #expect(sequences.sequences[0].taken == (50, UInt64(50 - 50 / every)))
    }

    @Test func `with every second to the origin two equal CDNs still share the rest`() throws {
        let table = try Setup(every: 2, cdns: Setup.cdns(weights: [1, 1])).table()
        #expect(
            try table.targets(8, SequenceBook().set(for: table)) == [
                .cdn(0), .origin, .cdn(1), .origin, .cdn(0), .origin, .cdn(1), .origin,
            ])
    }

    @Test(arguments: ["weighted", "rotate"])
    func `a drained or weightless CDN gets nothing, and indexes stay those of the catalog`(strategy: String) throws {
        var cdns = Setup.cdns(weights: [50, 0, 50, 50])
        cdns[2].enabled = false
        let table = try Setup(every: 0, cdns: cdns, rotate: strategy == "rotate" ? 1 : nil).table()
        #expect(try table.tally(100, SequenceBook().set(for: table)) == Tally(cdns: [50, 0, 0, 50]))
    }

    @Test func `scope server counts every server apart, in numbers and in slots`() throws {
        let table = try Setup(servers: ["s[1-3]"], every: 2, scope: "server", cdns: Setup.cdns(weights: [1, 1])).table()
        let sequences = SequenceBook().set(for: table)
        let expected: [Decision.Target] = [.cdn(0), .origin, .cdn(1), .origin]
        for step in expected {
            for server in 0..<3 { #expect(try table.targets(1, server: server, sequences) == [step]) }
        }
        #expect(sequences.sequences.map(\.taken.redirects) == [4, 4, 4])
    }

    @Test func `scope all counts all servers together`() throws {
        let table = try Setup(servers: ["s[1-3]"], every: 3).table()
        let sequences = SequenceBook().set(for: table)
        let targets = try (0..<9).map { try table.decide(server: $0 % 3, avoiding: nil, sequences: sequences).target }
        #expect(targets == Array(repeating: [.cdn(0), .cdn(0), .origin], count: 3).flatMap { $0 })
    }

    @Test func `rotate moves to the next CDN after every M-th CDN-bound redirect`() throws {
        let table = try Setup(every: 4, cdns: Setup.cdns(weights: [1, 1000, 7]), rotate: 2).table()
        let sequences = SequenceBook().set(for: table)
        let bound = [0, 0, 1, 1, 2, 2].map { Decision.Target.cdn($0) }
        let cycle: [Decision.Target] = bound[0..<3] + [.origin] + bound[3..<6] + [.origin]
        #expect(try table.targets(24, sequences) == cycle + cycle + cycle)
    }

    @Test func `rotate gives its reason`() throws {
        let table = try Setup(every: 0, rotate: 5).table()
        #expect(try table.decide(server: 0, avoiding: nil, sequences: SequenceBook().set(for: table)).reason == .rotated)
    }

    @Test func `sequences near the end of their range go on`() throws {
        let table = try Setup(every: 10, cdns: Setup.cdns(weights: [5, 3, 2])).table()
        let book = SequenceBook(saved: [("all", UInt64.max - 1, UInt64.max - 1)])
        #expect(throws: Never.self) { try table.tally(100, book.set(for: table)) }
    }

    @Test func `reasons have unique names`() {
        #expect(Set(Decision.Reason.allCases.map(\.name)).count == Decision.Reason.allCases.count)
    }
}
