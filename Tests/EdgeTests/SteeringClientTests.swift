import Foundation
import Steering
import Testing

@testable import Edge

/// Clients written from the specifications, as strict as these allow, accept every answer, whatever catalog and health.
@Suite struct SteeringClientTests {
    /// As the player reads a document, HLS: draft-pantos-hls-rfc8216bis §7.2; DASH: ETSI TS 103 998 clause 6.
    private struct SteeringDocument {
        let ttl: Int
        let priorities: [String]

        init(_ answer: Answer, type: String) throws {
            func refuse(_ what: String) -> Answer.Malformed { Answer.Malformed(description: "\(what): \(answer.body)") }
            guard answer.status == 200, answer["Content-Type"] == type else { throw refuse("status or type") }
            guard answer["Cache-Control"] == "no-store", answer["Access-Control-Allow-Origin"] == "*" else { throw refuse("fields") }
            guard let object = try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any] else {
                throw refuse("no object")
            }
            guard Set(object.keys) == ["VERSION", "TTL", "PATHWAY-PRIORITY"], object["VERSION"] as? Int == 1 else { throw refuse("names") }
            guard let ttl = object["TTL"] as? Int, ttl > 0, let list = object["PATHWAY-PRIORITY"] as? [String] else {
                throw refuse("TTL or list")
            }
            guard !list.isEmpty, Set(list).count == list.count else { throw refuse("an empty list, or one with a name twice") }
            guard list.allSatisfy({ $0.wholeMatch(of: /[A-Za-z0-9._\-]+/) != nil }) else { throw refuse("a name") }
            (self.ttl, priorities) = (ttl, list)
        }
    }

    /// One player with its manifest, which knows all CDNs and the origin.
    private struct Player {
        let isHLS: Bool
        let manifest: [String]
        let session: UInt64?
        var current: [String] = []

        init(isHLS: Bool, manifest: [String], session: UInt64?) {
            (self.isHLS, self.manifest, self.session) = (isHLS, manifest, session)
        }

        func target(_ random: inout SplitMix64) -> String {
            var query = session.map { ["session=\($0)"] } ?? []
            if isHLS, let last = current.last {
                query += [
                    "_HLS_pathway=\(random.one(of: ["\"\(last)\"", last, "%22\(last)%22"]))", "_HLS_throughput=\(random.below(9_000_000))",
                ]
            } else if !current.isEmpty {
                let throughputs = current.map { _ in random.chance(30) ? "" : "\(random.below(9_000_000))" }
                let comma = random.one(of: [",", "%2C"])
                query += ["_DASH_pathway=\(current.joined(separator: comma))", "_DASH_throughput=\(throughputs.joined(separator: comma))"]
            }
            return "/steering/\(isHLS ? "hls" : "dash")/s\(random.number(1...2))/film/a?" + query.joined(separator: "&")
        }

        mutating func take(_ answer: Answer) throws {
            let document = try SteeringDocument(answer, type: isHLS ? "application/vnd.apple.steering-list" : "application/json")
            guard let first = document.priorities.first(where: manifest.contains) else {
                throw Answer.Malformed(description: "a DASH player has no location left: \(answer.body)")
            }
            // hls.js goes over to another by itself only where there is one.
            if manifest.count > 1, document.priorities.count < 2 { throw Answer.Malformed(description: "one alone: \(answer.body)") }
            current = isHLS ? [first] : Array((current + [first]).suffix(3))
        }
    }

    @Test func `a strict HLS player and a strict DASH player accept every answer`() throws {
        var random = SplitMix64(for: "steering clients")
        var (answers, refusals) = (0, 0)
        let catalogs = ProcessInfo.processInfo.environment["SOAK"] == "1" ? 10_000 : 1_000
        for _ in 0..<catalogs {
            let (catalog, manifest) = try Self.catalog(&random)
            let book = SequenceBook()
            var players = [true, false].map {
                Player(isHLS: $0, manifest: manifest, session: random.chance(80) ? random.next() >> UInt64(random.below(60)) : nil)
            }
            for _ in 0..<2 {
                let table = RoutingTable(catalog, revision: random.below(100), health: Self.health(catalog, &random))
                var asker = Asker(responder: Responder(table: table, sequences: book.set(for: table), clock: { 784_111_777 }))
                for index in players.indices {
                    let answer = try asker.answer("GET \(players[index].target(&random)) HTTP/1.1")
                    try players[index].take(answer)
                    answers += 1
                    if try asker.answer("GET /s1/film/a HTTP/1.1").status == 503 { refusals += 1 }
                }
            }
        }
        #expect(answers == 4 * catalogs && refusals > catalogs / 20, "a redirect would have been refused \(refusals) times")
    }

    /// A catalog, and the targets that a manifest for it names.
    private static func catalog(_ random: inout SplitMix64) throws -> (Catalog, [String]) {
        let cdns = (0..<random.number(1...7)).map { index in
            "{\"name\": \"cdn.\(index)_X\", \"url\": \"http://c\(index).example\", \"weight\": \(random.number(1...100))"
                + (random.chance(20) ? ", \"maxPerSecond\": 1}" : "}")
        }
        let strategy = random.one(of: ["weighted", "ordered", "hash", "rotate"])
        let selection = strategy == "rotate" ? "{\"strategy\": \"rotate\", \"every\": 2}" : "{\"strategy\": \"\(strategy)\"}"
        let every = random.one(of: [0, 1, 2, 10])
        let json = """
            {"version": 1, "origin": {"domains": ["o"], "servers": ["s[1-2]"], "every": \(every)}, "cdns": [\(cdns.joined(separator: ","))],
             "selection": \(selection), "failover": {"panicThreshold": \(random.one(of: ["0", "0.5", "1"]))}, "steering": {"enabled": true}}
            """
        let catalog = try Catalog(Document(json: json))
        return (catalog, catalog.cdns.map { $0.name } + (every > 0 ? ["origin"] : []))
    }

    private static func health(_ catalog: Catalog, _ random: inout SplitMix64) -> Health {
        let percent = random.one(of: [0, 30, 70, 100])
        let down = Set(catalog.cdns.map(\.name).filter { _ in random.chance(percent) })
        return Health(
            downCDNs: down, downServers: Set(["s1", "s2"].filter { _ in random.chance(percent) }),
            unprovenCDNs: down.filter { _ in random.chance(30) })
    }
}
