import Steering
import Testing

@testable import Edge

/// What players' networks report of their CDNs.
@Suite struct PlayerReportsTests {
    private static func table(passive: Bool = true, cdns: Int = 2) throws -> RoutingTable {
        let list = (0..<cdns).map { "{\"name\": \"c\($0)\", \"url\": \"http://c\($0).example\"}" }.joined(separator: ",")
        return RoutingTable(
            try Catalog(
                Document(
                    json: """
                        {"version": 1, "origin": {"domains": ["o"], "servers": ["s1"], "every": 0}, "cdns": [\(list)],
                         "failover": {"passive": \(passive)}, "steering": {"enabled": true}}
                        """)), revision: 1)
    }

    private static func asker(_ table: RoutingTable, at second: Int = 784_111_777) -> Asker {
        Asker(responder: Responder(table: table, sequences: SequenceBook().set(for: table), clock: { second }))
    }

    private static func networks(_ asker: inout Asker) -> [String: PlayerReports.Networks] {
        PlayerReports.networks([asker.responder.takeReports()])
    }

    @Test func `without failover passive nothing is noted, and no memory is taken`() throws {
        var asker = Self.asker(try Self.table(passive: false))
        _ = asker.ask("GET /?video=http://s1.o/a&avoid=c0 HTTP/1.1")
        #expect(Self.networks(&asker).isEmpty)
        #expect(asker.responder.total.avoidedCDN == ["c0": 1], "the metric counts anyway")
    }

    @Test func `a network counts once a window, however often it asks and whichever of its addresses`() throws {
        var asker = Self.asker(try Self.table())
        for address in UInt32(0)..<200 {
            asker.client = ClientAddress(ipv4: 0xC000_0200 | address)
            _ = asker.ask("GET /?video=http://s1.o/a&avoid=c0 HTTP/1.1")
        }
        for name in ["2001:db8::1", "2001:db8:1::1", "2001:db8:ffff:ffff::2"] {
            asker.client = try #require(ClientAddress(name))
            _ = asker.ask("GET /steering/hls/s1/a?session=1&avoid=c0 HTTP/1.1")
        }
        #expect(Self.networks(&asker)["c0"] == .init(seen: 2, left: 2))
        #expect(Self.networks(&asker)["c0"] == .init(seen: 0, left: 0), "the next window begins empty")
        #expect(asker.responder.total.avoidedCDN == ["c0": 203])
    }

    @Test func `those that stay are seen, by redirect and by steering`() throws {
        var asker = Self.asker(try Self.table(cdns: 1))
        for network in UInt32(0)..<50 {
            asker.client = ClientAddress(ipv4: network << 8)
            _ = asker.ask("GET /s1/a HTTP/1.1")
            asker.client = ClientAddress(ipv4: (network + 100) << 8)
            _ = asker.ask("GET /steering/hls/s1/a?session=\(network) HTTP/1.1")
        }
        let counted = try #require(Self.networks(&asker)["c0"])
        #expect((95...105).contains(counted.seen) && counted.left == 0, "\(counted)")
    }

    @Test func `thousands of networks are estimated within a tenth, over all workers`() throws {
        let table = try Self.table(cdns: 1)
        var askers = [Self.asker(table), Self.asker(table)]
        for network in UInt32(0)..<4_000 {
            askers[Int(network % 2)].client = ClientAddress(ipv4: network << 8)
            _ = askers[Int(network % 2)].ask("GET /s1/a HTTP/1.1")
        }
        let seen = PlayerReports.networks([askers[0].responder.takeReports(), askers[1].responder.takeReports()])["c0"]?.seen ?? 0
        #expect((3_600...4_400).contains(seen), "\(seen)")
    }

    @Test func `names that no CDN has, and what is forged, are noted nowhere`() throws {
        var asker = Self.asker(try Self.table())
        for query in [
            "avoid=gone", "avoid=", "avoid=%00", "_HLS_pathway=gone", "_HLS_pathway=c1", "_HLS_pathway=origin",
            "session=99999999999999999999",
        ] {
            for session in 1...40 { _ = asker.ask("GET /steering/hls/s1/a?session=\(session)&\(query) HTTP/1.1") }
        }
        #expect(Self.networks(&asker).values.allSatisfy { $0.left == 0 }, "the table has just begun, so nobody can have left")
        #expect(asker.responder.total.leftCDN.isEmpty && asker.responder.total.avoidedCDN.isEmpty)
    }

    @Test func `who uses another pathway than it was told for long has left, and is counted and logged so`() throws {
        let table = try Self.table()
        nonisolated(unsafe) var second = 784_111_777
        var asker = Asker(responder: Responder(table: table, sequences: SequenceBook().set(for: table), clock: { unsafe second }))
        func ask(_ query: String) throws -> (first: String, ttl: Int) {
            let body = try asker.answer("GET /steering/hls/s1/a?session=5&\(query) HTTP/1.1").body
            let match = try #require(body.firstMatch(of: /"TTL":(\d+),"PATHWAY-PRIORITY":\["(c\d)"/))
            return (String(match.2), try #require(Int(match.1)))
        }
        var told = try ask("")
        let other = told.first == "c0" ? "c1" : "c0"
        for _ in 0..<3 {
            unsafe second += told.ttl
            told = try ask("_HLS_pathway=\(told.first)")
        }
        #expect(asker.responder.total.leftCDN.isEmpty)
        unsafe second += told.ttl
        _ = try ask("_HLS_pathway=\(other)")
        #expect(asker.responder.total.leftCDN == [told.first: 1])
        #expect(Self.networks(&asker)[told.first] == .init(seen: 1, left: 1))
        #expect(asker.responder.total.steeringMoves == [0, 0, 0, 1], "and is sent back")
    }

    @Test func `a new table keeps what was noted where its CDNs are the same`() throws {
        var asker = Self.asker(try Self.table())
        _ = asker.ask("GET /?video=http://s1.o/a&avoid=c0 HTTP/1.1")
        let same = try Self.table()
        asker.responder.replaceTable(same, SequenceBook().set(for: same))
        #expect(Self.networks(&asker)["c0"]?.left == 1)
        _ = asker.ask("GET /?video=http://s1.o/a&avoid=c0 HTTP/1.1")
        let other = try Self.table(cdns: 3)
        asker.responder.replaceTable(other, SequenceBook().set(for: other))
        #expect(Self.networks(&asker)["c0"]?.left == 0 && asker.responder.total.avoidedCDN == ["c0": 2])
    }
}
