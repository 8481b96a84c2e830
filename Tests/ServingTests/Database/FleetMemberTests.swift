import Control
import Foundation
import Logging
import Steering
import Storage
import Synchronization
import Testing

@testable import Edge
@testable import Serving

/// A wall clock that people set, and a steady one.
final class TwoClocks: Sendable {
    private let state = Mutex((wall: Int64(1_700_000_000_000), uptime: Duration.zero))

    var now: @Sendable () -> Int64 { { self.state.withLock { $0.wall } } }
    var uptime: @Sendable () -> Duration { { self.state.withLock { $0.uptime } } }

    func pass(seconds: Int64) {
        state.withLock { state in
            state.wall += seconds * 1000
            state.uptime += .seconds(seconds)
        }
    }

    func set(bySeconds leap: Int64) { state.withLock { $0.wall += leap * 1000 } }
}

enum Setup {
    static func catalog() throws -> Catalog {
        try Catalog(
            Document(
                json: Array(
                    #"{"version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s[1-9]"], "every": 10}, "cdns": [{"name": "a", "url": "http://cdn.test"}]}"#
                        .utf8)))
    }
}

/// A database in a folder of the test's own, removed with this object.
final class ScratchStore: Sendable {
    let folder = FileManager.default.temporaryDirectory.path + "/serving-" + UUID().uuidString
    let store: SQLStore

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = SQLStore(.sqlite(path: folder + "/b.db"), patience: .endless)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }
}

@Suite struct FleetMemberTests {
    private static let leaps: [Int64] = [-3600, 3600, -86_400, 86_400, -3 * 365 * 86_400, 3 * 365 * 86_400]
    private let clocks = TwoClocks()

    private func member(_ store: SQLStore, _ id: String) -> FleetMember {
        let head = Head(databaseID: "d", revision: 1, checksum: "c")
        return FleetMember(
            identity: .init(id: id, name: id, address: "[::]:8000", boot: "boot of \(id)", started: 0), store: store,
            access: Access(fixed: [], now: clocks.now), logger: Logger(label: "test"), current: { head }, trouble: { nil },
            now: clocks.now, uptime: clocks.uptime)
    }

    @Test(arguments: FleetMemberTests.leaps) func `a node whose clock is set goes on registering itself every twelve seconds`(
        leap: Int64
    ) async throws {
        let scratch = try ScratchStore()
        defer { withExtendedLifetime(scratch) {} }
        let store = scratch.store
        let member = member(store, "a")
        await member.look()
        clocks.set(bySeconds: leap)
        var seen: Set<Int64> = []
        for _ in 0..<10 {
            clocks.pass(seconds: 6)
            await member.look()
            seen.insert(try #require(try await store.nodes().first).seen)
        }
        // At the start, and five times in the minute after.
        #expect(seen.count == 6)
    }

    @Test(arguments: FleetMemberTests.leaps) func `a clock that is set loses no history and no living node, however long it is wrong`(
        leap: Int64
    ) async throws {
        let scratch = try ScratchStore()
        defer { withExtendedLifetime(scratch) {} }
        let store = scratch.store
        let start = clocks.now() / 1000
        for day in 0..<100 as Range<Int64> {
            let batch = TrafficBatch(
                node: "n", boot: "b", begins: start - day * 86_400,
                rows: [.init(key: TrafficKey(target: .origin, cdn: "", server: "s", status: 301), requests: 1)])
            try await store.write(batch)
        }
        let (member, other) = (member(store, "a"), member(store, "b"))
        await other.look()
        clocks.set(bySeconds: leap)
        for _ in 0..<20 {
            clocks.pass(seconds: 3600)
            await member.look()
            #expect(try await store.traffic(TrafficQuestion(from: 0, to: .max, by: [])).first?.requests == 100)
        }
    }

    @Test func `a history that is too old goes in time, also where nothing was counted for long`() async throws {
        let scratch = try ScratchStore()
        defer { withExtendedLifetime(scratch) {} }
        let store = scratch.store
        let batch = TrafficBatch(
            node: "n", boot: "b", begins: clocks.now() / 1000 - 500 * 86_400,
            rows: [.init(key: TrafficKey(target: .origin, cdn: "", server: "s", status: 301), requests: 1)])
        for minute in 0..<4 as Range<Int64> {
            try await store.write(TrafficBatch(node: "n", boot: "b", begins: batch.begins + minute * 60, rows: batch.rows))
        }
        let member = member(store, "a")
        for _ in 0..<30 {
            clocks.pass(seconds: 3600)
            await member.look()
        }
        #expect(try await store.traffic(TrafficQuestion(from: 0, to: .max, by: [])).isEmpty)
    }
}

@Suite struct TrafficRecorderTests {
    @Test(arguments: [-3600, 3600, -86_400, 86_400, -3 * 365 * 86_400, 3 * 365 * 86_400] as [Int64])
    func `a clock that is set delays no minute and loses none`(leap: Int64) async throws {
        let scratch = try ScratchStore()
        defer { withExtendedLifetime(scratch) {} }
        let store = scratch.store
        let clocks = TwoClocks()
        let recorder = TrafficRecorder(
            takeTraffic: { [] }, store: store, node: "n", boot: "b", logger: Logger(label: "test"), now: clocks.now, uptime: clocks.uptime)
        var counts = TrafficCounts(RoutingTable(try Setup.catalog(), revision: 1))
        for _ in 0..<7 { counts.countRefusal(404) }
        let taken = counts
        for minute in 1...5 as ClosedRange<Int64> {
            if minute == 3 { clocks.set(bySeconds: leap) }
            await recorder.add([taken])
            clocks.pass(seconds: 62)
            await recorder.beat()
            #expect(try await store.traffic(TrafficQuestion(from: .min / 100_000, to: .max, by: [])).first?.requests == 7 * minute)
        }
        #expect(await recorder.waiting == 0)
        #expect(await recorder.lostRequests == 0)
    }
}
