import Foundation
import Testing

/// What an operator sees: health, metrics, logs.
@Suite(.onThreads)
struct ObservationTests {
    @Test func `livez and readyz answer on both ports`() throws {
        let balancer = try Balancer(in: try Folder())
        defer { balancer.end() }
        for page in ["/livez", "/readyz"] {
            #expect(try balancer.get(page).status == 200)
            #expect(try balancer.admin(page).status == 200)
        }
        #expect(try balancer.admin("/readyz").text == "ready\n")
    }

    @Test func `metrics count what was sent: redirects by target and CDN, refusals by reason, connections, revision`() throws {
        let balancer = try Balancer(in: try Folder())
        defer { balancer.end() }
        try balancer.waitForRevision(balancer.folder.importCatalog(Sample.catalog(every: 4, weights: [2, 1])))

        let kept = try balancer.connection()
        for _ in 0..<11 { #expect(try kept.get(Sample.target).status == 301) }
        try kept.send("HEAD \(Sample.target) HTTP/1.1\r\nHost: b\r\n\r\n")
        #expect(try kept.answer(to: "HEAD").status == 301)
        let requests: [(target: String, status: Int)] = [
            ("/", 400), ("/", 400), ("/?video=ftp://s1.origin-cluster/a", 400), ("/?video=http://s1.elsewhere/a", 403),
            ("/s100/a.m3u8", 404), ("/?video=http://s1.origin-cluster/a&video=b", 400), ("/livez", 200),
        ]
        for request in requests { #expect(try balancer.get(request.target).status == request.status, "\(request)") }
        let wrong = try balancer.connection()
        try wrong.send("DELETE / HTTP/1.1\r\nHost: b\r\n\r\n")
        #expect(try wrong.answer().status == 405)
        let broken = try balancer.connection()
        try broken.send("GET / HTTP/1.1\r\n\r\n")
        #expect(try broken.answer().status == 400)

        let metrics = try balancer.metrics()
        #expect(metrics.toOrigin == 3)
        #expect(metrics.toCDN("cdn-0") == 6)
        #expect(metrics.toCDN("cdn-1") == 3)
        #expect(metrics.refusals(400, "missing-video") == 2)
        #expect(metrics.refusals(400, "not-http") == 1)
        #expect(metrics.refusals(403, "unknown-host") == 1)
        #expect(metrics.refusals(404, "unknown-server") == 1)
        #expect(metrics.refusals(400, "repeated-video") == 1)
        #expect(metrics.refusals(405, "method-not-allowed") == 1)
        #expect(metrics.refusals(400, "bad-host") == 1)
        #expect(metrics["balancer_other_answers_total"] == 1)
        #expect(metrics["balancer_connections_accepted_total"] == 10)
        #expect(metrics["balancer_catalog_revision"] == 2)
        #expect(metrics["balancer_degraded"] == 0)
        try withExtendedLifetime(kept) {
            try eventually("one open connection besides those that are closing") {
                try balancer.metrics()["balancer_connections_open"].map { (1...3).contains($0) } ?? false
            }
        }
    }

    @Test func `every log line is JSON with an RFC 3339 time in UTC, a level and a message`() throws {
        let balancer = try Balancer(in: try Folder(), "--log-level", "debug")
        defer { balancer.end() }
        let start = Date.now
        try balancer.waitForRevision(balancer.folder.importCatalog(Sample.catalog()))
        try balancer.stop()
        let lines = try balancer.log()
        #expect(lines.count >= 5)
        for line in lines {
            #expect(abs(try line.date.timeIntervalSince(start)) < 120, "\(line)")
            #expect(!line.message.isEmpty)
            #expect(["trace", "debug", "info", "notice", "warning", "error", "critical"].contains(line.level))
        }
    }

    @Test func `a comment with quotes, controls and line ends stays one JSON log line`() throws {
        let balancer = try Balancer(in: try Folder())
        defer { balancer.end() }
        let comment = "why: \"tests\"\n\u{1B}[31m\u{85}\u{2028} \\ ende"
        try balancer.folder.write(Sample.catalog(), to: "c.json")
        let imported = try balancer.folder.balancer(
            "catalog", "import", "c.json", "--comment", comment, "--database", balancer.folder.database)
        #expect(imported.code == 0, "\(imported)")
        try balancer.waitForRevision(2)
        #expect(try balancer.log("catalog applied").first?["comment"] == comment)
    }
}
