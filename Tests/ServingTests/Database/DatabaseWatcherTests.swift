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
        let store: SQLStore
        let scope = CallScope()
        let publisher: Publisher
        let condition = NodeCondition(trouble: nil, logger: Sample.logger)

        init() async throws {
            path = NSTemporaryDirectory() + "watcher-\(UUID().uuidString).db"
            store = SQLStore(.sqlite(path: path), scope: scope, patience: .endless)
            _ = try await store.append(try Sample.catalog(10), expecting: 0, author: "a", comment: "")
            let revision = try #require(try await store.newest()).read()
            let head = try #require(try await store.head())
            publisher = Sample.publisher(running: Published(revision, databaseID: head.databaseID))
        }

        deinit {
            for suffix in ["", "-wal", "-shm", ".2", ".2-wal", ".2-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        }

        func watcher(_ store: SQLStore? = nil) -> DatabaseWatcher {
            let store = store ?? self.store
            return DatabaseWatcher(
                store: store, publisher: publisher, condition: condition, place: "there")
        }

        /// Another database that holds a catalog of its own.
        func other() async throws -> SQLStore {
            let other = SQLStore(.sqlite(path: path + ".2"), scope: scope, patience: .endless)
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
            store: other, publisher: publisher, condition: rig.condition, place: "there")
        await watcher.look()
        #expect(access.key(of: "x") == nil)
    }

    @Test func `an emptied database is not followed`() async throws {
        let rig = try await Rig()
        let empty = SQLStore(.sqlite(path: rig.path + ".2"), scope: rig.scope, patience: .endless)
        await rig.watcher(empty).look()
        #expect(rig.every == 10)
        #expect(rig.condition.trouble?.kind == .notFollowed)
        #expect(rig.condition.trouble?.reason.contains("video-balancer database refill") == true)
    }

    @Test func `a database that takes no writes is trouble although it answers`() async throws {
        let rig = try await Rig()
        let watcher = DatabaseWatcher(
            store: UnwritableStore(store: rig.store), publisher: rig.publisher, condition: rig.condition, place: "there")
        await watcher.look()
        #expect(rig.condition.trouble == .init(kind: .unwritable, reason: "is read-only"))
    }

    @Test func `a look that hangs holds up no verdict`() async throws {
        let publisher = try Sample.publisher()
        let (asked, ask) = AsyncStream.makeStream(of: Void.self)
        let watcher = DatabaseWatcher(
            store: HangingStore(asked: { ask.yield() }), publisher: publisher,
            condition: NodeCondition(trouble: nil, logger: Sample.logger), place: "there")
        let look = Task { await watcher.look() }
        for await _ in asked { break }
        await publisher.healthChanged(.init(number: 1, health: Health(downCDNs: ["a"])))
        #expect(publisher.view.table.health.downCDNs == ["a"])
        look.cancel()
    }
}

/// A database that never answers.
private struct HangingStore: FollowedStore {
    let asked: @Sendable () -> Void
    let writeTrouble: String? = nil

    private func hang() async throws -> Never {
        asked()
        while true { try await Task.sleep(for: .seconds(3600)) }
    }

    func poll() async throws -> Polled? { try await hang() }
    func newest() async throws -> StoredRevision? { try await hang() }
    func predecessors() async throws -> [String] { try await hang() }
}

/// A database that answers and takes no changes.
private struct UnwritableStore: FollowedStore {
    let store: SQLStore
    let writeTrouble: String? = "is read-only"

    func poll() async throws -> Polled? { try await store.poll() }
    func newest() async throws -> StoredRevision? { try await store.newest() }
    func predecessors() async throws -> [String] { try await store.predecessors() }
}
