import Testing

@testable import Storage

@Suite struct TrafficTableTests {
    private let scratch: Scratch
    /// A whole day, in seconds since 1970.
    private static let day: Int64 = 20_000 * 86400

    init() throws { scratch = try Scratch() }

    private func batch(_ begins: Int64, node: String = "n1", boot: String = "b1", _ rows: [(String, String, Int64)]) -> TrafficBatch {
        TrafficBatch(
            node: node, boot: boot, begins: begins,
            rows: rows.map { cdn, server, requests in
                TrafficBatch.Row(
                    key: TrafficKey(target: cdn.isEmpty ? .origin : .cdn, cdn: cdn, server: server, status: 301), requests: requests)
            })
    }

    private func total(_ store: SQLStore) async throws -> Int64 {
        try await store.traffic(TrafficQuestion(from: 0, to: .max, by: [])).reduce(0) { $0 + $1.requests }
    }

    private func lengths(_ store: SQLStore) async throws -> [[SQLValue]] {
        try await store.connection.query("SELECT seconds, COUNT(*) FROM balancer_traffic GROUP BY seconds ORDER BY seconds", [])
    }

    @Test func `sums are kept apart by what was asked for, in its order`() async throws {
        let store = try await scratch.store()
        let day = TrafficTableTests.day
        try await store.write(batch(day, [("", "s1", 1), ("a", "s1", 9)]))
        try await store.write(batch(day, node: "n2", boot: "b2", [("", "s1", 2), ("a", "s2", 18), ("b", "s2", 30)]))
        try await store.write(batch(day + 60, [("a", "s1", 100)]))
        let all = TrafficQuestion(from: day, to: day + 120, by: [.target])
        #expect(
            try await store.traffic(all) == [
                TrafficSum(values: [.text("cdn")], requests: 157), TrafficSum(values: [.text("origin")], requests: 3),
            ])
        let fine = TrafficQuestion(from: day, to: day + 60, by: [.minute, .cdn, .server, .node, .status])
        #expect(
            try await store.traffic(fine) == [
                TrafficSum(values: [.number(day), .text(""), .text("s1"), .text("n1"), .number(301)], requests: 1),
                TrafficSum(values: [.number(day), .text(""), .text("s1"), .text("n2"), .number(301)], requests: 2),
                TrafficSum(values: [.number(day), .text("a"), .text("s1"), .text("n1"), .number(301)], requests: 9),
                TrafficSum(values: [.number(day), .text("a"), .text("s2"), .text("n2"), .number(301)], requests: 18),
                TrafficSum(values: [.number(day), .text("b"), .text("s2"), .text("n2"), .number(301)], requests: 30),
            ])
        #expect(try await store.traffic(TrafficQuestion(from: day + 120, to: day + 180, by: [])) == [])
    }

    @Test func `a batch written twice counts once`() async throws {
        let store = try await scratch.store()
        for _ in 0..<3 { try await store.write(batch(TrafficTableTests.day, [("a", "s1", 5), ("", "s1", 1)])) }
        #expect(try await total(store) == 6)
    }

    @Test func `the largest batch fits into one statement`() async throws {
        let store = try await scratch.store()
        let rows = (0..<TrafficBatch.maximumRows).map { ("a", "s\($0)", Int64(1)) }
        let before = await store.statements
        try await store.write(batch(TrafficTableTests.day, rows))
        #expect(await store.statements == before + 1)
        #expect(try await total(store) == Int64(TrafficBatch.maximumRows))
    }

    @Test func `minutes fold into hours and hours into days without a request more or less, and old days go`() async throws {
        let store = try await scratch.store()
        let day = TrafficTableTests.day
        for minute in 0..<180 {
            for node in ["n1", "n2"] {
                try await store.write(batch(day + Int64(minute) * 60, node: node, boot: "b-\(node)", [("a", "s1", 9), ("", "s1", 1)]))
            }
        }
        let whole: Int64 = 180 * 2 * 10
        // Six hours after the second hour has ended, two of three may go; those of n2 wait longer for n2.
        try await store.foldTraffic(of: "n1", now: day + 8 * 3600)
        #expect(try await lengths(store) == [[.integer(60), .integer(2 * 60 + 2 * 180)], [.integer(3600), .integer(4)]])
        #expect(try await total(store) == whole)
        try await store.foldTraffic(of: "n1", now: day + 8 * 3600 + TrafficTable.patience)
        #expect(try await lengths(store) == [[.integer(60), .integer(2 * 60)], [.integer(3600), .integer(10)]])
        #expect(try await total(store) == whole)
        try await store.foldTraffic(of: "n2", now: day + 86400 + TrafficTable.hoursKept + TrafficTable.patience)
        #expect(try await lengths(store) == [[.integer(86400), .integer(4)]])
        #expect(try await total(store) == whole)
        let byDay = TrafficQuestion(from: day + 7 * 3600, to: day + 8 * 3600, by: [.day])
        #expect(try await store.traffic(byDay) == [TrafficSum(values: [.number(day)], requests: whole)])
        try await store.foldTraffic(of: "n1", now: day + TrafficTable.daysKept + 1)
        #expect(try await total(store) == 0)
    }

    @Test func `a minute that comes after its hour was folded is counted too, and folding again changes nothing`() async throws {
        let store = try await scratch.store()
        let day = TrafficTableTests.day
        let now = day + 10 * 3600
        try await store.write(batch(day, [("a", "s1", 5)]))
        try await store.foldTraffic(of: "n1", now: now)
        try await store.write(batch(day + 60, [("a", "s1", 7)]))
        for _ in 0..<3 { try await store.foldTraffic(of: "n1", now: now) }
        #expect(try await lengths(store) == [[.integer(3600), .integer(2)]])
        #expect(try await total(store) == 12)
    }

    @Test func `nodes that fold at once fold each minute once`() async throws {
        let store = try await scratch.store()
        let day = TrafficTableTests.day
        for minute in 0..<60 { try await store.write(batch(day + Int64(minute) * 60, [("a", "s1", 1), ("b", "s1", 1)])) }
        let others = [try await scratch.store(), try await scratch.store(), store]
        try await withThrowingTaskGroup { group in
            for other in others { group.addTask { try await other.foldTraffic(of: "n1", now: day + 20 * 3600) } }
            try await group.waitForAll()
        }
        #expect(try await total(store) == 120)
        #expect(try await lengths(store) == [[.integer(3600), .integer(2)]])
    }
}
