import Steering
import Testing

@testable import Edge

@Suite struct ClientRateTests {
    private static let second: UInt64 = 1_000_000_000
    private let client = ClientAddress(ipv4: 0xC000_0201)

    private func admitted(_ rate: ClientRate, _ client: ClientAddress, _ requests: Int, at now: UInt64) -> Int {
        (0..<requests).count { _ in rate.admits(client, now: now) }
    }

    @Test func `a burst comes through at once, then as many a second as the rate says`() {
        let rate = ClientRate(perSecond: 5, burst: 20)
        let start = 77 * Self.second
        #expect(admitted(rate, client, 100, at: start) == 20)
        #expect(admitted(rate, client, 100, at: start) == 0)
        #expect(admitted(rate, client, 100, at: start + Self.second) == 5)
        #expect(admitted(rate, client, 100, at: start + 60 * Self.second) == 20, "a bucket holds no more than a burst")
    }

    @Test func `a token that is given back can be taken again, and one of a stranger is none`() {
        let rate = ClientRate(perSecond: 1, burst: 2)
        let start = 77 * Self.second
        rate.giveBack(client)
        #expect(admitted(rate, client, 5, at: start) == 2)
        rate.giveBack(client)
        #expect(admitted(rate, client, 5, at: start) == 1)
    }

    @Test func `over any time at most burst and rate come through, however requests are spread`() {
        var random = SplitMix64(for: "client rate")
        for _ in 0..<200 {
            let (perSecond, burst) = (random.number(1...1000), random.number(1...50))
            let rate = ClientRate(perSecond: perSecond, burst: burst)
            var now: UInt64 = 1
            var count = 0
            for _ in 0..<2000 {
                now += UInt64(random.below(3_000_000))
                if rate.admits(client, now: now) { count += 1 }
            }
            let most = Double(burst) + Double(now) / 1e9 * Double(perSecond) * 1.001 + 1
            #expect(Double(count) <= most, "\(count) of \(most) at \(perSecond) a second and \(burst)")
        }
    }

    @Test func `IPv4 clients are told apart by address, IPv6 clients by their subscriber's network`() throws {
        let rate = ClientRate(perSecond: 1, burst: 1)
        let admits = { (text: String) throws in rate.admits(try #require(ClientAddress(text)), now: 1) }
        #expect(try admits("192.0.2.1"))
        #expect(try admits("192.0.2.2"))
        #expect(try !admits("::ffff:192.0.2.1"))
        #expect(try admits("2001:db8:0:100::1"))
        #expect(try !admits("2001:db8:0:1ff:ffff::9"))
        #expect(try admits("2001:db8:0:200::1"))
    }

    @Test func `more networks than the table holds cost memory nothing, and one that keeps sending stays limited`() {
        let rate = ClientRate(perSecond: 1, burst: 2)
        var kept = 0
        for other in 0..<UInt32(4 * ClientRate.capacity) {
            let now = Self.second + UInt64(other)
            _ = rate.admits(ClientAddress(ipv4: other), now: now)
            if other % 64 == 0, rate.admits(client, now: now) { kept += 1 }
        }
        // All within a millisecond: more than a burst only if the others drove it out, which they seldom can.
        #expect(kept < 4 * ClientRate.capacity / 64 / 4)
    }

    @Test func `one limit holds over all workers`() async {
        let rate = ClientRate(perSecond: 1, burst: 1000)
        let total = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 { group.addTask { (0..<1000).count { _ in rate.admits(ClientAddress(ipv4: 9), now: 1) } } }
            return await group.reduce(0, +)
        }
        #expect(total == 1000)
    }

    @Test func `beyond the rate a redirect is refused with 429 and when to come again, and health pages are not`() throws {
        var asker = try Asker()
        let table = asker.responder.table
        asker.responder = Responder(table: table, sequences: asker.responder.sequences, rate: ClientRate(perSecond: 1, burst: 2))
        for line in ["GET /s1/v HTTP/1.1", "GET /?video=http://s1.origin-cluster/v HTTP/1.1"] {
            #expect(try asker.answer(line).status == 301)
        }
        for line in ["GET /s1/v HTTP/1.1", "GET /?video=http://s1.origin-cluster/v HTTP/1.1", "GET /nowhere HTTP/1.1"] {
            let answer = try asker.answer(line)
            #expect(answer.status == 429 && answer["Retry-After"] == "1" && answer.body.contains("too-many-requests"))
        }
        #expect(try asker.answer("GET /livez HTTP/1.1").status == 200)
        #expect(try asker.answer("OPTIONS / HTTP/1.1").status == 204)
        asker.client = ClientAddress(ipv4: 1)
        #expect(try asker.answer("GET /s1/v HTTP/1.1").status == 301)
        #expect(asker.responder.counters.refusals == [.init(status: 429, reason: "too-many-requests"): 3])
    }
}
