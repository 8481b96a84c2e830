import Logging
import ServiceLifecycle
import Storage

/// Follows the database: applies the newest revision within a second of its commit, and says when the database is gone.
struct CatalogWatcher: Service {
    /// Half of the second that a change may take.
    static let interval = Duration.milliseconds(500)

    let database: DatabaseURL
    let store: any CatalogStore
    let publisher: Publisher
    let logger: Logger

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: CatalogWatcher.interval)
                await look()
            }
        }
    }

    /// Compares once and applies what differs. A catalog that cannot be used leaves the old one in place.
    func look() async {
        do {
            guard let head = try await store.head() else {
                return await publisher.databaseFailed("\(database): it holds no catalog any more; restore it or import one")
            }
            if await !publisher.runs(head), let revision = try await store.load() {
                try await publisher.publish(revision, databaseID: head.databaseID)
            }
            await publisher.databaseAnswered()
        } catch {
            await publisher.databaseFailed("\(error)")
        }
    }
}
