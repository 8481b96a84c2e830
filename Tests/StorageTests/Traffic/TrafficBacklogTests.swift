import Testing

@testable import Storage

@Suite struct TrafficBacklogTests {
    private static let hour: Int64 = 500_000 * 3600

    /// Of a clock that goes with the wall clock.
    private func uptime(_ now: Int64) -> Duration { .seconds(now - TrafficBacklogTests.hour) }

    private func key(_ server: String = "s1") -> TrafficKey { TrafficKey(target: .origin, cdn: "", server: server, status: 301) }

    /// Everything that waits, as if the database took it.
    private func drain(_ backlog: inout TrafficBacklog, now: Int64) -> [TrafficBatch] {
        var batches: [TrafficBatch] = []
        while let batch = backlog.next(uptime: uptime(now)) {
            batches.append(batch)
            backlog.stored()
        }
        return batches
    }

    private func sum(_ batches: [TrafficBatch]) -> Int64 { batches.flatMap(\.rows).reduce(0) { $0 + $1.requests } }

    @Test func `what is counted belongs to the minute that was open, and an empty minute is not written`() {
        let start = TrafficBacklogTests.hour
        var backlog = TrafficBacklog(node: "n", boot: "b", now: start + 59, uptime: .seconds(59))
        #expect(backlog.left(now: (start + 59) * 1000, uptime: .seconds(59)) == .seconds(1))
        backlog.add(key(), 3)
        backlog.add(key(), 4)
        #expect(backlog.next(uptime: uptime(start + 59)) == nil)
        backlog.close(now: start + 60, uptime: uptime(start + 60))
        backlog.close(now: start + 120, uptime: uptime(start + 120))
        #expect(
            drain(&backlog, now: start + 120) == [
                TrafficBatch(node: "n", boot: "b", begins: start, rows: [.init(key: key(), requests: 7)])
            ])
        #expect(backlog.minutes == 0)
    }

    @Test func `a batch stays the same until it is stored, whatever is counted meanwhile`() {
        let start = TrafficBacklogTests.hour
        var backlog = TrafficBacklog(node: "n", boot: "b", now: start, uptime: .zero)
        for server in 0..<7001 { backlog.add(key("s\(server)"), 1) }
        backlog.close(now: start + 60, uptime: uptime(start + 60))
        let first = backlog.next(uptime: uptime(start + 60))
        for minute in 1..<300 {
            backlog.add(key(), 1)
            backlog.close(now: start + 60 * Int64(minute + 1), uptime: uptime(start + 60 * Int64(minute + 1)))
            #expect(backlog.next(uptime: uptime(start + 60 * Int64(minute))) == first)
        }
        let batches = drain(&backlog, now: start + 300)
        #expect(batches.prefix(3).map(\.rows.count) == [3000, 3000, 1001])
        #expect(sum(batches) == 7001 + 299)
    }

    @Test func `while the database is away for days the backlog stays bounded and loses nothing`() {
        let start = TrafficBacklogTests.hour
        var backlog = TrafficBacklog(node: "n", boot: "b", now: start, uptime: .zero)
        let minutes = 5 * 24 * 60
        for minute in 0..<minutes {
            backlog.add(key("s\(minute % 3)"), 1)
            backlog.close(now: start + 60 * Int64(minute + 1), uptime: uptime(start + 60 * Int64(minute + 1)))
            #expect(backlog.minutes <= TrafficBacklog.maximumMinutes + 1)
        }
        let batches = drain(&backlog, now: start + Int64(minutes) * 60)
        #expect(sum(batches) == Int64(minutes))
        // Each begins in another minute, so no key meets another.
        #expect(Set(batches.map(\.begins)).count == batches.count)
    }

    @Test func `many rows make the backlog join minutes earlier`() {
        let start = TrafficBacklogTests.hour
        var backlog = TrafficBacklog(node: "n", boot: "b", now: start, uptime: .zero)
        for minute in 0..<20 {
            for server in 0..<30_000 { backlog.add(key("s\(server)"), 1) }
            backlog.close(now: start + 60 * Int64(minute + 1), uptime: uptime(start + 60 * Int64(minute + 1)))
            #expect(backlog.minutes * 30_000 <= TrafficBacklog.maximumRows)
        }
        #expect(sum(drain(&backlog, now: start)) == 600_000)
    }

    @Test func `a batch that was tried and is too old to be tried again is given up and counted`() {
        let start = TrafficBacklogTests.hour
        var backlog = TrafficBacklog(node: "n", boot: "b", now: start, uptime: .zero)
        backlog.add(key(), 5)
        backlog.close(now: start + 60, uptime: uptime(start + 60))
        #expect(backlog.next(uptime: uptime(start + 60)) != nil)
        backlog.add(key(), 6)
        backlog.close(now: start + 120, uptime: uptime(start + 120))
        let late = start + TrafficBacklog.retriedFor + 1
        // The second one was never tried, so nobody can have it.
        #expect(drain(&backlog, now: late).map(\.begins) == [start + 60])
        #expect(backlog.lost == 5)
    }

    @Test(arguments: [-3600, 3600, -86_400, 86_400, -30, 30, -61, 10 * 365 * 86_400, -10 * 365 * 86_400] as [Int64])
    func `whatever the clock is set to, each minute is stored within a minute, under the name it has on the wall, and none twice`(
        leap: Int64
    ) async throws {
        let scratch = try Scratch()
        let store = try await scratch.store()
        let start = TrafficBacklogTests.hour
        var backlog = TrafficBacklog(node: "n", boot: "b", now: start, uptime: .zero)
        var (wall, waited): (Int64, Duration) = (start, .zero)
        for second in 1...900 as ClosedRange<Int64> {
            wall += 1
            if second == 290 { wall += leap }
            // Set right again after some minutes.
            if second == 610 { wall -= leap }
            backlog.add(key(), 1)
            waited += .seconds(1)
            guard backlog.left(now: wall * 1000, uptime: .seconds(second)) <= .zero else { continue }
            backlog.close(now: wall, uptime: .seconds(second))
            #expect(waited <= .seconds(62))
            waited = .zero
            for batch in drain(&backlog, now: start) {
                #expect([0, leap].contains { abs(batch.begins - (start + second + $0)) <= 125 })
                try await store.write(batch)
            }
        }
        backlog.close(now: wall, uptime: .seconds(900))
        for batch in drain(&backlog, now: start) { try await store.write(batch) }
        #expect(try await store.traffic(TrafficQuestion(from: 0, to: .max, by: [])).first?.requests == 900)
        #expect(backlog.lost == 0)
    }

    @Test func `a clock set a day forward gives up nothing that waits`() {
        let start = TrafficBacklogTests.hour
        var backlog = TrafficBacklog(node: "n", boot: "b", now: start, uptime: .zero)
        backlog.add(key(), 5)
        backlog.close(now: start + 60, uptime: .seconds(60))
        #expect(backlog.next(uptime: .seconds(60)) != nil)
        backlog.close(now: start + 86_400, uptime: .seconds(120))
        #expect(sum(drain(&backlog, now: start + 180)) == 5)
        #expect(backlog.lost == 0)
    }

    @Test(arguments: 0..<20)
    func `of a run that is killed at any moment at most the open minute is missing, and nothing counts twice`(seed: Int) async throws {
        let scratch = try Scratch()
        let store = try await scratch.store()
        var random = SeededGenerator(seed: UInt64(seed))
        var now = TrafficBacklogTests.hour
        var (counted, mayLack): (Int64, Int64) = (0, 0)
        for run in 0..<20 {
            var backlog = TrafficBacklog(node: "n", boot: "b\(run)", now: now, uptime: uptime(now))
            var open: Int64 = 0
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let requests = Int64.random(in: 1...1000, using: &random)
                backlog.add(key("s\(requests % 5)"), requests)
                counted += requests
                open += requests
                now += Int64.random(in: 1...40, using: &random)
                guard backlog.left(now: now * 1000, uptime: uptime(now)) <= .zero else { continue }
                backlog.close(now: now, uptime: uptime(now))
                open = 0
                while let batch = backlog.next(uptime: uptime(now)) {
                    try await store.write(batch)
                    // The answer is lost now and then, and the batch is written again.
                    if Int.random(in: 0..<3, using: &random) > 0 { backlog.stored() }
                }
            }
            mayLack += open
        }
        let stored = try await store.traffic(TrafficQuestion(from: 0, to: .max, by: [])).first?.requests ?? 0
        #expect(stored <= counted)
        #expect(stored >= counted - mayLack)
    }
}
