import Steering
import TLS
import Testing

@testable import Edge

/// What `explain` tells, what `simulate` plays and what goes over the wire is one decision: tried on random catalogs.
@Suite struct SameAnswerTests {
    private static let second = 784_111_777

    @Test func `a table, a request and a state give one answer in explain, in simulate and on the wire`() throws {
        var random = SplitMix64(for: "one answer in three places")
        var answers: [String: Int] = [:]
        var catalogs = 0
        var refused: Set<String> = []
        var matched: Set<String> = []
        for round in 0..<600 {
            let json = RandomCatalog.json(&random)
            let document = try Document(json: json)
            let catalog: Catalog
            do { catalog = try Catalog(document) } catch {
                refused.formUnion(["\(error)"])
                continue
            }
            catalogs += 1
            let health = RandomCatalog.health(&random)
            let table = RoutingTable(catalog, revision: round, health: health)
            let sequences = SequenceBook().set(for: table)
            var asker = Asker(responder: Responder(table: table, sequences: sequences, clock: { SameAnswerTests.second }))
            // An access log has no headers and names no CDN to avoid: what it holds is played without.
            let isPlayed = random.below(3) > 0
            var simulation = Simulation(catalog, health: health, perSecond: .max, start: SameAnswerTests.second)
            for _ in 0..<60 {
                let request = RandomRequest(&random, plain: isPlayed)
                let told = table.explain(
                    request.video, avoiding: request.avoided, isByHTTPS: request.isByHTTPS, client: request.client,
                    headers: request.headers,
                    at: SameAnswerTests.second, sequences: sequences)
                asker.client = request.client
                asker.responder.record.transport = request.isByHTTPS ? .tls(.tls13, isResumed: false) : .plain
                if let rule = told.steps.first(where: { $0.about == "rule" }) { matched.formUnion(RandomCatalog.conditions(rule.text)) }
                let answer = try asker.answer(request.line, request.headers.map { "\($0.name): \($0.value)" })
                let expected = told.refusal?.status ?? answer.status
                if answer["Location"] != told.location || answer.status != expected {
                    Issue.record("round \(round): \(request) was told \(told), answered \(answer); \(json)")
                    return
                }
                let place = told.refusal?.name ?? RandomCatalog.place(told.location ?? "")
                answers[place, default: 0] += 1
                guard isPlayed else { continue }
                let played = simulation.place(of: request)
                if played != place {
                    Issue.record("round \(round): \(request) was played to \(played), told \(told); \(json)")
                    return
                }
            }
        }
        #expect(refused.filter { $0.contains("/rules") } == [])
        #expect(matched == RandomCatalog.conditionNames, "a kind of condition never matched")
        #expect(catalogs > 300, "too many documents were no catalogs: the test tries too little")
        let missing = ["origin", "cdn-0", "cdn-1", "cdn-2", "cdn-3", "denied", "no-target", "unknown-server"].filter { answers[$0] == nil }
        #expect(missing.isEmpty, "never seen: \(missing); seen: \(answers)")
    }
}

private enum RandomCatalog {
    static func json(_ random: inout SplitMix64) -> String {
        let count = random.number(1...4)
        let cdns = (0..<count).map { cdn in
            let cap = random.below(5) == 0 ? #", "maxPerSecond": \#(random.number(1...9))"# : ""
            let enabled = random.below(6) > 0
            let second = random.below(2) == 0 ? #", "httpsUrl": "https://cdn\#(cdn).example/tls""# : ""
            return
                #"{"name": "cdn-\#(cdn)", "url": "http://cdn\#(cdn).example"\#(second), "weight": \#(random.below(5)), "enabled": \#(enabled)\#(cap)}"#
        }
        let limit = random.below(3) == 0 ? "\(random.number(1...5))" : "null"
        let scope = random.one(of: ["all", "server"])
        let rules = (0..<random.below(5)).map { rule($0, count, &random) }
        return """
            {"version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s[1-3]"], "every": \(random.below(5)), "scope": "\(scope)",
            "keepScheme": \(random.below(2) == 0)},
            "cdns": [\(cdns.joined(separator: ", "))], "selection": \(selection(&random)), "redirect": {"status": 302},
            "failover": {"panicThreshold": \(random.one(of: ["0", "0.3", "0.5", "1"])), "originLimit": \(limit)},
            "rules": [\(rules.joined(separator: ", "))]}
            """
    }

    private static func selection(_ random: inout SplitMix64) -> String {
        random.one(of: [
            #"{"strategy": "weighted"}"#, #"{"strategy": "rotate", "every": 2}"#, #"{"strategy": "ordered"}"#,
            #"{"strategy": "hash", "on": "film"}"#, #"{"strategy": "hash", "on": "viewer"}"#,
            #"{"strategy": "hash", "on": "both", "viewer": "header:X-Viewer"}"#,
        ])
    }

