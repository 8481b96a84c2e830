import Testing

@testable import Steering

/// A decision is the first of a ranking, and a ranking names what may be used and nothing else: for random catalogs, rules, health and caps.
@Suite struct RankingTests {
    @Test func `the decision is the first of the ranking, which has all targets that may be used and no other`() throws {
        var random = SplitMix64(for: "ranking")
        var (ranked, refused, shortened, origins) = (0, 0, 0, 0)
        for _ in 0..<1500 {
            let game = try Game(&random)
            for _ in 0..<6 {
                let request = Request(&random, game)
                let allowed = Allowed(game, request)
                guard let decision = try? request.decide(game) else {
                    #expect(allowed.isRefused, "\(game) \(request)")
                    refused += 1
                    continue
                }
                let targets = request.ranking(of: decision, game)
                #expect(!allowed.isRefused && targets.first == decision.target, "\(game) \(request): \(targets)")
                #expect(Set(targets.map { "\($0)" }).count == targets.count, "\(targets)")
                let expected = allowed.targets(first: decision.target)
                #expect(Set(targets.map { "\($0)" }) == Set(expected.map { "\($0)" }), "\(game) \(request): \(targets), \(expected)")
                ranked += 1
                if targets.count < game.table.catalog.cdns.count { shortened += 1 }
                if targets.dropFirst().contains(.origin) { origins += 1 }
                _ = try? request.take(game)
            }
        }
        #expect(ranked > 3000 && refused > 100 && shortened > 500 && origins > 500, "\(ranked), \(refused), \(shortened), \(origins)")
    }

    @Test func `a place from outside gives what the same place gives that is taken, and takes nothing`() throws {
        var random = SplitMix64(for: "place")
        for _ in 0..<1500 {
            let game = try Game(&random)
            for _ in 0..<6 {
                let request = Request(&random, game)
                let before = game.sequences.sequences.map(\.taken.redirects)
                let given = try? request.decide(game)
                #expect(game.sequences.sequences.map(\.taken.redirects) == before)
                let targets = given.map { request.ranking(of: $0, game) }
                let taken = try? request.take(game)
                #expect(given == taken, "\(game) \(request)")
                #expect(targets?.first == taken?.target)
                #expect(targets == taken.map { request.ranking(of: $0, game) }, "\(game) \(request)")
            }
        }
    }

    @Test func `whoever avoids the first gets the second`() throws {
        var random = SplitMix64(for: "second")
        var seen = 0
        for _ in 0..<3000 {
            let game = try Game(&random)
            var request = Request(&random, game)
            request.avoided = nil
            guard let decision = try? request.decide(game), case .cdn(let first) = decision.target else { continue }
            let ranking = request.ranking(of: decision, game)
            // Of CDNs that fail, the first is the origin's turn and the next ones are not.
            guard ranking.count > 1, game.table.policies[decision.policy].failing.isEmpty else { continue }
            request.avoided = first
            #expect(try request.decide(game).target == ranking[1], "\(game) \(request): \(ranking)")
            seen += 1
        }
        #expect(seen > 500)
    }

    @Test func `explain names the targets in the same order`() throws {
        var random = SplitMix64(for: "explain")
        for _ in 0..<500 {
            let game = try Game(&random)
            let request = Request(&random, game)
            let ranking = (try? request.decide(game)).map { request.ranking(of: $0, game) } ?? []
            let names = ranking.map { target in if case .cdn(let cdn) = target { game.table.catalog.cdns[cdn].name } else { "origin" } }
            let explanation = game.table.explain(
                "/s\(request.server + 1)\(request.path)", avoiding: request.avoided.map { game.table.catalog.cdns[$0].name }, at: 7,
                sequences: game.sequences)
            let steps = explanation.steps
            #expect(
                explanation.refusal != nil
                    || steps.contains {
                        $0.about == "decide" && $0.text.hasSuffix("to the \(names[0])")
                            || $0.text.contains("to CDN \(names[0]) (")
                    }, "\(steps)")
            #expect(steps.first { $0.about == "then" }?.text ?? "" == names.dropFirst().joined(separator: ", "))
            let excluded = Set(steps.filter { $0.about == "excluded" }.map { $0.text.prefix { $0 != ":" } }.map(String.init))
            #expect(excluded.isDisjoint(with: names), "\(steps)")
        }
    }

    @Test func `regression: neither an origin whose probes fail nor a full CDN stands behind the decided target`() throws {
        let document = Setup(every: 10, cdns: Setup.cdns(weights: [1, 1, 1])).document.setting("/cdns/1/maxPerSecond", .integer(1))
        let table = RoutingTable(try Catalog(document), revision: 1, health: Health(downServers: ["s1"]))
        let sequences = SequenceBook().set(for: table)
        var rankings: [[Decision.Target]] = []
        for server in [0, 0, 0, 1] {
            let request = Request(server: server)
            let decision = try table.decide(server: server, avoiding: nil, sequences: sequences)
            rankings.append(request.ranking(of: decision, table, sequences))
        }
        #expect(rankings[0] == [.cdn(0), .cdn(1), .cdn(2)])
        #expect(rankings[1] == [.cdn(1), .cdn(2), .cdn(0)], "the decided target has taken the last of its cap, and stays the first")
        #expect(rankings[2] == [.cdn(2), .cdn(0)], "cdn-1 has its redirect for this second")
        #expect(rankings[3] == [.cdn(0), .cdn(2), .origin], "the origin's s2 works")
    }

    @Test func `a limit ends the ranking`() throws {
        let table = try Setup(every: 10, cdns: Setup.cdns(weights: [1, 1, 1])).table()
        let sequences = SequenceBook().set(for: table)
        let decision = try table.decide(server: 0, avoiding: nil, sequences: sequences)
        for limit in 1...5 {
            let targets = Request().ranking(of: decision, table, sequences, limit: limit)
            #expect(targets == Array([.cdn(0), .cdn(1), .cdn(2), .origin].prefix(limit)))
        }
    }
}

