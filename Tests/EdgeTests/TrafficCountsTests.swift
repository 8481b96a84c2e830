import Steering
import Testing

@testable import Edge

@Suite struct TrafficCountsTests {
    private func summary(_ counts: TrafficCounts) -> [String] {
        counts.entries.map { entry in
            let target =
                switch entry.target {
                case .origin: "origin"
                case .cdn(let index): "cdn \(index)"
                case nil: "none"
                }
            return "\(target) \(entry.cdn) \(entry.server) \(entry.status) \(entry.requests)"
        }
    }

    @Test func `each answer is counted by target, CDN, server and status`() throws {
        var asker = try Asker(Setup(every: 3, cdns: [("a", "http://a.example.com"), ("b", "http://b.example.com")]))
        for _ in 0..<6 { _ = asker.ask("GET /s2/x HTTP/1.1") }
        _ = asker.ask("GET /s1/x HTTP/1.1")
        _ = asker.ask("GET /?video=http://elsewhere/x HTTP/1.1")
        _ = asker.ask("GET /livez HTTP/1.1")
        #expect(
            summary(asker.responder.takeTraffic()) == [
                "cdn 0 a s1 301 1", "origin  s2 301 2", "cdn 0 a s2 301 2", "cdn 1 b s2 301 2", "none   403 1",
            ])
        #expect(summary(asker.responder.takeTraffic()) == [])
    }

    @Test func `a new table gives back what was counted with the old one, under its names`() throws {
        var asker = try Asker(Setup(cdns: [("a", "http://a.example.com")]))
        _ = asker.ask("GET /s1/x HTTP/1.1")
        let table = try Setup(cdns: [("new", "http://b.example.com")], status: 302).table()
        let sequences = SequenceBook().set(for: table)
        #expect(summary(asker.responder.replaceTable(table, sequences)) == ["cdn 0 a s1 301 1"])
        _ = asker.ask("GET /s1/x HTTP/1.1")
        #expect(summary(asker.responder.takeTraffic()) == ["cdn 0 new s1 302 1"])
    }

    @Test func `where servers times targets are too many, servers are not kept apart`() throws {
        var asker = try Asker(
            Setup(servers: ["s[1-10000]"], every: 2, cdns: (0..<3).map { ("cdn-\($0)", "http://cdn\($0).example.com") }))
        for _ in 0..<2 { _ = asker.ask("GET /s9999/x HTTP/1.1") }
        #expect(summary(asker.responder.takeTraffic()) == ["origin   301 1", "cdn 0 cdn-0  301 1"])
        var small = try Asker(Setup(servers: ["s[1-10000]"], cdns: [("a", "http://a.example.com"), ("b", "http://b.example.com")]))
        _ = small.ask("GET /s9999/x HTTP/1.1")
        #expect(summary(small.responder.takeTraffic()) == ["cdn 0 a s9999 301 1"])
    }
}
