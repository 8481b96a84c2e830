import Testing

@testable import Steering

@Suite struct ExplanationTests {
    private func steps(_ catalog: Document, _ url: String, _ about: String) throws -> [String] {
        let table = RoutingTable(try Catalog(catalog), revision: 1)
        return table.explain(url, avoiding: nil, at: 0, sequences: SequenceBook().set(for: table)).steps
            .filter { $0.about == about }.map(\.text)
    }

    @Test func `parameters that would go on are told, and only where some would`() throws {
        let origin = Setup(every: 1).document
        let passing = origin.setting("/redirect/passParameters", .array([.string("CMCD"), .string("_HLS_msn")]))
        #expect(try steps(passing, "/s1/a", "pass") == [])
        let text = "parameters beside video that are passed on: CMCD, _HLS_msn"
        #expect(try steps(passing, "http://s1.origin-cluster/a", "pass") == [text])
        #expect(try steps(origin, "http://s1.origin-cluster/a", "pass") == [])
    }

    @Test func `a scheme that is kept is told, and only where it is kept`() throws {
        let origin = Setup(every: 1).document
        let keeping = origin.setting("/origin/keepScheme", .bool(true))
        let read = "an origin URL: server s1, domain origin-cluster"
        #expect(try steps(keeping, "https://s1.origin-cluster/a", "read") == ["\(read), the origin by https"])
        #expect(try steps(keeping, "https://s1.origin-cluster/a", "answer") == ["301 https://s1.origin-cluster/a"])
        #expect(try steps(keeping, "/s1/a", "read") == ["a path at the balancer: server s1, domain origin-cluster"])
        #expect(try steps(origin, "https://s1.origin-cluster/a", "read") == [read])
        #expect(try steps(origin, "https://s1.origin-cluster/a", "answer") == ["301 http://s1.origin-cluster/a"])
    }

    // MARK: Steering

    private static func steering(_ changes: [(String, Document)] = []) throws -> Catalog {
        var document = Setup(every: 10, cdns: Setup.cdns(weights: [1, 1])).document.setting("/steering/enabled", .bool(true))
        for (pointer, value) in changes { document = document.setting(pointer, value) }
        return try Catalog(document)
    }

    private static func told(_ target: String, avoiding name: String? = nil, _ table: RoutingTable) -> (Explanation, [String: String]) {
        let explanation = table.explain(target, avoiding: name, at: 1_700_000_000, sequences: SequenceBook().set(for: table))
        return (explanation, Dictionary(explanation.steps.map { ($0.about, $0.text) }) { "\($0); \($1)" })
    }

    @Test func `a steering question is told with its session, ranking, TTL and why`() throws {
        let table = RoutingTable(try Self.steering(), revision: 1)
        let (explanation, steps) = Self.told(#"/steering/hls/s1/a?session=10&_HLS_pathway="cdn-1"&_HLS_throughput=x"#, table)
        #expect(explanation.steering?.pathways.first == "origin" && explanation.steering?.usable == 3 && explanation.location == nil)
        #expect(steps["session"] == "number 10; parameters that do not parse and count as absent: 1")
        #expect(steps["playing"] == "the player says that it uses cdn-1")
        #expect(steps["decide"] == "origin: the session's number is a multiple of 10, so the origin is its place")
        #expect(steps["ttl"]?.contains("300 by ttl, ") == true && steps["append"] == nil)
        #expect(steps["answer"] == explanation.steering.map { "200 \($0.pathways.joined(separator: ", "))" })
        let (_, without) = Self.told("/steering/dash/s1/a?avoid=gone&_DASH_pathway=gone", table)
        #expect(without["session"]?.hasPrefix("none: the viewer is the place") == true)
        #expect(
            without["avoid"] == "no CDN is named \"gone\"; passed over" && without["playing"] == "no pathway is named \"gone\"; passed over"
        )
        let (avoiding, _) = Self.told("/steering/hls/s1/a?session=1", avoiding: "cdn-0", table)
        #expect(avoiding.steering?.pathways == ["cdn-1", "origin"])
    }

    @Test func `what stands behind since it may not be used is told, and why players ask sooner`() throws {
        let down = Health(downCDNs: ["cdn-1"])
        let table = RoutingTable(try Self.steering([("/origin/every", .integer(0))]), revision: 1, health: down)
        let (explanation, steps) = Self.told("/steering/hls/s1/a?session=3", table)
        #expect(explanation.steering?.pathways == ["cdn-0", "cdn-1"] && explanation.steering?.usable == 1)
        #expect(steps["append"] == "cdn-1: not usable now, but fewer than two are, and players need a second")
        #expect(steps["excluded"] == "cdn-1: its probes fail" && steps["ttl"]?.contains("20 by ttlUnhealthy") == true)
    }

    @Test func `a refused question is told as on the wire, and where nobody is steered the path is as any other`() throws {
        let rules =
            #"[{"name": "no", "when": {"paths": ["/no/"]}, "deny": true}, {"name": "off", "when": {"paths": ["/off/"]}, "steering": {"enabled": false}}]"#
        let table = RoutingTable(try Self.steering([("/rules", Document(json: rules))]), revision: 1)
        #expect(Self.told("/steering/hls/s1/no/a", table).0.refusal == .denied)
        #expect(Self.told("/steering/hls/s100/a", table).0.refusal == .unknownServer)
        #expect(Self.told("/steering/hls/s1/a?avoid=a&avoid=b", table).0.refusal == .repeatedAvoid)
        #expect(Self.told("/steering/hls/s1/off/a", table).0.refusal == .unknownServer)
        #expect(Self.told("/s1/a", table).0.steering == nil)
    }

    @Test func `regression: a link that is bound to an address says whose it is, and that it is nobody's without one`() throws {
        let sign = #"{"scheme": "nginx", "key": "k", "expression": "$secure_link_expires$uri$remote_addr $secret"}"#
        let document = Setup(every: 0, cdns: Setup.cdns(weights: [1])).document.setting("/cdns/0/sign", try Document(json: sign))
        let table = RoutingTable(try Catalog(document), revision: 1)
        func told(_ client: ClientAddress) -> String {
            table.explain("/s1/x", avoiding: nil, client: client, at: 0, sequences: SequenceBook().set(for: table)).steps
                .first { $0.about == "sign" }?.text ?? ""
        }
        #expect(told(.unknown).contains(", for one client's address: say whose it is, or the CDN refuses it"))
        #expect(told(ClientAddress(ipv4: 0xC000_0207)).contains(", for 192.0.2.7 alone"))
    }
}