/// A random catalog with a random health, and numbers and caps that some requests have taken.
struct Game: CustomStringConvertible {
    let table: RoutingTable
    let sequences: SequenceSet

    init(_ random: inout SplitMix64) throws {
        let count = random.below(6)
        let cdns: [Document] = (0..<count).map { index in
            var members: [Document.Member] = [
                .init("name", .string("cdn-\(index)")), .init("url", .string("http://cdn\(index).example")),
                .init("weight", .integer(random.below(4))), .init("enabled", .bool(random.chance(85))),
            ]
            if random.chance(30) { members.append(.init("maxPerSecond", .integer(random.number(1...3)))) }
            return .object(members)
        }
        var failover: [Document.Member] = [.init("panicThreshold", .number(random.one(of: [0, 0.5, 1])))]
        if random.chance(40) { failover.append(.init("originLimit", .integer(random.number(1...3)))) }
        var document = Setup(every: random.one(of: [0, 1, 2, 3, 10]), cdns: []).document
            .setting("/origin/scope", .string(random.one(of: ["all", "server"])))
            .setting("/origin/servers", .array([.string("s[1-2]")]))
            .setting("/cdns", .array(cdns)).setting("/selection", Game.selection(&random)).setting("/failover", .object(failover))
            .setting("/steering", .object([.init("enabled", .bool(true))]))
        if count > 0, random.chance(50) { document = document.setting("/rules", .array([Game.rule(&random, count)])) }
        let name = { (index: Int) in "cdn-\(index)" }
        let down = Set((0..<count).filter { _ in random.chance(40) }.map(name))
        let health = Health(
            downCDNs: down, downServers: Set(["s1", "s2"].filter { _ in random.chance(30) }),
            unprovenCDNs: down.filter { _ in random.chance(30) })
        do {
            table = RoutingTable(try Catalog(document), revision: 1, health: health)
        } catch {
            // No CDN takes traffic, and the origin nothing either.
            self = try Game(&random)
            return
        }
        sequences = SequenceBook().set(for: table)
    }

    private static func selection(_ random: inout SplitMix64) -> Document {
        let strategy = random.one(of: ["weighted", "rotate", "hash", "ordered"])
        var members = [Document.Member("strategy", .string(strategy))]
        if strategy == "rotate" { members.append(.init("every", .integer(random.number(1...3)))) }
        return .object(members)
    }

    /// For videos whose path begins with `/ruled/`.
    private static func rule(_ random: inout SplitMix64, _ count: Int) -> Document {
        var members: [Document.Member] = [
            .init("name", .string("r")), .init("when", .object([.init("paths", .array([.string("/ruled/")]))])),
        ]
        if random.chance(10) { return .object(members + [.init("deny", .bool(true))]) }
        members.append(.init("every", .integer(random.one(of: [0, 1, 3]))))
        if random.chance(50) { members.append(.init("selection", selection(&random))) }
        members.append(
            .init("cdns", .object((0...random.below(count)).map { .init("cdn-\($0)", .integer(random.number(1...3))) })))
        return .object(members)
    }

    var description: String { "\(table.catalog.document.json), down \(table.health)" }
}

struct Request: CustomStringConvertible {
    var server = 0
    var path = "/v/x.m3u8"
    var avoided: Int?
    var second = 7

    init(server: Int = 0) {
        self.server = server
        second = 1_700_000_000
    }

    init(_ random: inout SplitMix64, _ game: Game) {
        server = random.below(2)
        path = "/\(random.one(of: ["ruled", "film"]))/\(random.below(20))/x"
        let count = game.table.catalog.cdns.count
        if count > 0, random.chance(30) { avoided = random.below(count) }
    }

