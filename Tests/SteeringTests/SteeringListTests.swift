import Testing

@testable import Steering

/// What a session of content steering is told (docs/steering.md).
@Suite struct SteeringListTests {
    private static let origin = "origin"

    private static func table(
        every: Int = 10, weights: [Int] = [1, 1, 1], health: Health = .allUp, _ changes: [(String, Document)] = []
    ) throws -> RoutingTable {
        var document = Setup(every: every, cdns: Setup.cdns(weights: weights)).document.setting("/steering/enabled", .bool(true))
        for (pointer, value) in changes { document = document.setting(pointer, value) }
        return RoutingTable(try Catalog(document), revision: 7, health: health)
    }

    private static func names(_ list: SteeringList, _ table: RoutingTable) -> [String] {
        (0..<list.count).map { if case .cdn(let cdn) = list[$0] { table.catalog.cdns[cdn].name } else { origin } }
    }

    private static func first(_ sessions: some Sequence<UInt64>, _ table: RoutingTable) throws -> [Decision.Target] {
        let sequences = SequenceBook().set(for: table)
        return try sessions.map { try table.steer(session: $0, sequences: sequences)[0] }
    }

    // MARK: The ranking

    @Test func `what may be used stands in the order of the ranking for the same place, and nothing is taken`() throws {
        var random = SplitMix64(for: "steering")
        var (whole, cut, mended, refused) = (0, 0, 0, 0)
        for _ in 0..<2000 {
            let game = try Game(&random)
            for _ in 0..<6 {
                let request = Request(&random, game)
                let session = random.next() >> UInt64(random.below(64))
                let before = game.sequences.sequences.map(\.taken.redirects)
                let list = try? request.steer(game, session)
                #expect(list == (try? request.steer(game, session)), "the same session is told the same")
                #expect(game.sequences.sequences.map(\.taken.redirects) == before)
                guard let list else {
                    #expect(Allowed(game, request).isRefused, "\(game) \(request)")
                    refused += 1
                    continue
                }
                let targets = (0..<list.count).map { list[$0] }
                #expect((1...SteeringList.maximum).contains(targets.count) && Set(targets.map { "\($0)" }).count == targets.count)
                if let avoided = request.avoided { #expect(!targets.contains(.cdn(avoided)), "\(game) \(request): \(targets)") }
                let ranking = request.sessionRanking(game, session)
                var expected = ranking
                if ranking.count > SteeringList.maximum {
                    let keepsOrigin = ranking.last == .origin
                    expected = ranking.prefix(SteeringList.maximum - (keepsOrigin ? 1 : 0)) + (keepsOrigin ? [.origin] : [])
                    cut += 1
                }
                #expect(targets.starts(with: expected), "\(game) \(request) \(session): \(targets), \(ranking)")
                if targets.count > expected.count {
                    #expect(expected.count < 2)
                    mended += 1
                } else {
                    whole += 1
                }
                // The oracle of the ranking's own tests, which reads the catalog alone.
                let allowed = Allowed(game, request)
                if let first = expected.first { #expect(allowed.targets(first: first).contains(first)) }
                #expect(allowed.isRefused == expected.isEmpty, "\(game) \(request)")
                _ = try? request.take(game)
            }
        }
        #expect(whole > 3000 && cut > 50 && mended > 1000 && refused > 50, "\(whole), \(cut), \(mended), \(refused)")
    }

    @Test func `where the strategy takes no turns, a session has the ranking of a redirect at the same place`() throws {
        for strategy in ["hash", "ordered"] {
            let table = try Self.table(weights: [3, 1, 2], [("/selection/strategy", .string(strategy))])
            let sequences = SequenceBook().set(for: table)
            for session in UInt64(1)...40 {
                var targets: [Decision.Target] = []
                let source = Array("/v/x.m3u8".utf8)
                let video = VideoReference(server: 0, domain: 0, tail: SourceRange(0..<source.count), isDecoded: false, form: .path)
                let asker = Asker(client: .unknown, second: 7)
                let place = Decision.Place(number: session, key: session)
                let decision = try table.decide(video, of: source.span, asker, head: source.span, at: place, sequences: sequences)
                table.rank(decision, video, asker, sequences: sequences, into: &targets)
                let list = try table.steer(session: session, from: .unknown, sequences: sequences)
                #expect((0..<list.count).map { list[$0] } == targets, "\(strategy) \(session)")
                #expect(list.reason == decision.reason)
            }
        }
    }

    @Test func `of the sessions 1 to N times k exactly every N-th begins at the origin`() throws {
        for every in [1, 2, 3, 10, 97] {
            let firsts = try Self.first(1...UInt64(every * 20), Self.table(every: every))
            for (index, first) in firsts.enumerated() { #expect((first == .origin) == ((index + 1) % every == 0)) }
        }
        #expect(try !Self.first(0...500, Self.table(every: 0)).contains(.origin))
    }

    @Test func `weights from 50 to 50 to 90 to 10 move at most 42 percent of the sessions, and none to who lost weight`() throws {
        let sessions = UInt64(1)...20_000
        let before = try Self.first(sessions, Self.table(every: 0, weights: [50, 50]))
        let after = try Self.first(sessions, Self.table(every: 0, weights: [90, 10]))
        let moved = zip(before, after).filter { $0 != $1 }
        #expect((7_600...8_400).contains(moved.count), "\(moved.count)")
        #expect(moved.allSatisfy { $0 == .cdn(1) && $1 == .cdn(0) })
        for (firsts, share) in [(before, 0.5), (after, 0.9)] {
            #expect(abs(Double(firsts.count { $0 == .cdn(0) }) / 20_000 - share) < 0.02)
        }
    }

    @Test func `under rotate sessions are spread alike whatever the weights, and under ordered a standby gets none`() throws {
        let rotate: [(String, Document)] = [("/selection", .object([.init("strategy", .string("rotate")), .init("every", .integer(3))]))]
        let spread = try Self.first(1...9_000, Self.table(every: 0, weights: [100, 1, 1], rotate))
        for cdn in 0..<3 { #expect((2_800...3_200).contains(spread.count { $0 == .cdn(cdn) })) }
        let ordered = try Self.first(1...100, Self.table(every: 0, weights: [1, 1, 1], [("/selection/strategy", .string("ordered"))]))
        #expect(ordered.allSatisfy { $0 == .cdn(0) })
    }

    @Test func `another N moves sessions to or from the origin alone`() throws {
        let before = try Self.first(1...1_000, Self.table(every: 10))
        let after = try Self.first(1...1_000, Self.table(every: 20))
        for (old, new) in zip(before, after) where old != new { #expect(old == .origin || new == .origin) }
        #expect(zip(before, after).count { $0 != $1 } == 50)
    }

    @Test func `a CDN that goes moves its own sessions alone, and one that is drained gets none`() throws {
        let before = try Self.first(1...2_000, Self.table())
        for table in [try Self.table(health: Health(downCDNs: ["cdn-1"])), try Self.table([("/cdns/1/enabled", .bool(false))])] {
            let after = try Self.first(1...2_000, table)
            for (old, new) in zip(before, after) { #expect(old == .cdn(1) ? new != old : new == old) }
        }
    }

    // MARK: How many

    @Test func `four at most, and the origin is the last of them`() throws {
        let table = try Self.table(every: 10, weights: [Int](repeating: 1, count: 6))
        let sequences = SequenceBook().set(for: table)
        for session in UInt64(1)...9 {
            let names = Self.names(try table.steer(session: session, sequences: sequences), table)
            #expect(names.count == 4 && names.last == Self.origin && Set(names).count == 4)
        }
        let names = Self.names(try table.steer(session: 10, sequences: sequences), table)
        #expect(names.count == 4 && names.first == Self.origin, "its place")
        let withoutOrigin = try Self.table(every: 0, weights: [1, 1, 1, 1, 1])
        let four = try withoutOrigin.steer(session: 3, sequences: SequenceBook().set(for: withoutOrigin))
        #expect(four.count == 4 && !four.contains(.origin), "an origin with every 0 is not named")
    }

    @Test func `fewer than two that may be used are followed by those that health leaves out`() throws {
        let noPanic: [(String, Document)] = [("/failover/panicThreshold", .integer(0))]
        let down = Health(downCDNs: ["cdn-1", "cdn-2"])
        let one = try Self.table(every: 0, health: down, noPanic)
        let list = Self.names(try one.steer(session: 4, sequences: SequenceBook().set(for: one)), one)
        #expect(list.first == "cdn-0" && Set(list) == ["cdn-0", "cdn-1", "cdn-2"])
        let two = try Self.table(every: 10, health: down, noPanic)
        #expect(Self.names(try two.steer(session: 4, sequences: SequenceBook().set(for: two)), two) == ["cdn-0", "origin"])
        let all = Health(downCDNs: ["cdn-0", "cdn-1", "cdn-2"], downServers: ["s1"])
        let none = try Self.table(every: 10, health: all, noPanic)
        let names = Self.names(try none.steer(session: 4, sequences: SequenceBook().set(for: none)), none)
        #expect(names.count == 4 && names.last == Self.origin, "a redirect would be refused; a player that plays goes on trying")
    }

    @Test func `what is drained is not named, not even where fewer than two may be used`() throws {
        for drained in [[("/cdns/1/enabled", Document.bool(false))], [("/cdns/1/weight", .integer(0))]] {
            let table = try Self.table(every: 0, weights: [1, 1, 1], health: Health(downCDNs: ["cdn-2"]), drained)
            let sequences = SequenceBook().set(for: table)
            for session in UInt64(1)...50 {
                #expect(Self.names(try table.steer(session: session, sequences: sequences), table) == ["cdn-0", "cdn-2"])
            }
        }
    }

    @Test func `what a request avoids is not named, not even behind the others`() throws {
        let table = try Self.table(every: 0, weights: [1, 1])
        let sequences = SequenceBook().set(for: table)
        for session in UInt64(1)...50 {
            #expect(Self.names(try table.steer(session: session, avoiding: 1, sequences: sequences), table) == ["cdn-0"])
        }
        let single = try Self.table(every: 0, weights: [1])
        #expect(throws: Refusal.noTarget) { try single.steer(session: 1, avoiding: 0, sequences: SequenceBook().set(for: single)) }
    }

    @Test func `a rule that denies refuses, and a rule's own CDNs are the session's`() throws {
        let rules =
            #"[{"name": "no", "when": {"paths": ["/no/"]}, "deny": true}, {"name": "b", "when": {"paths": ["/b/"]}, "cdns": {"cdn-2": 1}}]"#
        let table = try Self.table([("/rules", Document(json: rules))])
        let sequences = SequenceBook().set(for: table)
        #expect(throws: Refusal.denied) { try table.steer("/no/x", session: 1, sequences: sequences) }
        let list = try table.steer("/b/x", session: 1, sequences: sequences)
        #expect(Self.names(list, table) == ["cdn-2", "origin"])
        #expect(table.rule(of: list) == "b")
        #expect(try table.rule(of: table.steer(session: 1, sequences: sequences)) == nil)
    }

    // MARK: Caps

    @Test func `a full CDN gets no new session and keeps those it has, and asking takes nothing of its cap`() throws {
        let table = try Self.table(every: 0, weights: [1, 1], [("/cdns/0/maxPerSecond", .integer(1))])
        let sequences = SequenceBook().set(for: table)
        let session = try #require((UInt64(1)...20).first { try table.steer(session: $0, sequences: sequences)[0] == .cdn(0) })
        for _ in 0..<5 { #expect(try table.steer(session: session, sequences: sequences)[0] == .cdn(0)) }
        let taken = try (0..<2).map { _ in try table.decide(server: 0, avoiding: nil, sequences: sequences).target }
        #expect(taken.contains(.cdn(0)), "a redirect takes the cap")
        #expect(try table.steer(session: session, sequences: sequences)[0] == .cdn(1))
        #expect(try table.steer(session: session, playing: .cdn(0), sequences: sequences)[0] == .cdn(0))
    }

    // MARK: The place of who has no session

    @Test func `without a session the viewer is the place`() throws {
        let table = try Self.table(every: 2)
        let sequences = SequenceBook().set(for: table)
        func list(_ client: String) throws -> SteeringList {
            try table.steer(session: nil, from: #require(ClientAddress(client)), sequences: sequences)
        }
        #expect(try list("192.0.2.1") == list("192.0.2.254"), "one network")
        let firsts = try (0..<2_000).map { try list("10.\($0 / 256).\($0 % 256).1")[0] }
        #expect((900...1_100).contains(firsts.count { $0 == .origin }), "networks end in zeros, which N must not see")
        for cdn in 0..<3 { #expect((250...420).contains(firsts.count { $0 == .cdn(cdn) })) }
        let cookie: [(String, Document)] = [
            (
                "/selection",
                .object([.init("strategy", .string("hash")), .init("on", .string("viewer")), .init("viewer", .string("query:u"))])
            )
        ]
        let hashed = try Self.table(every: 2, cookie)
        let askers = try (0..<200).map {
            try hashed.steer(session: nil, query: "u=\($0)", sequences: SequenceBook().set(for: hashed))[0]
        }
        #expect((70...130).contains(askers.count { $0 == .origin }), "the viewer's name counts, not its network")
    }

    // MARK: TTL

    @Test func `the TTL is the catalog's, a fifth more or two fifteenths less, and longer for who hurries`() throws {
        let table = try Self.table()
        let sequences = SequenceBook().set(for: table)
        let ttls = try (UInt64(1)...2_000).map { try table.steer(session: $0, sequences: sequences).ttl }
        #expect(ttls.min() == 260 && ttls.max() == 360 && Set(ttls).count == 101)
        #expect(try (560...660).contains(table.steer(session: 1, isHurried: true, sequences: sequences).ttl))
    }

    @Test func `a session that goes by its TTLs asks at its own moment from the third on, however it began and whatever its clock`() throws
    {
        let table = try Self.table()
        let sequences = SequenceBook().set(for: table)
        var moments: [Int: Int] = [:]
        for session in UInt64(1)...600 {
            var second = 1_700_000_000 + Int(session % 60)
            for _ in 0..<3 { second += try table.steer(session: session, at: second, sequences: sequences).ttl }
            let list = try table.steer(session: session, at: second, sequences: sequences)
            #expect(list.ttl == 300 && list.isAwaited, "\(session)")
            moments[second % 300, default: 0] += 1
            // A second late, as players are: the next TTL makes up for it.
            let late = try table.steer(session: session, at: second + 1, sequences: sequences)
            #expect(late.ttl == 299 && late.isAwaited)
        }
        #expect(moments.count > 240 && moments.values.allSatisfy { $0 <= 10 }, "\(moments.count)")
    }

    @Test func `a session of whose targets one is down asks again soon, another does not`() throws {
        let weights = [Int](repeating: 1, count: 12)
        let table = try Self.table(every: 0, weights: weights, health: Health(downCDNs: ["cdn-3"]))
        let whole = try Self.table(every: 0, weights: weights)
        let sequences = SequenceBook().set(for: table)
        for session in UInt64(1)...300 {
            let isConcerned = try whole.steer(session: session, sequences: sequences).contains(.cdn(3))
            let ttl = try table.steer(session: session, sequences: sequences).ttl
            #expect((isConcerned ? 17...24 : 260...360).contains(ttl))
        }
        for health in [Health(downServers: ["s1"]), Health(downCDNs: ["cdn-0", "cdn-1"])] {
            let table = try Self.table(health: health)
            #expect(try (17...24).contains(table.steer(session: 1, sequences: SequenceBook().set(for: table)).ttl), "\(health)")
        }
    }

    @Test func `a catalog that does not steer compiles nothing for sessions`() throws {
        #expect(try Example.table().sessionPolicies.isEmpty)
    }
}

extension RoutingTable {
    /// Steers the player of a video of `s1`.
    func steer(
        _ path: String = "/v/x.m3u8", session: UInt64?, from client: ClientAddress = .unknown, avoiding avoided: Int? = nil,
        playing: Decision.Target? = nil, query: String = "", isHurried: Bool = false, at second: Int = 1_700_000_000,
        sequences: SequenceSet
    ) throws -> SteeringList {
        let source = Array(path.utf8)
        let head = Array(query.utf8)
        let video = VideoReference(server: 0, domain: 0, tail: SourceRange(0..<source.count), isDecoded: false, form: .path)
        let asker = Asker(
            client: client, second: second, avoided: avoided, query: HeadRange(0..<head.count), playing: playing)
        var ranking: [Decision.Target] = []
        let list = try steer(
            video, of: source.span, asker, head: head.span, session: session, isHurried: isHurried, sequences: sequences,
            ranking: &ranking)
        return try #require(list)
    }
}

extension Request {
    fileprivate func steer(_ game: Game, _ session: UInt64) throws(Refusal) -> SteeringList? {
        let source = Array(path.utf8)
        let head: [UInt8] = []
        var ranking: [Decision.Target] = []
        return try game.table.steer(
            video, of: source.span, asker, head: head.span, session: session, sequences: game.sequences, ranking: &ranking)
    }

    /// All that the session may use; empty when that is nothing.
    fileprivate func sessionRanking(_ game: Game, _ session: UInt64) -> [Decision.Target] {
        let source = Array(path.utf8)
        let head: [UInt8] = []
        let index = policy(game.table)
        let policy = game.table.sessionPolicies[index]
        let key = game.table.key(policy, video, source.span, asker, head.span) { session }
        let sequence = game.sequences.sequences[policy.sequence + (policy.countsByServer ? server : 0)]
        guard
            let decision = try? game.table.decide(
                video, of: source.span, asker, head: head.span, at: Decision.Place(number: session, key: key), by: policy, index, sequence,
                game.sequences)
        else { return [] }
        var targets: [Decision.Target] = []
        game.table.rank(decision, by: policy, video, asker, sequences: game.sequences, limit: .max, into: &targets)
        return targets
    }
}
