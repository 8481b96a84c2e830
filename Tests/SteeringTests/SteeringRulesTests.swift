import Testing

@testable import Steering

/// Steering that a rule switches on, off, or sets otherwise.
@Suite struct SteeringRulesTests {
    /// - Parameter rule: what the rule for `/x/` says.
    private static func table(_ steering: String, _ rule: String) throws -> RoutingTable {
        let rules = try Document(json: #"[{"name": "x", "when": {"paths": ["/x/"]}, "steering": \#(rule)}]"#)
        let document = Setup(cdns: Setup.cdns(weights: [1, 1])).document.setting("/steering", try Document(json: steering))
            .setting("/rules", rules)
        return RoutingTable(try Catalog(document), revision: 1)
    }

    /// The TTL of a session that asks at its moment; nil where nobody is steered.
    private static func period(_ path: String, _ table: RoutingTable) throws -> Int? {
        var (second, ttl) = (1_700_000_000, 0)
        for _ in 0..<4 {
            guard let list = try table.list(path, session: 1, at: second) else { return nil }
            ttl = list.ttl
            second += ttl
        }
        return ttl
    }

    @Test func `a rule switches steering on for its requests alone`() throws {
        let table = try Self.table(#"{"ttl": 100}"#, #"{"enabled": true}"#)
        #expect(table.steers)
        #expect(try Self.period("/x/a", table) == 100 && Self.period("/y/a", table) == nil)
    }

    @Test func `a rule switches steering off for its requests alone`() throws {
        let table = try Self.table(#"{"enabled": true}"#, #"{"enabled": false}"#)
        #expect(try Self.period("/x/a", table) == nil && Self.period("/y/a", table) == 300)
    }

    @Test func `a rule has TTLs of its own, and keeps what it does not say`() throws {
        let table = try Self.table(#"{"enabled": true, "ttl": 200, "ttlUnhealthy": 25}"#, #"{"ttl": 50}"#)
        #expect(try Self.period("/x/a", table) == 50 && Self.period("/y/a", table) == 200)
        let sick = table.with(health: Health(downCDNs: ["cdn-0"]), nodes: 1)
        #expect(try Self.period("/x/a", sick) == 25 && Self.period("/y/a", sick) == 25)
        let own = try Self.table(#"{"enabled": true, "ttl": 200}"#, #"{"ttlUnhealthy": 10}"#)
            .with(health: Health(downCDNs: ["cdn-0"]), nodes: 1)
        #expect(try Self.period("/x/a", own) == 10 && Self.period("/y/a", own) == 20)
    }

    @Test func `a rule about steering alone counts its redirects with all others`() throws {
        let table = try Self.table(#"{"enabled": true}"#, #"{"ttl": 50}"#)
        #expect(table.scopeNames == ["all"])
    }

    @Test func `where no rule and not the catalog switches it on, nothing is compiled for sessions`() throws {
        #expect(try !Self.table("{}", #"{"ttl": 50}"#).steers)
        #expect(try !Self.table("{}", #"{"enabled": false}"#).steers)
    }

    @Test(arguments: [
        ("{}", "/rules/0/steering"), (#"{"ttl": 29}"#, "/rules/0/steering/ttl"),
        (#"{"ttlUnhealthy": 31}"#, "/rules/0/steering/ttlUnhealthy"),
        (#"{"enabled": 1}"#, "/rules/0/steering/enabled"), (#"{"every": 1}"#, "/rules/0/steering/every"), ("null", "/rules/0/steering"),
    ])
    func `what means nothing is refused where it stands`(steering: String, pointer: String) throws {
        let error = #expect(throws: CatalogFaults.self) { try Self.table("{}", steering) }
        #expect(error?.faults.contains { $0.pointer == pointer } ?? false, "\(error?.faults.map(\.pointer) ?? [])")
    }

    @Test func `beside deny it is refused`() throws {
        let rules = try Document(json: #"[{"name": "x", "when": {}, "deny": true, "steering": {"enabled": true}}]"#)
        let error = #expect(throws: CatalogFaults.self) { try Catalog(Setup().document.setting("/rules", rules)) }
        #expect(error?.faults.map(\.pointer) == ["/rules/0/steering"])
    }
}

extension RoutingTable {
    /// What a session of `s1` is told, as it asks at one second.
    func list(
        _ path: String = "/v/x.m3u8", session: UInt64?, avoiding avoided: Int? = nil, playing: Decision.Target? = nil,
        at second: Int = 1_700_000_000
    ) throws(Refusal) -> SteeringList? {
        let source = Array(path.utf8)
        let video = VideoReference(server: 0, domain: 0, tail: SourceRange(0..<source.count), isDecoded: false, form: .path)
        var ranking: [Decision.Target] = []
        let nothing: [UInt8] = []
        return try steer(
            video, of: source.span, Asker(client: .unknown, second: second, avoided: avoided, playing: playing), head: nothing.span,
            session: session, sequences: SequenceBook().set(for: self), ranking: &ranking)
    }
}
