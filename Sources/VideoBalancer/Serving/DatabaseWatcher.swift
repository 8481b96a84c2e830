import Control
import Logging
import ServiceLifecycle
import Storage

/// Follows the database: applies the newest revision and takes over the keys within a second of their commit, and says when the
/// database is gone.
struct DatabaseWatcher: Service {
    /// Half of the second that a change may take.
    static let interval = Duration.milliseconds(500)

    let store: any CatalogStore & KeyStore
    let publisher: Publisher
    let access: Access

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
        do {
            try await publisher.follow(store)
            access.replaceStored(try await store.keys())
            await publisher.databaseAnswered()
        } catch {
            await publisher.databaseFailed("\(error)")
        }
    }
}
