import Foundation
import Testing

/// The fast path allocates nothing once it is warm.
@Suite(.serialized, .onThreads)
struct AllocationTests {
    @Test func `a million requests on the fast path make at most 100 allocations`() throws {
        let folder = try Folder()
        let file = "\(folder.output)/allocations"
        let environment = ["CDN_HOST": "cdn.example.com,b.example.com", "ALLOCATIONS": file, "LD_PRELOAD": try Tool.allocations.get()]
        let balancer = try Balancer(in: folder, environment: environment, "--workers", "1")
        defer { balancer.end() }
        // The first requests make the buffers and the answer's beginning.
        #expect(try ConnectionReport(balancer, "16000", "requests", "160", "16").code == 0)
        let before = try Self.counts(file)
        #expect(before.fast > 0 && before.all > before.fast, "nothing is counted: \(before)")

        try Self.ask(balancer, 1_000_000, perConnection: 10_000, depth: 16)
        // Once a second the Date is written anew: a few allocations, whatever the load.
        let made = try Self.counts(file).fast - before.fast
        #expect(made <= 100, "\(made) allocations for 1,000,000 requests")

        // One by one and one a connection takes longer, so only the order is bounded.
        try Self.ask(balancer, 99_000, perConnection: 5_000, depth: 1)
        try Self.ask(balancer, 10_000, perConnection: 1, depth: 1)
        let all = try Self.counts(file).fast - before.fast
        #expect(all <= 1_100, "\(all) allocations for 1,109,000 requests")

        let metrics = try balancer.metrics()
        #expect(metrics.toOrigin + metrics.toCDN("cdn.example.com") + metrics.toCDN("b.example.com") == 1_125_000)
    }

