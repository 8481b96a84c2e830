import Testing

@testable import Steering

/// Steering with as many CDNs as a catalog may have, and hardly one of them of any use.
@Suite struct SteeringExtremesTests {
    private static func table(
        every: Int = 0, weights: [Int], health: Health = .allUp, _ changes: [(String, Document)] = []
    ) throws -> RoutingTable {
        var document = Setup(every: every, cdns: Setup.cdns(weights: weights)).document.setting("/steering/enabled", .bool(true))
        for (pointer, value) in changes { document = document.setting(pointer, value) }
        return RoutingTable(try Catalog(document), revision: 1, health: health)
    }

    private static let alike = [Int](repeating: 1, count: 1000)
    private static let noPanic: (String, Document) = ("/failover/panicThreshold", .integer(0))

    private static func targets(_ list: SteeringList) -> [Decision.Target] { (0..<list.count).map { list[$0] } }

    @Test func `of a thousand CDNs one works: it has all sessions, and three that are down stand behind it`() throws {
        let health = Health(downCDNs: Set((0..<1000).filter { $0 != 617 }.map { "cdn-\($0)" }))
        let table = try Self.table(weights: Self.alike, health: health, [Self.noPanic])
        let whole = try Self.table(weights: Self.alike)
        let sequences = SequenceBook().set(for: table)
        for session in UInt64(1)...50 {
            let list = try table.steer(session: session, sequences: sequences)
            let targets = Self.targets(list)
            #expect(targets.count == 4 && list.usable == 1 && targets[0] == .cdn(617) && list.isUnhealthy)
            let first = try whole.steer(session: session, sequences: SequenceBook().set(for: whole))
            #expect(Array(targets.dropFirst()) == Array(Self.targets(first).filter { $0 != .cdn(617) }.prefix(3)), "in the session's order")
        }
    }

    @Test func `all CDNs drained: the origin alone; a catalog that has none to name is refused`() throws {
        for drained in [Document.object([.init("weight", .integer(0))]), .object([.init("enabled", .bool(false))])] {
            guard case .object(let members) = drained else { return }
            let changes = (0..<20).map { ("/cdns/\($0)/\(members[0].key)", members[0].value) }
            let weights = [Int](repeating: 5, count: 20)
            let table = try Self.table(every: 10, weights: weights, changes)
            let list = try table.steer(session: 3, sequences: SequenceBook().set(for: table))
            #expect(Self.targets(list) == [.origin] && list.reason == .noCDN)
            #expect(throws: CatalogFaults.self) { try Self.table(weights: weights, changes) }
        }
    }

    @Test func `weights as far apart as may be: the light ones keep their part, and stand behind for all others`() throws {
        var weights = [Int](repeating: 1, count: 101)
        weights[40] = 1000
        let table = try Self.table(weights: weights)
        let sequences = SequenceBook().set(for: table)
        let lists = try (UInt64(1)...4_000).map { Self.targets(try table.steer(session: $0, sequences: sequences)) }
        // A hundred of eleven hundred: 364, give or take 18.
        #expect((300...430).contains(lists.count { $0[0] != .cdn(40) }))
        #expect(lists.allSatisfy { $0.count == 4 })
        #expect(Set(lists.filter { $0[0] == .cdn(40) }.map { "\($0[1])" }).count == 100)
    }

    @Test func `where all but one are at their caps a new session gets the one, and who plays from a full one stays`() throws {
        let capped = (0..<1000).filter { $0 != 617 }.map { ("/cdns/\($0)/maxPerSecond", Document.integer(1)) }
        for strategy in ["weighted", "hash"] {
            let table = try Self.table(weights: Self.alike, capped + [("/selection/strategy", .string(strategy))])
            let sequences = SequenceBook().set(for: table)
            let sessions = UInt64(1)...20
            let before = try sessions.map { Self.targets(try table.steer(session: $0, sequences: sequences)) }
            for cap in sequences.caps { #expect(cap.take(second: 1_700_000_000, limit: 1)) }
            for (session, targets) in zip(sessions, before) where targets[0] != .cdn(617) {
                let list = try table.steer(session: session, sequences: sequences)
                #expect(list.usable == 1 && list[0] == .cdn(617) && list.reason == .overCap)
                #expect(list.count == 4, "a player fails over only with two")
                let stays = try table.steer(session: session, playing: targets[0], sequences: sequences)
                #expect(stays[0] == targets[0] && stays[1] == .cdn(617) && stays.usable == 2)
                let next = try table.steer(session: session, at: 1_700_000_001, sequences: sequences)
                #expect(Self.targets(next) == targets, "the second is over")
            }
            let decision = try table.ask("/film/a", sequences: sequences)
            #expect(decision.target == .cdn(617) && decision.reason == .overCap)
        }
    }

    @Test func `a request that avoids its CDN is told so, and that it is full goes before that`() throws {
        let hash: (String, Document) = ("/selection/strategy", .string("hash"))
        let table = try Self.table(weights: [1, 1, 1], [hash, ("/cdns/0/maxPerSecond", .integer(1))])
        let sequences = SequenceBook().set(for: table)
        #expect(sequences.caps[0].take(second: 1_700_000_000, limit: 1))
        var seen: Set<String> = []
        for film in 0..<60 {
            let first = try table.ask("/\(film)/a", sequences: SequenceBook().set(for: table)).target
            let decision = try table.ask("/\(film)/a", avoiding: 1, sequences: sequences)
            #expect(decision.target == .cdn(2))
            switch first {
            case .cdn(0): #expect(decision.reason == .overCap)
            case .cdn(1): #expect(decision.reason == .avoided || decision.reason == .overCap)
            default: #expect(decision.reason == .hashed)
            }
            seen.insert("\(decision.reason)")
        }
        #expect(seen == ["hashed", "avoided", "overCap"])
    }
}
