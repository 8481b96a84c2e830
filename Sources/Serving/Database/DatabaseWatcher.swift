import Logging
import ServiceLifecycle
import Storage

/// Follows the database: applies the newest revision and takes over the keys within a second of their commit, and says when the
/// database is gone, takes no changes, or is another one.
///
/// A database with the id that this node's catalog comes from is followed, also backwards: a restored database wins. An empty one, or one
/// with another id, is followed only once somebody has declared it the successor.
struct DatabaseWatcher: Service {
    /// Less than the second that a change may take, and 93 of the 120 statements that a node may send in a minute: the rest is for
    /// registering itself (10), traffic (10) and uses of keys (4).
    static let interval = Duration.milliseconds(650)

    let store: any FollowedStore
    let publisher: Publisher
    let condition: NodeCondition
    /// The database's place, for errors.
    let place: String

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                await look()
                try await Task.sleep(for: DatabaseWatcher.interval)
            }
        }
    }

    /// Compares once and applies what differs. A catalog that cannot be used leaves the old one in place.
    func look() async {
        var trouble: NodeCondition.Trouble?
        do {
            let told = try await follow()
            trouble = (store.writeTrouble ?? told).map { .init(kind: .unwritable, reason: $0) }
        } catch {
            trouble = .init(error)
        }
        condition.databaseIs(trouble, revision: publisher.view.current.revision)
    }

    /// - Returns: why the database says that it takes no changes; nil while it does.
    private func follow() async throws -> String? {
        let look = await publisher.beginLook()
        guard let polled = try await store.poll() else {
            throw StorageError(.emptied, at: place, "the newest revision here is \(publisher.view.current.revision)")
        }
        let current = publisher.view.current
        try await store.requireSuccession(of: current.databaseID, in: polled.head.databaseID, at: place)
        if current.head == polled.head {
            await publisher.take(polled, nil, of: look)
            return polled.writeTrouble
        }
        guard let revision = try await store.newest()?.read() else { throw StorageError(.emptied, at: place, "it was emptied just now") }
        await publisher.take(polled, revision, of: look)
        return polled.writeTrouble
    }
}

/// What of the database a balancer follows.
protocol FollowedStore: Sendable {
    /// Nil when no revision is stored.
    func poll() async throws -> Polled?
    func newest() async throws -> StoredRevision?
    /// The ids of the databases that this one succeeds.
    func predecessors() async throws -> [String]
    /// Why the last write failed; nil when it did not.
    var writeTrouble: String? { get }
}

extension SQLStore: FollowedStore {}

extension FollowedStore {
    /// Refuses a database that is neither the one a catalog came from nor its declared successor.
    ///
    /// - Parameters:
    ///   - known: the id of the catalog's database; empty when it is not known, and then any will do.
    ///   - found: the id of this database.
    func requireSuccession(of known: String, in found: String, at place: String) async throws {
        guard !known.isEmpty, known != found, try await !predecessors().contains(known) else { return }
        throw StorageError(.otherDatabase, at: place, "its id is \(found.prefix(8))…, expected was \(known.prefix(8))…")
    }
}
