import Foundation
import Steering
import Testing

@testable import Control
@testable import Probing
@testable import Serving
@testable import Storage

struct DatabaseWatcherTests {
    /// A SQLite database, a balancer's publisher, and the watcher between them.
    private final class Rig {
        let path: String
        let store: LazyStore
        let scope = CallScope()
        /// Other tests of the process may keep its threads for long.
        static let patience = LazyStore.Patience(poll: .seconds(3600), call: .seconds(3600))
        let publisher: Publisher
        let condition = NodeCondition(trouble: nil, logger: Sample.logger)

        init() async throws {
            path = NSTemporaryDirectory() + "watcher-\(UUID().uuidString).db"
            store = LazyStore(.sqlite(path: path), scope: scope, patience: Rig.patience)
            _ = try await store.append(try Sample.catalog(10), expecting: 0, author: "a", comment: "")
            let revision = try #require(try await store.load())
            let head = try #require(try await store.head())
            publisher = Sample.publisher(running: Published(revision, databaseID: head.databaseID))
        }

        deinit {
            for suffix in ["", "-wal", "-shm", ".2", ".2-wal", ".2-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        }

        func watcher(_ store: LazyStore? = nil) -> DatabaseWatcher {
            let store = store ?? self.store
            return DatabaseWatcher(
                store: store, writeTrouble: { store.writeTrouble }, publisher: publisher, condition: condition, place: "there")
        }

        /// Another database that holds a catalog of its own.
        func other() async throws -> LazyStore {
            let other = LazyStore(.sqlite(path: path + ".2"), scope: scope, patience: Rig.patience)
            _ = try await other.append(try Sample.catalog(99), expecting: 0, author: "a", comment: "")
            return other
        }

        var every: Int? { publisher.view.current.catalog.origin.every }
    }

    @Test func `a change in the database is followed`() async throws {
        let rig = try await Rig()
        _ = try await rig.store.append(try Sample.catalog(20), expecting: 1, author: "a", comment: "")
        await rig.watcher().look()
        #expect(rig.every == 20)
        #expect(rig.condition.trouble == nil)
    }

    @Test func `another database is not followed until it is declared the successor`() async throws {
        let rig = try await Rig()
        let other = try await rig.other()
        let known = rig.publisher.view.current.databaseID
        await rig.watcher(other).look()
        #expect(rig.every == 10)
        #expect(rig.condition.trouble?.kind == .notFollowed)
        try await other.adopt(predecessor: known)
        await rig.watcher(other).look()
        #expect(rig.every == 99)
        #expect(rig.condition.trouble == nil)
    }

    @Test func `keys of another database are not taken over`() async throws {
        let access = Access(fixed: [], now: { 0 })
        let publisher = try Sample.publisher(access: access)
        let rig = try await Rig()
        let other = try await rig.other()
        try await other.addKey(APIKey(name: "x", role: .admin, hash: Token.hash("x"), created: 0, expires: nil))
        let watcher = DatabaseWatcher(
            store: other, writeTrouble: { nil }, publisher: publisher, condition: rig.condition, place: "there")
        await watcher.look()
        #expect(access.key(of: "x") == nil)
    }

    @Test func `an emptied database is not followed`() async throws {
        let rig = try await Rig()
        let empty = LazyStore(.sqlite(path: rig.path + ".2"), scope: rig.scope, patience: Rig.patience)
        await rig.watcher(empty).look()
        #expect(rig.every == 10)
        #expect(rig.condition.trouble?.kind == .notFollowed)
        #expect(rig.condition.trouble?.reason.contains("video-balancer database refill") == true)
    }

    @Test func `a database that takes no writes is trouble although it answers`() async throws {
        let rig = try await Rig()
        let store = rig.store
        let watcher = DatabaseWatcher(
            store: store, writeTrouble: { "is read-only" }, publisher: rig.publisher, condition: rig.condition, place: "there")
        await watcher.look()
        #expect(rig.condition.trouble == .init(kind: .unwritable, reason: "is read-only"))
    }

    @Test func `a look that hangs holds up no verdict`() async throws {
        let publisher = try Sample.publisher()
        let (asked, ask) = AsyncStream.makeStream(of: Void.self)
        let watcher = DatabaseWatcher(
            store: HangingStore(asked: { ask.yield() }), writeTrouble: { nil }, publisher: publisher,
            condition: NodeCondition(trouble: nil, logger: Sample.logger), place: "there")
        let look = Task { await watcher.look() }
        for await _ in asked { break }
        await publisher.healthChanged(.init(number: 1, health: Health(downCDNs: ["a"])))
        #expect(publisher.view.table.health.downCDNs == ["a"])
        look.cancel()
    }

    @Test func `a write that fails is remembered until one is stored`() async throws {
        let rig = try await Rig()
        #expect(rig.store.writeTrouble == nil)
        await #expect(throws: StorageError.self) {
            try await rig.store.write { store in throw StorageError(.readOnly, at: "there", "it was asked to be") }
        }
        #expect(rig.store.writeTrouble?.contains("read-only") == true)
        _ = try await rig.store.append(try Sample.catalog(20), expecting: 1, author: "a", comment: "")
        #expect(rig.store.writeTrouble == nil)
    }

    @Test func `a conflict is no trouble of the database`() async throws {
        let rig = try await Rig()
        await #expect(throws: StorageError.self) {
            try await rig.store.append(try Sample.catalog(20), expecting: 7, author: "a", comment: "")
        }
        #expect(rig.store.writeTrouble == nil)
    }

    @Test func `a write that is still waited for when the process stops is in doubt`() async throws {
        let rig = try await Rig()
        rig.scope.end()
        let error = await #expect(throws: StorageError.self) {
            try await rig.store.append(try Sample.catalog(20), expecting: 1, author: "a", comment: "")
        }
        #expect(error?.kind == .inDoubt)
    }
}

/// A database that never answers.
private struct HangingStore: CatalogStore, FleetStore {
    let asked: @Sendable () -> Void

    private func hang() async throws -> Never {
        asked()
        while true { try await Task.sleep(for: .seconds(3600)) }
    }

    func head() async throws -> Head? { try await hang() }
    func newest() async throws -> StoredRevision? { try await hang() }
    func stored(_ id: Int) async throws -> StoredRevision? { try await hang() }
    func append(_ draft: RevisionDraft) async throws -> Revision { try await hang() }
    func revisions(before: Int?, limit: Int) async throws -> [RevisionSummary] { try await hang() }
    func predecessors() async throws -> [String] { try await hang() }
    func adopt(predecessor: String) async throws { try await hang() }
    func poll() async throws -> Polled? { try await hang() }
    func register(_ node: FleetNode) async throws { try await hang() }
    func deregister(_ id: String) async throws { try await hang() }
    func nodes() async throws -> [FleetNode] { try await hang() }
    func tidy(now: Int64) async throws { try await hang() }
    func newestTraffic() async throws -> Int64? { try await hang() }
    func write(_ batch: TrafficBatch) async throws { try await hang() }
    func foldTraffic(of node: String, now: Int64) async throws { try await hang() }
    func traffic(_ question: TrafficQuestion) async throws -> [TrafficSum] { try await hang() }
}