    @Test func `rules by country and autonomous system add no allocation`() throws {
        let folder = try Folder()
        try folder.importCatalog(
            """
            {"version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s[1-99]"], "every": 10},
             "cdns": [{"name": "cdn-0", "url": "http://cdn-0.example.com"}],
             "rules": [{"name": "place", "when": {"countries": ["DE"], "asns": [64496]}, "every": 3},
                       {"name": "rest", "when": {"asns": [1, 2, 3]}, "every": 3}]}
            """)
        let file = "\(folder.output)/allocations"
        let databases = URL(fileURLWithPath: #filePath).appending(path: "../../GeoIPTests/Databases").standardizedFileURL.path
        let environment = ["ALLOCATIONS": file, "LD_PRELOAD": try Tool.allocations.get()]
        let balancer = try Balancer(
            in: folder, environment: environment, "--workers", "1", "--geoip-country", "\(databases)/country.mmdb", "--geoip-asn",
            "\(databases)/asn.mmdb")
        defer { balancer.end() }
        #expect(try ConnectionReport(balancer, "16000", "requests", "160", "16").code == 0)
        let before = try Self.counts(file)
        try Self.ask(balancer, 200_000, perConnection: 10_000, depth: 16)
        let made = try Self.counts(file).fast - before.fast
        #expect(made <= 100, "\(made) allocations for 200,000 requests")
    }

    @Test(arguments: [
        #""scheme": "nginx", "expression": "$secure_link_expires$uri$remote_addr$arg_a $secret""#,
        #""scheme": "akamai", "bindAddress": true"#, #""scheme": "bunny", "placement": "path", "bindAddress": true"#,
        #""scheme": "hmac", "expression": "$expires$directory$path", "placement": "path", "encoding": "hex""#,
    ])
    func `signed links are written without an allocation`(sign: String) throws {
        let folder = try Folder()
        let keys = "\(folder.output)/keys"
        try FileManager.default.createDirectory(atPath: keys, withIntermediateDirectories: true)
        try Data("7c1e5b0f93a84d26e0b7f1c9a25d6348".utf8).write(to: URL(fileURLWithPath: "\(keys)/k"))
        try folder.importCatalog(
            """
            {"version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s[1-99]"], "every": 0},
             "cdns": [{"name": "cdn-0", "url": "http://cdn-0.example.com", "sign": {"key": "k", \(sign)}}]}
            """)
        let file = "\(folder.output)/allocations"
        let environment = ["ALLOCATIONS": file, "LD_PRELOAD": try Tool.allocations.get()]
        let balancer = try Balancer(in: folder, environment: environment, "--workers", "1", "--signing-keys", keys)
        defer { balancer.end() }
        #expect(try ConnectionReport(balancer, "16000", "requests", "160", "16").code == 0)
        let before = try Self.counts(file)
        try Self.ask(balancer, 100_000, perConnection: 10_000, depth: 16)
        let made = try Self.counts(file).fast - before.fast
        #expect(made <= 100, "\(made) allocations for 100,000 requests")
    }

    @Test(arguments: [
        ("rsa", #""scheme": "cloudfront""#), ("ecdsa", #""scheme": "cloudfront", "bindAddress": true"#),
        ("ed25519", #""scheme": "media-cdn", "placement": "path""#),
    ])
    func `links that private keys have signed are written without an allocation once their signature is kept`(kind: String, sign: String)
        throws
    {
        let folder = try Folder()
        let keys = "\(folder.output)/keys"
        try FileManager.default.createDirectory(atPath: keys, withIntermediateDirectories: true)
        #expect(try folder.balancer("signing-key", "create", "k", "--kind", kind, "--id", "K1", "--signing-keys", keys).code == 0)
        // A year's life has windows of two weeks: none ends meanwhile, but for the smallest of chances.
        try folder.importCatalog(
            """
            {"version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s[1-99]"], "every": 0},
             "cdns": [{"name": "cdn-0", "url": "http://cdn-0.example.com", "sign": {"key": "k", "life": 31536000, \(sign)}}]}
            """)
        let file = "\(folder.output)/allocations"
        let environment = ["ALLOCATIONS": file, "LD_PRELOAD": try Tool.allocations.get()]
        let balancer = try Balancer(in: folder, environment: environment, "--workers", "1", "--signing-keys", keys)
        defer { balancer.end() }
        #expect(try ConnectionReport(balancer, "16000", "requests", "160", "16").code == 0)
        let before = try Self.counts(file)
        try Self.ask(balancer, 100_000, perConnection: 10_000, depth: 16)
        let made = try Self.counts(file).fast - before.fast
        #expect(made <= 100, "\(made) allocations for 100,000 requests")
        let metrics = try balancer.metrics()
        #expect(metrics["balancer_link_signatures_total{result=\"refused\"}"] == 0)
        #expect(metrics["balancer_link_signatures_total{result=\"hit\"}"] ?? 0 >= 115_000)
    }

    @Test func `steering documents are made without an allocation`() throws {
        let folder = try Folder()
        let cdns = (0..<6).map { #"{"name":"cdn-with-a-rather-long-name-\#($0)","url":"http://cdn-\#($0).example.com"}"# }
        try folder.importCatalog(
            """
            {"version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s[1-99]"]}, "cdns": [\(cdns.joined(separator: ","))],
             "steering": {"enabled": true}}
            """)
        let file = "\(folder.output)/allocations"
        let environment = ["ALLOCATIONS": file, "LD_PRELOAD": try Tool.allocations.get()]
        let balancer = try Balancer(in: folder, environment: environment, "--workers", "1")
        defer { balancer.end() }
        let target = "/steering/hls/s1/film/master.m3u8?session=17&_HLS_pathway=%22cdn-with-a-rather-long-name-1%22&_HLS_throughput=5000000"
        let connection = try balancer.connection()
        try connection.get(target, count: 2_000) { #expect($0.status == 200) }
        let before = try Self.counts(file)
        try connection.get(target, count: 20_000) { #expect($0.status == 200) }
        let made = try Self.counts(file).fast - before.fast
        #expect(made <= 100, "\(made) allocations for 20,000 documents")
    }

    @Test func `redirects by HTTP/2 are made without an allocation`() throws {
        let folder = try Folder()
        let file = "\(folder.output)/allocations"
        let environment = ["CDN_HOST": "cdn.example.com", "ALLOCATIONS": file, "LD_PRELOAD": try Tool.allocations.get()]
        let balancer = try Balancer(in: folder, environment: environment, "--workers", "1", "--http2", "any")
        defer { balancer.end() }
        let connection = try balancer.connection()
        try connection.send(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0])
        var stream: UInt32 = 1
        var input: [UInt8] = []
        // GET and https by their numbers; the path and the host enter the table with the first request and push each other out of it.
        func ask(_ count: Int) throws {
            var left = 0
            for _ in 0..<count {
                let path = Array("\(Sample.target)?\(stream)".utf8)
                let block = [0x82, 0x87, 0x44, UInt8(path.count)] + path + [0x41, 1, 0x62]
                let number = (0..<4).map { UInt8(truncatingIfNeeded: stream >> UInt32(24 - 8 * $0)) }
                try connection.send([0, 0, UInt8(block.count), 1, 5] + number + block)
                stream += 2
                left += 1
                if left < 10 { continue }
                while left > 0 {
                    if input.count >= 9, input.count >= 9 + Int(input[1]) << 8 + Int(input[2]) {
                        if input[3] == 1 { left -= 1 }
                        #expect([1, 4].contains(input[3]), "frame \(input[3])")
                        input.removeFirst(9 + Int(input[1]) << 8 + Int(input[2]))
                    } else {
                        let bytes = try connection.next()
                        try #require(!bytes.isEmpty, "it has ended")
                        input += bytes
                    }
                }
            }
        }
        try ask(2_000)
        let before = try Self.counts(file)
        try ask(20_000)
        let made = try Self.counts(file).fast - before.fast
        #expect(made <= 100, "\(made) allocations for 20,000 redirects")
        #expect(try balancer.metrics()["balancer_hand_overs_total{reason=\"not-plain\"}"] == 0)
    }

    private static func ask(_ balancer: Balancer, _ count: Int, perConnection: Int, depth: Int) throws {
        let report = try ConnectionReport(balancer, "\(count)", "requests", "\(perConnection)", "\(depth)")
        #expect(report.code == 0 && report["answers"] == count, "\(report)")
    }

    /// Allocations of the fast loops, of all threads, and those of the fast loops that Swift code made, not a library in C.
    static func counts(_ file: String) throws -> (fast: UInt64, all: UInt64, ours: UInt64) {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        guard bytes.count >= 24 else { throw Failure("\(bytes.count) bytes in \(file)") }
        // unsafe: three integers at the places where allocations.c writes them.
        return unsafe bytes.withUnsafeBytes { bytes in
            func number(_ index: Int) -> UInt64 { unsafe bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self) }
            return (number(0), number(1), number(2))
        }
    }
}