    private static func rule(_ index: Int, _ cdns: Int, _ random: inout SplitMix64) -> String {
        let when = conditions(&random)
        var does: [String] = []
        switch random.below(6) {
        case 0: does.append(#""deny": true"#)
        case 1: does.append(#""status": 307"#)
        case 2: does.append(#""every": \#(random.below(4))"#)
        case 3: does.append(#""selection": \#(selection(&random))"#)
        default:
            let weights = (0..<cdns).filter { _ in random.below(2) == 0 }.map { #""cdn-\#($0)": \#(random.number(1...4))"# }
            if !weights.isEmpty { does.append(#""cdns": {\#(weights.joined(separator: ", "))}"#) }
            does.append(#""every": \#(random.below(4))"#)
        }
        let name = (["rule-\(index)"] + when.map(\.name)).joined(separator: ".")
        return #"{"name": "\#(name)", "when": {\#(when.map(\.json).joined(separator: ", "))}, \#(does.joined(separator: ", "))}"#
    }

    static let conditionNames: Set = ["servers", "paths", "clients", "headers", "hours"]

    /// The kinds of conditions of a rule, which stand in its name, from a text that tells the name.
    static func conditions(_ text: String) -> Set<String> {
        conditionNames.intersection(text.split { $0 == "." || $0 == "\"" }.map(String.init))
    }

    private static func conditions(_ random: inout SplitMix64) -> [(name: String, json: String)] {
        var when: [(String, String)] = []
        if random.below(3) == 0 { when.append(("servers", #"["s\#(random.number(1...3))"]"#)) }
        if random.below(3) == 0 { when.append(("paths", #"["\#(random.one(of: ["/live/", "/film/1", "/*.m3u8", "/film/*/x*"]))"]"#)) }
        if random.below(3) == 0 { when.append(("clients", #"["\#(random.one(of: ["10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"]))"]"#)) }
        if random.below(4) == 0 { when.append(("headers", #"{"User-Agent": "\#(random.one(of: ["*Roku*", "tv*"]))"}"#)) }
        if random.below(6) == 0 {
            when.append(("hours", #"{"days": ["sun"], "from": "00:00", "to": "\#(random.one(of: ["12:00", "06:00"]))"}"#))
        }
        return when.map { ($0.0, "\"\($0.0)\": \($0.1)") }
    }

    static func health(_ random: inout SplitMix64) -> Health {
        var health = Health.allUp
        for cdn in 0..<4 where random.below(4) == 0 { health.downCDNs.insert("cdn-\(cdn)") }
        for server in 1...3 where random.below(6) == 0 { health.downServers.insert("s\(server)") }
        return health
    }

    /// The name of the target that a URL is at.
    static func place(_ location: String) -> String {
        let host = location.drop { $0 != "/" }.dropFirst(2)
        return host.contains("origin-cluster") ? "origin" : "cdn-" + host.dropFirst("cdn".count).prefix(1)
    }
}

private struct RandomRequest: CustomStringConvertible {
    let video: String
    let line: String
    let client: ClientAddress
    let isByHTTPS: Bool
    var headers: [(name: String, value: String)] = []
    var avoided: String?

    init(_ random: inout SplitMix64, plain: Bool) {
        let path = random.one(of: ["/live/", "/film/1", "/film/22/", "/"]) + random.one(of: ["x.m3u8", "y.mpd?a=b", "x1", "%D1%8F"])
        let server = "s\(random.number(1...(random.below(9) == 0 ? 4 : 3)))"
        let scheme = random.one(of: ["http", "https"])
        video = random.one(of: ["\(scheme)://\(server).origin-cluster\(path)", "/\(server)\(path)", "http://cdn0.example/\(server)\(path)"])
        isByHTTPS = random.below(2) == 0
        client = ClientAddress(random.one(of: ["10.1.2.3", "10.9.0.1", "192.0.2.7", "2001:db8::1", "::ffff:10.1.0.1"])) ?? .unknown
        if !plain {
            if random.below(2) == 0 { headers.append(("User-Agent", random.one(of: ["Some Roku 9", "TV", "curl"]))) }
            if random.below(2) == 0 { headers.append(("X-Viewer", "v\(random.below(4))")) }
            if random.below(3) == 0 { avoided = "cdn-\(random.below(5))" }
        }
        let avoid = avoided.map { "avoid=\($0)" }
        if video.hasPrefix("/") {
            // The path's query is the video's own; a CDN to avoid is named to the other form only.
            avoided = nil
            line = "GET \(video) HTTP/1.1"
        } else {
            line = "GET /?\(avoid.map { "\($0)&" } ?? "")video=\(video) HTTP/1.1"
        }
    }

    var description: String { "\(line) from \(client) with \(headers)" }
}

extension Simulation {
    /// Plays a request and tells where it went.
    fileprivate mutating func place(of request: RandomRequest) -> String {
        let before = report
        let url = Array(request.video.utf8)
        play(url.span, of: request.client)
        if report.toOrigin > before.toOrigin { return "origin" }
        if let cdn = report.toCDN.indices.first(where: { report.toCDN[$0] > before.toCDN[$0] }) { return "cdn-\(cdn)" }
        return report.refused.first { before.refused[$0.key] != $0.value }?.key ?? "nowhere"
    }
}
