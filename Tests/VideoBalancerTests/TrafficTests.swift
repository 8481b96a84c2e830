import Foundation
import Glibc
import Testing

/// The history of traffic against what clients counted.
@Suite(.onThreads)
struct TrafficTests {
    private static let environment = ["CDN_HOST": "cdn.example.com", "BALANCER_ADMIN_TOKEN": Fleet.token]

    private func stored(_ folder: Folder) throws -> Int {
        Int(try folder.sqlite("SELECT COALESCE(SUM(requests), 0) FROM balancer_traffic")) ?? -1
    }

    @Test func `after a stop every answer is in the history by target, cdn, server and status, and the API sums it up`() throws {
        let folder = try Folder()
        let balancer = try Balancer(in: folder, environment: TrafficTests.environment)
        defer { balancer.end() }
        for _ in 0..<40 { _ = try balancer.get(Sample.target) }
        for _ in 0..<7 { _ = try balancer.get("/?video=http://s2.origin-cluster/x.m3u8") }
        // Counts of the old table must not be lost with it.
        let tag = try balancer.api("GET", "catalog")["ETag"] ?? ""
        #expect(try balancer.api("PUT", "redirect", #"{"status":302}"#, fields: ["If-Match: \(tag)"]).status == 200)
        for _ in 0..<3 { _ = try balancer.get(Sample.target) }
        #expect(try balancer.get("/?video=http://elsewhere/x").status == 403)
        #expect(try balancer.get("/livez").status == 200)
        #expect(try balancer.stop() == .exited(0))
        let rows = try folder.sqlite(
            """
            SELECT target, cdn, server, status, SUM(requests) FROM balancer_traffic GROUP BY target, cdn, server, status ORDER BY 1, 2, 3, 4
            """)
        #expect(
            rows == """
                cdn|cdn.example.com|s1|301|36
                cdn|cdn.example.com|s1|302|2
                cdn|cdn.example.com|s2|301|7
                none|||403|1
                origin||s1|301|4
                origin||s1|302|1
                """)
        let again = try Balancer(in: folder, environment: TrafficTests.environment)
        defer { again.end() }
        let answer = try again.api("GET", "traffic?by=target")
        #expect(answer.status == 200)
        #expect(try answer.json("total") == "51")
        let old = try again.api("GET", "traffic?to=2026-01-01T00:00:00Z")
        #expect(try old.json("total") == "0")
    }

    @Test func `after twenty kills the history is never above what clients counted, and below by the last minute of each at most`() throws {
        let folder = try Folder()
        let (kills, longest) = (20, Tier.isSoak ? 90.0 : 4.0)
        var counted = 0
        /// Answers whose minute was over when their balancer was killed, or that stopped as it should.
        var certain = 0
        for run in 0..<(kills + 5) {
            let balancer = try Balancer(in: folder, environment: TrafficTests.environment)
            defer { balancer.end() }
            let end = ContinuousClock.now + .seconds(Double.random(in: 0.5...longest))
            var byMinute: [Int: Int] = [:]
            let player = try balancer.connection()
            while ContinuousClock.now < end {
                _ = try player.get(Sample.target)
                // The minute when the answer had come: it was counted then or before.
                byMinute[Int(Date().timeIntervalSince1970) / 60, default: 0] += 1
                pause(0.002)
            }
            let answers = byMinute.values.reduce(0, +)
            counted += answers
            if run % 5 == 4 {
                #expect(try balancer.stop() == .exited(0))
                certain += answers
            } else {
                // What is written at the full minute needs a moment to get there; a minute that ended just now may be lost with the kill.
                let minute = Int(Date().timeIntervalSince1970 - 5) / 60
                try balancer.kill()
                certain += byMinute.filter { $0.key < minute }.values.reduce(0, +)
            }
            #expect(try stored(folder) <= counted, "run \(run)")
        }
        let total = try stored(folder)
        print("after \(kills) kills: clients counted \(counted), stored are \(total), certain were \(certain)")
        #expect(total <= counted)
        #expect(total >= certain)
    }

    @Test func `while the database is away under load no redirect fails, and afterwards the history has all of them`() throws {
        let folder = try Folder()
        let database = try Database(in: folder)
        let balancer = try Balancer(
            in: folder, environment: TrafficTests.environment, "--database", database.url, "--state", folder.path("state"))
        defer { balancer.end() }
        let stop = Flag()
        let players = (0..<2).map { _ in
            Background {
                let player = try balancer.connection()
                var answers = 0
                while !stop.isUp {
                    guard try player.get(Sample.target).status == 301 else { throw Failure("a redirect failed") }
                    answers += 1
                    pause(0.0005)
                }
                return answers
            }
        }
        pause(1)
        try database.bring(.folderMoved)
        // Over a full minute, so that there was something to write.
        let seconds = Tier.isSoak ? 600.0 : 62.0
        pause(seconds)
        #expect(try balancer.metrics()["balancer_degraded"] == 1)
        #expect(try balancer.metrics()["balancer_traffic_backlog_seconds"] ?? 0 >= 1)
        try database.restore()
        try eventually("recovery") { try balancer.metrics()["balancer_degraded"] == 0 }
        stop.raise()
        let answers = try players.map { try $0.result() }.reduce(0, +)
        #expect(try balancer.stop() == .exited(0))
        let stored = try folder.sqlite("SELECT SUM(requests) FROM balancer_traffic WHERE target <> 'none'", database: "data/balancer.db")
        #expect(stored == "\(answers)")
    }
}
