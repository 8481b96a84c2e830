import Testing

@testable import Steering

/// Which CDN a player has left by itself; the request alone says so.
@Suite struct LeavingTests {
    private static func table(_ changes: [(String, Document)] = [], health: Health = .allUp) throws -> RoutingTable {
        var document = Setup(every: 0, cdns: Setup.cdns(weights: [1, 1, 1])).document.setting("/steering/enabled", .bool(true))
        for (pointer, value) in changes { document = document.setting(pointer, value) }
        return RoutingTable(try Catalog(document), revision: 1, health: health)
    }

    /// What the table makes of one question, of a session whose CDN is `cdn-0`.
    ///
    /// - Parameters:
    ///   - late: seconds behind the session's moment.
    ///   - age: of the table, in seconds.
    private static func left(
        _ table: RoutingTable, avoiding: Int? = nil, playing: Decision.Target?, late: Int = 1, age: Int = 1000
    ) throws -> Int? {
        let session = try #require((UInt64(1)...1000).first { (try? table.list(session: $0))??[0] == .cdn(0) })
        var second = 1_700_000_000
        for _ in 0..<3 { second += try #require(try table.list(session: session, at: second)).ttl }
        second += late
        let list = try #require(try table.list(session: session, avoiding: avoiding, playing: playing, at: second))
        let asker = Asker(client: .unknown, second: second, avoided: avoiding, playing: playing)
        return table.left(by: asker, list, since: second - age)
    }

    @Test func `who uses another than it was told has left it`() throws {
        #expect(try Self.left(Self.table(), playing: .cdn(1)) == 0)
        #expect(try Self.left(Self.table(), playing: .cdn(0)) == nil)
        #expect(try Self.left(Self.table(), playing: nil) == nil)
    }

    @Test func `who names a CDN to avoid has left it, whatever the time`() throws {
        #expect(try Self.left(Self.table(), avoiding: 2, playing: nil, late: 150, age: 0) == 2)
    }

    @Test func `who asks at another moment than its own may just have begun`() throws {
        #expect(try Self.left(Self.table(), playing: .cdn(1), late: 15) == 0)
        for late in [16, 100, 299] { #expect(try Self.left(Self.table(), playing: .cdn(1), late: late) == nil, "\(late)") }
    }

    @Test func `who may have been told so by the table before has not left`() throws {
        #expect(try Self.left(Self.table(), playing: .cdn(1), age: 450) == nil)
        #expect(try Self.left(Self.table(), playing: .cdn(1), age: 451) == 0)
    }

    @Test func `where the answer changes by the second nothing is known`() throws {
        #expect(try Self.left(Self.table([("/cdns/0/maxPerSecond", .integer(9))]), playing: .cdn(1)) == nil)
        #expect(try Self.left(Self.table([("/cdns/1/maxPerSecond", .integer(9))]), playing: .cdn(1)) == 0)
        let hours = #"[{"name": "night", "when": {"paths": ["/n/"], "hours": {"from": "01:00", "to": "02:00"}}, "status": 302}]"#
        #expect(try Self.left(Self.table([("/rules", Document(json: hours))]), playing: .cdn(1)) == nil)
    }

    @Test func `one begun at any second is taken for one that left at most one time in sixteen`() throws {
        let table = try Self.table()
        var taken = 0
        for session in UInt64(1)...3_000 {
            let second = 1_700_000_000 + Int(session) * 7 % 300
            guard let list = try table.list(session: session, playing: .cdn(1), at: second), list[0] != .cdn(1) else { continue }
            if table.left(by: Asker(client: .unknown, second: second, playing: .cdn(1)), list, since: 0) != nil { taken += 1 }
        }
        #expect((50...125).contains(taken), "of 2,000: \(taken)")
    }
}
