import Foundation
import Testing

/// Content steering on the wire: what a player that plays is told, and what an operator does to it.
@Suite(.serialized, .onThreads)
struct SteeringTests {
    private static func catalog(every: Int = 10) -> String {
        let plain = Sample.catalog(every: every, weights: [1, 1])
        return "{\"steering\": {\"enabled\": true, \"ttl\": 100}," + plain.dropFirst()
    }

    private static func pathways(_ answer: Answer) throws -> [String] {
        let object = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
        guard answer.status == 200, let list = object?["PATHWAY-PRIORITY"] as? [String] else {
            throw Failure("\(answer.head)\(answer.text)")
        }
        return list
    }

    @Test func `curl gets both documents, and a CDN that is drained is left within one answer`() throws {
        let folder = try Folder()
        try folder.importCatalog(Self.catalog())
        let token = ["BALANCER_ADMIN_TOKEN": Editor.token]
        let balancer = try Balancer(in: folder, environment: token)
        defer { balancer.end() }
        let base = "http://127.0.0.1:\(balancer.port)/steering"
        for (format, type) in [("hls", "application/vnd.apple.steering-list"), ("dash", "application/json")] {
            let curl = try Command.run(["curl", "-sS", "-i", "\(base)/\(format)/s1/film/master?session=4"], in: folder)
            #expect(curl.code == 0 && curl.output.contains("Content-Type: \(type)\r\n"), "\(curl)")
            #expect(curl.output.contains(#""PATHWAY-PRIORITY":["#), "\(curl)")
        }

        let target = "/steering/hls/s1/film/master.m3u8?session=4"
        let before = try Self.pathways(balancer.get(target))
        #expect(before.count == 3 && before.last == "origin")
        let tag = try #require(try Self.api(balancer, "GET", "/api/v1/catalog")["ETag"])
        let drained = try Self.api(
            balancer, "PATCH", "/api/v1/cdns/\(before[0])", ["If-Match: \(tag)", "Content-Type: application/merge-patch+json"],
            "{\"enabled\": false}")
        #expect(drained.status == 200, "\(drained.text)")
        try eventually("the order to change") { try Self.pathways(balancer.get(target)) == [before[1], "origin"] }
        let moved = try balancer.get(target + "&_HLS_pathway=%22\(before[0])%22&_HLS_throughput=x")
        #expect(try Self.pathways(moved)[0] == before[1])

        let metrics = try balancer.metrics()
        #expect(
            metrics["balancer_steering_moves_total{reason=\"drained\"}"] == 1 && metrics["balancer_steering_parameters_ignored_total"] == 1)
        let first = before.prefix(2).map { metrics["balancer_steering_answers_total{target=\"cdn\",cdn=\"\($0)\"}"] ?? 0 }
        #expect(first[0] >= 3 && first[1] >= 2 && metrics.toCDN(before[0]) == 0, "\(first)")
    }

    @Test func `simulate tells whom a change moves and how evenly players ask, and refuses what has no meaning`() throws {
        let folder = try Folder()
        func catalog(_ weights: [Int], steers: Bool = true) -> String {
            "{\"steering\": {\"enabled\": \(steers)}," + Sample.catalog(every: 0, weights: weights).dropFirst()
        }
        func simulate(_ arguments: [String]) throws -> Command.Finished {
            try Command.run([Command.binary, "simulate"] + arguments, in: folder)
        }
        try folder.write(catalog([50, 50]), to: "before.json")
        try folder.write(catalog([90, 10]), to: "after.json")
        try folder.write(catalog([50, 50], steers: false), to: "off.json")
        try folder.write(catalog([1]), to: "one.json")
        let sessions = ["--sessions", "2000", "--every", "600"]
        let played = try simulate(["before.json", "--then", "after.json"] + sessions)
        let moved = try #require(played.output.firstMatch(of: /moved by the change: (\d+) of 2000/).flatMap { Int($0.1) })
        // Of 50:50 to 90:10 40 % move; 2,000 draws of it stay within 80 of that.
        #expect(played.code == 0 && (720...880).contains(moved), "\(played)")
        #expect(played.output.split(separator: "\n").count == 1 + 3 + 2, "\(played)")
        let dead = try simulate(
            ["before.json", "--down", "cdn-1", "--for", "1200", "--begin-over", "10", "--at", "700"] + sessions)
        #expect(dead.output.contains(/\n +600 .* 100\.00 +0\.00\n/), "\(dead)")
        for (arguments, words) in [
            (["before.json", "--then", "after.json"], "--sessions"), (["before.json", "--log", "x"] + sessions, "--log"),
            (["off.json"] + sessions, "steers nobody"), (["before.json", "--then", "one.json"] + sessions, "the same CDNs"),
            (["before.json", "--path", "/s999/a"] + sessions, "unknown-server"), (["before.json", "--sessions", "0"], "--sessions"),
        ] {
            let refused = try simulate(arguments)
            #expect(refused.code != 0 && refused.error.contains(words), "\(arguments): \(refused)")
        }
    }

    @Test func `explain tells a steering question as it stands in the access log`() throws {
        let folder = try Folder()
        try folder.importCatalog(Self.catalog())
        let told = try folder.balancer(
            "explain", "/steering/hls/s1/film/master.m3u8?session=10&_HLS_pathway=cdn-1", "--database", folder.database)
        #expect(told.code == 0, "\(told)")
        for line in [
            "session   number 10", "playing   the player says that it uses cdn-1", "decide    origin: ", "ttl       ",
            "answer    200 origin, ",
        ] {
            #expect(told.output.contains("\n\(line)"), "\(line): \(told)")
        }
        #expect(try folder.balancer("explain", "/steering/hls/s999/a", "--database", folder.database).code == 1)
    }

    /// Players that follow the specification's client to the letter, in real time: each asks when its TTL has passed, says where it is, and
    /// goes to the first pathway that its manifest has.
    private struct Players {
        private let balancer: Balancer
        private var sessions: [(pathway: String, next: ContinuousClock.Instant)] = []
        private(set) var moved: Set<Int> = []

        init(_ count: Int, _ balancer: Balancer) throws {
            self.balancer = balancer
            sessions = Array(repeating: ("", .now), count: count)
            for session in sessions.indices { try ask(session) }
        }

        func count(at pathway: String) -> Int { sessions.count { $0.pathway == pathway } }

        /// Plays for so long; `moved` then has those that moved in it.
        mutating func play(for time: Duration) throws {
            moved = []
            let end = ContinuousClock.now + time
            while let due = sessions.indices.min(by: { sessions[$0].next < sessions[$1].next }), sessions[due].next < end {
                let wait = ContinuousClock.now.duration(to: sessions[due].next)
                if wait > .zero { pause(wait / .seconds(1)) }
                try ask(due)
            }
        }

        private mutating func ask(_ session: Int) throws {
            let was = sessions[session].pathway
            let report = was.isEmpty ? "" : "&_HLS_pathway=%22\(was)%22&_HLS_throughput=5000000"
            let answer = try balancer.get("/steering/hls/s1/film/master.m3u8?session=\(session + 1)\(report)")
            let object = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
            guard answer.status == 200, object?["VERSION"] as? Int == 1, let ttl = object?["TTL"] as? Int, ttl > 0,
                let list = object?["PATHWAY-PRIORITY"] as? [String], Set(list).count == list.count,
                let pathway = list.first(where: { ["cdn-0", "cdn-1"].contains($0) })
            else { throw Failure("\(answer.head)\(answer.text)") }
            if pathway != was, !was.isEmpty { moved.insert(session) }
            sessions[session] = (pathway, .now + .seconds(ttl))
        }
    }

    @Test(.enabled(if: Tier.isSoak, "takes three TTLs of thirty seconds"))
    func `a change of weights reaches two hundred players within one TTL and moves two of five, and a drain empties its CDN`() throws {
        let folder = try Folder()
        let plain = Sample.catalog(every: 0, weights: [50, 50])
        try folder.importCatalog("{\"steering\": {\"enabled\": true, \"ttl\": 30}," + plain.dropFirst())
        let balancer = try Balancer(in: folder, environment: ["BALANCER_ADMIN_TOKEN": Editor.token])
        defer { balancer.end() }
        // A session that has just begun may wait a fifth longer.
        let (ttl, half) = (Duration.seconds(36), 0.5)
        var players = try Players(200, balancer)
        #expect((70...130).contains(players.count(at: "cdn-0")))
        try Self.patch(balancer, "cdn-0", "{\"weight\": 90}")
        try Self.patch(balancer, "cdn-1", "{\"weight\": 10}")
        try eventually("the table to change") {
            try Self.pathways(balancer.get("/steering/hls/s1/a?session=1")).count == 2
        }
        let before = players.count(at: "cdn-1")
        try players.play(for: ttl)
        let first = (moved: players.moved.count, left: players.count(at: "cdn-1"))
        #expect(first.moved == before - first.left && Double(first.moved) <= 0.42 * 200 && Double(first.left) < half * Double(before))
        try players.play(for: ttl)
        #expect(players.moved.isEmpty, "all that should have moved")
        try Self.patch(balancer, "cdn-0", "{\"enabled\": false}")
        try players.play(for: ttl)
        #expect(players.count(at: "cdn-0") == 0 && players.moved.count == 200 - first.left, "\(players.count(at: "cdn-0"))")
    }

    private static func patch(_ balancer: Balancer, _ cdn: String, _ change: String) throws {
        let tag = try #require(try api(balancer, "GET", "/api/v1/catalog")["ETag"])
        let answer = try api(
            balancer, "PATCH", "/api/v1/cdns/\(cdn)", ["If-Match: \(tag)", "Content-Type: application/merge-patch+json"], change)
        guard answer.status == 200 else { throw Failure(answer.text) }
    }

    @Test(.enabled(if: Tier.isSoak, "takes a minute: windows of ten seconds"))
    func `players that leave a CDN take it out, one network does not, and status, metrics and explain say so`() throws {
        let folder = try Folder()
        let plain = Sample.catalog(every: 0, weights: [1, 1])
        try folder.importCatalog(
            "{\"steering\": {\"enabled\": true}, \"failover\": {\"passive\": true, \"panicThreshold\": 0}," + plain.dropFirst())
        let balancer = try Balancer(
            in: folder, environment: ["BALANCER_ADMIN_TOKEN": Editor.token], "--trusted-proxies", "127.0.0.0/8")
        defer { balancer.end() }
        func leave(_ networks: Range<Int>) throws {
            for network in networks {
                let answer = try balancer.get("\(Sample.target)&avoid=cdn-0", "X-Forwarded-For: 198.51.\(network).7")
                guard answer.status == 301 else { throw Failure(answer.text) }
            }
        }
        func isLeft() throws -> Bool { try balancer.metrics()["balancer_cdn_left{cdn=\"cdn-0\"}"] == 1 }
        let end = ContinuousClock.now + .seconds(33)
        while ContinuousClock.now < end {
            for _ in 0..<30 { try leave(7..<8) }
            pause(0.5)
        }
        #expect(try !isLeft(), "one network counts once")
        try eventually("the CDN to go down", within: 90, every: 0.5) {
            try leave(0..<40)
            return try isLeft()
        }
        let first = try Self.pathways(balancer.get("/steering/hls/s1/a?session=4"))
        #expect(first == ["cdn-1", "cdn-0"], "behind, since players need two")
        #expect(try Self.api(balancer, "GET", "/api/v1/status").text.filter { !$0.isWhitespace }.contains(#""left":["cdn-0"]"#))
        let explained = try Self.api(
            balancer, "POST", "/api/v1/explain", ["Content-Type: application/json"], #"{"video": "/steering/hls/s1/a?session=4"}"#)
        #expect(
            explained.text.contains("cdn-0: its players leave it")
                && explained.text.filter { !$0.isWhitespace }.contains(#""pathways":["cdn-1","cdn-0"]"#),
            "\(explained.text)")
        #expect(try balancer.metrics()["balancer_players_left_total{cdn=\"cdn-0\",report=\"avoid\"}"] ?? 0 > 100)
    }

    private static func api(
        _ balancer: Balancer, _ method: String, _ target: String, _ fields: [String] = [], _ body: String = ""
    ) throws -> Answer {
        let connection = try HTTPConnection("127.0.0.1", balancer.adminPort)
        let fields = ["Authorization: Bearer \(Editor.token)", "Content-Length: \(body.utf8.count)"] + fields
        try connection.send("\(method) \(target) HTTP/1.1\r\nHost: admin\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n" + body)
        return try connection.answer()
    }
}
