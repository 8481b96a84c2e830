import Foundation
import Steering
import Testing

@testable import Edge

/// What `explain` tells of a steered player is what the wire answers it, whatever catalog, health and question.
@Suite struct SteeringExplanationTests {
    @Test func `ranking, TTL and refusal of an explanation are those of the wire`() throws {
        var random = SplitMix64(for: "steering explanations")
        var (told, refused, elsewhere) = (0, 0, 0)
        for _ in 0..<600 {
            let table = RoutingTable(
                try Self.catalog(&random), revision: 1,
                health: Health(
                    downCDNs: Set((0..<4).map { "c\($0)" }.filter { _ in random.chance(30) }),
                    downServers: random.chance(20) ? ["s1"] : []))
            let sequences = SequenceBook().set(for: table)
            let second = 784_111_777
            var asker = Asker(responder: Responder(table: table, sequences: sequences, clock: { second }))
            // Redirects go on between, and fill caps.
            for _ in 0..<random.below(4) { _ = asker.ask("GET /s1/x HTTP/1.1") }
            for _ in 0..<6 {
                let target = Self.target(&random)
                let explanation = table.explain(
                    target, avoiding: nil, client: asker.client, headers: [("Host", "b")], at: second, sequences: sequences)
                let answer = try asker.answer("GET \(target) HTTP/1.1")
                switch (explanation.steering, explanation.refusal) {
                case (let steering?, nil):
                    let names = steering.pathways.map { "\"\($0)\"" }.joined(separator: ",")
                    #expect(answer.body == "{\"VERSION\":1,\"TTL\":\(steering.ttl),\"PATHWAY-PRIORITY\":[\(names)]}", "\(target)")
                    #expect(steering.usable <= steering.pathways.count)
                    told += 1
                case (nil, let refusal?):
                    #expect(answer.status == refusal.status && answer.body.contains(refusal.name), "\(target): \(answer)")
                    if refusal == .unknownServer { elsewhere += 1 } else { refused += 1 }
                default: #expect(Bool(false), "\(target): \(explanation)")
                }
            }
        }
        #expect(told > 1_000 && refused > 400 && elsewhere > 1_000, "\(told), \(refused), \(elsewhere)")
    }

    private static func target(_ random: inout SplitMix64) -> String {
        var query: [String] = []
        if random.chance(70) { query.append("session=\(random.next() >> UInt64(random.below(60)))") }
        if random.chance(20) { query.append("avoid=c\(random.below(5))") }
        if random.chance(50) { query.append("_HLS_pathway=\(random.one(of: ["%22c1%22", "c0", "origin", "x", "%"]))") }
        if random.chance(20) { query.append("_HLS_throughput=\(random.one(of: ["1", "x"]))") }
        return "/steering/\(random.one(of: ["hls", "dash"]))/s\(random.number(1...3))/\(random.one(of: ["a", "no/a", "off/a", "on/a"]))"
            + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    }

    /// Four CDNs, and rules that deny, switch steering off and set it otherwise.
    private static func catalog(_ random: inout SplitMix64) throws -> Catalog {
        let cdns = (0..<4).map { index in
            "{\"name\": \"c\(index)\", \"url\": \"http://c\(index).example\", \"weight\": \(random.number(0...3))"
                + (random.chance(20) ? ", \"maxPerSecond\": 1}" : "}")
        }
        let strategy = random.one(of: ["\"weighted\"", "\"ordered\"", "\"hash\"", "\"rotate\", \"every\": 2"])
        return try Catalog(
            Document(
                json: """
                    {"version": 1, "origin": {"domains": ["o"], "servers": ["s[1-2]"], "every": \(random.number(1...3))},
                     "cdns": [\(cdns.joined(separator: ","))], "selection": {"strategy": \(strategy)},
                     "failover": {"panicThreshold": \(random.one(of: ["0", "0.5"])), "originLimit": \(random.one(of: ["null", "1"]))},
                     "steering": {"enabled": true, "ttl": 90},
                     "rules": [{"name": "no", "when": {"paths": ["/no/"]}, "deny": true},
                               {"name": "off", "when": {"paths": ["/off/"]}, "steering": {"enabled": false}},
                               {"name": "on", "when": {"paths": ["/on/"]}, "cdns": {"c1": 2, "c2": 1}, "steering": {"ttl": 33, "ttlUnhealthy": 11}}]}
                    """))
    }
}
