import Testing

@testable import Steering

@Suite struct SessionSimulationTests {
    private static func table(weights: [Int], every: Int = 0, ttl: Int = 30, health: Health = .allUp) throws -> RoutingTable {
        let document = Setup(every: every, cdns: Setup.cdns(weights: weights)).document
            .setting("/steering", try Document(json: #"{"enabled": true, "ttl": \#(ttl), "ttlUnhealthy": 10}"#))
        return RoutingTable(try Catalog(document), revision: 1, health: health)
    }

    private static func play(_ simulation: inout SessionSimulation, _ seconds: Int) throws -> [SessionSimulation.Second] {
        try (0..<seconds).map { _ in try simulation.step() }
    }

    @Test func `who begins evenly asks evenly: the busiest second has at most 1.3 of the mean`() throws {
        // Two TTLs to begin, six in all, as ten minutes are of the usual TTL.
        var simulation = SessionSimulation(try Self.table(weights: [1, 1]), path: "/s1/a", sessions: 60_000, beginOver: 60, start: 7)
        let asks = try Self.play(&simulation, 180).map(\.asks)
        // Once all have begun each asks once in a TTL.
        #expect(Double(asks.max() ?? 0) <= 1.3 * 2_000, "\(asks.max() ?? 0)")
        #expect(asks[150...].allSatisfy { (1_700...2_300).contains($0) })
    }

    @Test func `who begins in a fifth of a TTL asks evenly after three TTLs`() throws {
        var simulation = SessionSimulation(try Self.table(weights: [1, 1]), path: "/s1/a", sessions: 60_000, beginOver: 6, start: 7)
        _ = try Self.play(&simulation, 6 + 3 * 30)
        let asks = try Self.play(&simulation, 90).map(\.asks)
        let mean = Double(asks.reduce(0, +)) / 90
        #expect((1_900...2_100).contains(mean) && Double(asks.max() ?? 0) <= 1.3 * mean, "\(asks.max() ?? 0), \(mean)")
    }

    @Test func `all who are told at once to ask rarely again do so evenly after three TTLs`() throws {
        let sick = try Self.table(weights: [1, 1], health: Health(downCDNs: ["cdn-0"]))
        var simulation = SessionSimulation(sick, path: "/s1/a", sessions: 60_000, beginOver: 10, start: 7)
        _ = try Self.play(&simulation, 60)
        simulation.change(to: try Self.table(weights: [1, 1]))
        _ = try Self.play(&simulation, 12 + 3 * 30)
        let asks = try Self.play(&simulation, 60).map(\.asks)
        #expect(Double(asks.max() ?? 0) <= 1.3 * 2_000, "\(asks.max() ?? 0)")
    }

    @Test func `weights from 50 to 50 to 90 to 10 move two of five, all within one TTL, and nobody twice`() throws {
        var simulation = SessionSimulation(try Self.table(weights: [50, 50]), path: "/s1/a", sessions: 5_000, beginOver: 30, start: 7)
        #expect(try Self.play(&simulation, 150).map(\.moves).reduce(0, +) == 0, "where nothing changes nobody moves")
        simulation.change(to: try Self.table(weights: [90, 10]))
        let moves = try Self.play(&simulation, 30).map(\.moves)
        #expect((1_800...2_100).contains(moves.reduce(0, +)), "\(moves.reduce(0, +))")
        #expect(moves.allSatisfy { $0 < 130 }, "evenly over the TTL: \(moves)")
        #expect(try Self.play(&simulation, 60).map(\.moves).reduce(0, +) == 0, "all that should have moved")
        #expect(abs(Double(simulation.viewers[1]) / 5_000 - 0.9) < 0.02 && simulation.viewers.reduce(0, +) == 5_000)
    }

    @Test func `a CDN that dies is empty after one TTL, and gets its viewers back when it is well`() throws {
        let well = try Self.table(weights: [1, 1], every: 10)
        var simulation = SessionSimulation(well, path: "/s1/a", sessions: 2_000, beginOver: 30, start: 7)
        _ = try Self.play(&simulation, 120)
        let before = simulation.viewers
        #expect(before[0] == 200)
        simulation.change(to: try Self.table(weights: [1, 1], every: 10, health: Health(downCDNs: ["cdn-1"])))
        let seconds = try Self.play(&simulation, 30)
        #expect(simulation.viewers[2] == 0 && seconds.map(\.moves).reduce(0, +) == before[2])
        simulation.change(to: well)
        _ = try Self.play(&simulation, 36)
        #expect(simulation.viewers == before)
    }

    @Test func `regression: a change to a catalog that steers nobody leaves all where they are`() throws {
        var simulation = SessionSimulation(try Self.table(weights: [1, 1]), path: "/s1/a", sessions: 20, beginOver: 1, start: 7)
        _ = try Self.play(&simulation, 10)
        let before = simulation.viewers
        simulation.change(to: RoutingTable(try Catalog(Setup(every: 0, cdns: Setup.cdns(weights: [1, 1])).document), revision: 2))
        #expect(try Self.play(&simulation, 40).map(\.refused).reduce(0, +) == 20 && simulation.viewers == before)
    }

    @Test func `who is refused goes on asking, and is counted`() throws {
        let document = Setup(every: 0, cdns: Setup.cdns(weights: [1])).document
            .setting("/steering", try Document(json: #"{"enabled": true, "ttl": 30}"#))
            .setting("/rules", try Document(json: #"[{"name": "no", "when": {"paths": ["/no/"]}, "deny": true}]"#))
        var simulation = SessionSimulation(
            RoutingTable(try Catalog(document), revision: 1), path: "/s1/no/a", sessions: 10, beginOver: 1, start: 7)
        let seconds = try Self.play(&simulation, 60)
        #expect(seconds.map(\.refused).reduce(0, +) == 20 && simulation.viewers == [0, 0])
        var nowhere = SessionSimulation(try Self.table(weights: [1]), path: "/s100/a", sessions: 1, beginOver: 1, start: 7)
        #expect(throws: Refusal.unknownServer) { try nowhere.step() }
    }
}
