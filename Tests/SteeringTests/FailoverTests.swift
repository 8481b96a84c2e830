import Testing

@testable import Steering

@Suite struct FailoverTests {
    private func catalog(_ weights: [Int], every: Int = 0, failover: String = "{}", caps: [Int: Int] = [:]) throws -> Catalog {
        var document = Setup(every: every, cdns: Setup.cdns(weights: weights)).document
        for (cdn, cap) in caps { document = document.setting("/cdns/\(cdn)/maxPerSecond", .integer(cap)) }
        return try Catalog(document.setting("/failover", try Document(json: failover)))
    }

    @Test func `the share of a CDN that fails goes to the others in proportion`() throws {
        let table = RoutingTable(try catalog([2, 3, 1]), revision: 1, health: Health(downCDNs: ["cdn-0"]))
        #expect(try table.tally(400, SequenceBook().set(for: table)).cdns == [0, 300, 100])
    }

    @Test func `health is ignored while too little of the weight works`() throws {
        let few = Health(downCDNs: ["cdn-0", "cdn-1"])
        let panicking = RoutingTable(try catalog([2, 2, 1]), revision: 1, health: few)
        #expect(panicking.panics == ["default"])
        #expect(try panicking.tally(500, SequenceBook().set(for: panicking)).cdns == [200, 200, 100])
        let strict = RoutingTable(try catalog([2, 2, 1], failover: #"{"panicThreshold": 0}"#), revision: 1, health: few)
        #expect(strict.panics == [])
        #expect(try strict.tally(500, SequenceBook().set(for: strict)).cdns == [0, 0, 500])
        let half = RoutingTable(try catalog([1, 1]), revision: 1, health: Health(downCDNs: ["cdn-1"]))
        #expect(half.panics == [])
    }

    @Test(arguments: [([1], 0), ([1, 1], 0), ([1, 1, 1], 0), ([9, 1], 90), ([1, 1, 1], 300)])
    func `the shares of CDNs that fail go to the origin when what is left would be crushed`(weights: [Int], kept: Int) throws {
        // As many fail as it takes: all but the last when it keeps its share.
        let down = Set(weights.indices.dropLast(kept > 0 ? 1 : 0).map { "cdn-\($0)" })
        let table = RoutingTable(try catalog(weights, every: 10), revision: 1, health: Health(downCDNs: down))
        #expect(table.panics == [] && table.failovers == ["default"])
        let tally = try table.tally(1000, SequenceBook().set(for: table))
        #expect(tally.cdns.dropLast().allSatisfy { $0 == 0 } && tally.cdns.last == kept)
        #expect(tally.origin == 1000 - kept)
        let wanted = table.wantedShares
        #expect(abs(wanted.origin - Double(tally.origin) / 1000) < 1e-9 && abs(wanted.origin + wanted.cdns.reduce(0, +) - 1) < 1e-9)
    }

    @Test func `the origin takes no more of them a second than its limit, and the rest is shared as though all worked`() throws {
        let catalog = try catalog([1], every: 10, failover: #"{"originLimit": 4}"#)
        let table = RoutingTable(catalog, revision: 1, health: Health(downCDNs: ["cdn-0"]))
        let sequences = SequenceBook().set(for: table)
        for second in [1, 2] {
            let decisions = try (0..<20).map { _ in try table.ask("/x", at: second, sequences: sequences) }
            #expect(decisions.count { $0.reason == .everyNth } == 2)
            #expect(decisions.count { $0.reason == .noCDN && $0.target == .origin } == 4)
            #expect(decisions.count { $0.target == .cdn(0) } == 14)
        }
    }

    @Test(arguments: [
        (every: 0, Health(downCDNs: ["cdn-0"])), (every: 10, Health(downCDNs: ["cdn-0"], downServers: Set((1...99).map { "s\($0)" }))),
        (every: 10, Health(downCDNs: ["cdn-0"], unprovenCDNs: ["cdn-0"])),
    ]) func `without an origin that may help, or with a probe that was never good, health is ignored`(every: Int, health: Health) throws {
        let table = RoutingTable(try catalog([1], every: every), revision: 1, health: health)
        #expect(table.failovers == [] && table.panics == ["default"])
        let tally = try table.tally(100, SequenceBook().set(for: table))
        #expect(tally.cdns[0] >= 90)
    }

    @Test func `the share of a failing CDN goes by where the video is: to its server when that works`() throws {
        let health = Health(downCDNs: ["cdn-0"], downServers: ["s1"])
        let table = RoutingTable(try catalog([1], every: 10), revision: 1, health: health)
        let sequences = SequenceBook().set(for: table)
        #expect(try table.tally(50, server: 0, sequences) == Tally(origin: 0, cdns: [50]))
        #expect(try table.tally(50, server: 1, sequences) == Tally(origin: 50, cdns: [0]))
    }

    @Test func `with no CDN left the origin takes what its limit allows a second`() throws {
        let failover = #"{"panicThreshold": 0, "originLimit": 10}"#
        let catalog = try catalog([1], every: 100, failover: failover)
        let table = RoutingTable(catalog, revision: 1, health: Health(downCDNs: ["cdn-0"]))
        let sequences = SequenceBook().set(for: table)
        for second in [5, 6, 7] {
            let decisions = (0..<30).map { _ in try? table.ask("/x", at: second, sequences: sequences) }
            #expect(decisions.count { $0 != nil } == 10)
            #expect(decisions.allSatisfy { $0 == nil || $0?.target == .origin })
        }
        // Refused requests took no number.
        #expect(try table.ask("/x", at: 8, sequences: sequences).number == 31)
        let shared = RoutingTable(catalog, revision: 1, health: Health(downCDNs: ["cdn-0"]), nodes: 3)
        let mine = SequenceBook().set(for: shared)
        #expect((0..<30).count { _ in (try? shared.ask("/x", sequences: mine)) != nil } == 3)
    }

    @Test func `the N-th of an origin server that fails goes to a CDN`() throws {
        let catalog = try catalog([1, 1], every: 2)
        let table = RoutingTable(catalog, revision: 1, health: Health(downServers: ["s1"]))
        let sequences = SequenceBook().set(for: table)
        let first = try (0..<4).map { _ in try table.ask("/x", server: 0, sequences: sequences) }
        #expect(first.allSatisfy { $0.target != .origin })
        #expect(first.map { $0.reason == .originDown } == [false, true, false, true])
        #expect(try table.tally(4, server: 1, sequences).origin == 2)
    }

    @Test func `a full CDN overflows to the next choice, and full CDNs to the origin`() throws {
        let table = RoutingTable(try catalog([8, 1, 1], every: 1000, caps: [0: 4, 1: 3, 2: 3]), revision: 1)
        let sequences = SequenceBook().set(for: table)
        for second in [1, 2] {
            let decisions = try (0..<12).map { _ in try table.ask("/x", at: second, sequences: sequences) }
            #expect((0..<3).map { cdn in decisions.count { $0.target == .cdn(cdn) } } == [4, 3, 3])
            #expect(decisions.count { $0.reason == .noCDN } == 2)
        }
        #expect(try table.ask("/x", avoiding: 0, at: 3, sequences: sequences).target != .cdn(0))
    }

    @Test func `ordered takes the first that works`() throws {
        let document = try catalog([1, 1, 1]).document.setting("/selection", try Document(json: #"{"strategy": "ordered"}"#))
        let catalog = try Catalog(document)
        for (down, wanted) in [([], 0), (["cdn-0"], 1)] {
            let table = RoutingTable(catalog, revision: 1, health: Health(downCDNs: Set(down)))
            #expect(try table.ask("/x", sequences: SequenceBook().set(for: table)).target == .cdn(wanted))
        }
    }

    @Test func `a clock that is set back begins a new second`() {
        let cap = RateCap()
        #expect(cap.take(second: 1000, limit: 1) && !cap.take(second: 1000, limit: 1))
        #expect(!cap.take(second: 999, limit: 1), "a worker a moment behind counts in the newer second")
        #expect(cap.take(second: 500, limit: 1))
        for second in [Int.min, -1, Int.max] { _ = cap.take(second: second, limit: 1) }
    }
}

/// CDNs that their players leave by themselves.
@Suite struct LeftCDNTests {
    private static func table(_ left: Set<String>, every: Int = 10, weights: [Int] = [1, 1, 1]) throws -> RoutingTable {
        var health = Health()
        health.leftCDNs = left
        return RoutingTable(try Catalog(Setup(every: every, cdns: Setup.cdns(weights: weights)).document), revision: 1, health: health)
    }

    @Test func `one that is left gets nothing, as if its probes failed`() throws {
        let table = try Self.table(["cdn-1"])
        let sequences = SequenceBook().set(for: table)
        let targets = try (0..<40).map { _ in try table.decide(server: 0, avoiding: nil, sequences: sequences).target }
        #expect(!targets.contains(.cdn(1)) && targets.contains(.cdn(0)) && targets.contains(.cdn(2)))
        let steps = table.explain("/s1/a", avoiding: nil, at: 0, sequences: sequences).steps
        #expect(steps.contains { $0.about == "excluded" && $0.text == "cdn-1: its players leave it" })
    }

    @Test func `regression: players that lie about every CDN move nobody to the origin`() throws {
        let table = try Self.table(["cdn-0", "cdn-1", "cdn-2"])
        let sequences = SequenceBook().set(for: table)
        let targets = try (1...40).map { _ in try table.decide(server: 0, avoiding: nil, sequences: sequences).target }
        #expect(targets.count { $0 == .origin } == 4 && table.failovers.isEmpty && table.panics == ["default"])
    }
}
