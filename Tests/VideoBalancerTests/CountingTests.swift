import Foundation
import Glibc
import Testing

/// What the balancer is for: every N-th request to the origin, all others to the CDNs by weight, counted on the wire.
@Suite(.serialized, .onThreads)
struct CountingTests {
    @Test func `of twenty GETs with curl the 10th and the 20th go to the origin and the others to the CDN`() throws {
        let folder = try Folder()
        let balancer = try Balancer(in: folder, environment: ["CDN_HOST": "cdn.example.com", "ORIGIN_EVERY": "10"])
        defer { balancer.end() }
        for number in 1...20 {
            let curl = try Command.run(
                [
                    "curl", "-sS", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}",
                    "--connect-to", "balancer-domain:80:127.0.0.1:\(balancer.port)", Sample.link,
                ], in: folder)
            #expect(curl.output == "301 \(number % 10 == 0 ? Sample.atOrigin : Sample.atCDN)", "request \(number): \(curl.error)")
        }
    }

    @Test func `over 8 connections and 100,000 requests exactly 10,000 go to the origin`() throws {
        let balancer = try Balancer(in: try Folder(), environment: ["CDN_HOST": "cdn.example.com", "ORIGIN_EVERY": "10"])
        defer { balancer.end() }
        let counts = try Load.count(balancer, requests: 100_000)
        #expect(counts == ["origin": 10_000, "cdn": 90_000])
        let metrics = try balancer.metrics()
        #expect(metrics.toOrigin == 10_000)
        #expect(metrics.toCDN("cdn.example.com") == 90_000)
    }

    @Test func `for every N and every set of weights the counts over whole rings are exact, also right after an import`() throws {
        let balancer = try Balancer(in: try Folder())
        defer { balancer.end() }
        for every in [0, 1, 2, 3, 10] {
            for weights in [[1, 1], [9, 1], [5, 3, 2]] {
                try balancer.waitForRevision(balancer.folder.importCatalog(Sample.catalog(every: every, weights: weights)))
                let ring = weights.reduce(0, +)
                let toOrigin = every == 0 ? 0 : 8 * ring
                let toCDNs = every == 0 ? 8 * ring : (every - 1) * 8 * ring
                var expected: Counts = toOrigin == 0 ? [:] : ["origin": toOrigin]
                for (cdn, weight) in weights.enumerated() where toCDNs > 0 { expected["cdn-\(cdn)"] = toCDNs / ring * weight }
                let counts = try Load.count(balancer, requests: toOrigin + toCDNs)
                #expect(counts == expected, "N = \(every), weights \(weights)")
            }
        }
    }

    @Test func `an imported catalog is applied within a second`() throws {
        let balancer = try Balancer(in: try Folder())
        defer { balancer.end() }
        let delays = try (0..<5).map { run in
            let revision = try balancer.folder.importCatalog(Sample.catalog(every: run))
            let acknowledged = ContinuousClock.now
            try balancer.waitForRevision(revision)
            return ContinuousClock.now - acknowledged
        }
        // A machine that is busy with other things delays one or two of them; it does not delay most.
        #expect(delays.sorted()[2] < .seconds(1), "\(delays)")
    }

    @Test func `SIGHUP applies a new catalog at once`() throws {
        let balancer = try Balancer(in: try Folder())
        defer { balancer.end() }
        for run in 0..<5 {
            let revision = try balancer.folder.importCatalog(Sample.catalog(every: run))
            balancer.process.send(SIGHUP)
            try balancer.waitForRevision(revision)
            try eventually("the log line of SIGHUP") { try balancer.log("reloading").count == run + 1 }
        }
        let reloaded = try balancer.log("reloading").map { try $0.date }
        let applied = try balancer.log("catalog applied").map { try $0.date }
        let waits = zip(reloaded, applied).map { $1.timeIntervalSince($0) }.sorted()
        // The poll alone would make it wait a quarter of a second on average.
        #expect(waits[2] < 0.15, "\(waits)")
    }
}

/// Requests over several connections at once.
enum Load {
    /// Sends `requests` on `connections` connections, in equal parts, and counts where the answers send the player.
    static func count(_ balancer: Balancer, requests: Int, connections: Int = 8) throws -> Counts {
        try .sum(
            concurrently(connections) { _ in
                var counts: Counts = [:]
                try balancer.connection().get(Sample.target, count: requests / connections) { answer in
                    guard answer.status == 301 else { throw Failure("\(answer)") }
                    counts.count(Sample.target(of: answer.location))
                }
                return counts
            })
    }
}