    var video: VideoReference {
        VideoReference(server: server, domain: 0, tail: SourceRange(0..<path.utf8.count), isDecoded: false, form: .originURL)
    }

    var asker: Asker { Asker(client: .unknown, second: second, avoided: avoided) }

    func policy(_ table: RoutingTable) -> Int {
        let source = Array(path.utf8)
        let head: [UInt8] = []
        return table.policyIndex(video, source.span, asker, head.span)
    }

    /// Decides at the place that would be taken next, without taking it.
    func decide(_ game: Game) throws(Refusal) -> Decision {
        let policy = game.table.policies[policy(game.table)]
        let taken = game.sequences.sequences[policy.sequence + (policy.countsByServer ? server : 0)].taken
        let place = Decision.Place(number: taken.redirects + 1, key: taken.cdnBound)
        let source = Array(path.utf8)
        let head: [UInt8] = []
        return try game.table.decide(video, of: source.span, asker, head: head.span, at: place, sequences: game.sequences)
    }

    func take(_ game: Game) throws(Refusal) -> Decision {
        let source = Array(path.utf8)
        let head: [UInt8] = []
        return try game.table.decide(video, of: source.span, asker, head: head.span, sequences: game.sequences)
    }

    func ranking(of decision: Decision, _ game: Game) -> [Decision.Target] { ranking(of: decision, game.table, game.sequences) }

    func ranking(of decision: Decision, _ table: RoutingTable, _ sequences: SequenceSet, limit: Int = .max) -> [Decision.Target] {
        var targets: [Decision.Target] = [.origin]
        table.rank(decision, video, asker, sequences: sequences, limit: limit, into: &targets)
        return targets
    }

    var description: String { "s\(server + 1)\(path) avoiding \(avoided.map(String.init) ?? "none")" }
}

/// What docs/catalog.md says may be used, worked out from the catalog alone.
struct Allowed {
    /// CDNs that may be chosen while all that is wanted of the origin is its N-th.
    private var cdns: [Int] = []
    /// CDNs whose share is the origin's, as long as it takes it.
    private var failing: Set<Int> = []
    private let originWorks: Bool
    private let originHasRoom: Bool
    private let isDenied: Bool
    private let helpsAnyway: Bool
    private let every: Int

    init(_ game: Game, _ request: Request) {
        let catalog = game.table.catalog
        let health = game.table.health
        let index = request.policy(game.table)
        var weights = catalog.cdns.map(\.weight)
        var (selection, every, isDenied) = (catalog.selection, catalog.origin.every, false)
        if index > 0 {
            switch catalog.rules[index - 1].then {
            case .deny: isDenied = true
            case .steer(let own):
                selection = own.selection ?? selection
                every = own.every ?? every
                if let shares = own.cdns {
                    weights = catalog.cdns.map { cdn in shares.first { $0.cdn == cdn.name }?.weight ?? 0 }
                }
            }
        }
        let taking = catalog.cdns.indices.filter { catalog.cdns[$0].enabled && weights[$0] > 0 }
        let working = taking.filter { !health.downCDNs.contains(catalog.cdns[$0].name) }
        var isRotation = false
        if case .rotate = selection { isRotation = true }
        let sum = { (cdns: [Int]) in cdns.reduce(0.0) { $0 + (isRotation ? 1 : Double(weights[$1])) } }
        let threshold = catalog.failover.panicThreshold
        let panics = working.count < taking.count && sum(working) < threshold * sum(taking)
        if panics, every > 0, health.downServers.count < 2 {
            failing = Set(
                taking.filter {
                    health.downCDNs.contains(catalog.cdns[$0].name) && !health.unprovenCDNs.contains(catalog.cdns[$0].name)
                })
        }
        cdns = (panics ? taking : working).filter { cdn in
            let limit = catalog.cdns[cdn].maxPerSecond ?? .max
            return cdn != request.avoided
                && (game.sequences.caps.isEmpty || game.sequences.caps[cdn].hasRoom(second: request.second, limit: limit))
        }
        originWorks = every > 0 && !health.downServers.contains("s\(request.server + 1)")
        originHasRoom = game.sequences.originCap.hasRoom(second: request.second, limit: catalog.failover.originLimit ?? .max)
        helpsAnyway = every > 0 && threshold > 0
        self.isDenied = isDenied
        self.every = every
    }

    var isRefused: Bool { isDenied || (cdns.isEmpty && (!(originWorks || helpsAnyway) || !originHasRoom)) }

    func targets(first: Decision.Target) -> [Decision.Target] {
        var targets = cdns.filter { !(originWorks && originHasRoom && failing.contains($0)) }.map { Decision.Target.cdn($0) }
        let isOrigin = first == .origin && (originWorks || (cdns.isEmpty && helpsAnyway))
        if isOrigin || (originWorks && originHasRoom) { targets.append(.origin) }
        return targets
    }
}
