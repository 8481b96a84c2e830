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
        #expect(metrics["balancer_steering_moves_total{reason=\"drained\"}"] == 1 && metrics["balancer_steering_parameters_ignored_total"] == 1)
        let first = before.prefix(2).map { metrics["balancer_steering_answers_total{target=\"cdn\",cdn=\"\($0)\"}"] ?? 0 }
        #expect(first[0] >= 3 && first[1] >= 2 && metrics.toCDN(before[0]) == 0, "\(first)")
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
