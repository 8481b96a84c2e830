import Logging
import ServiceLifecycle
import Storage

/// Follows the database: applies the newest revision and takes over the keys within a second of their commit, and says when the
/// database is gone.
struct DatabaseWatcher: Service {
    /// Less than the second that a change may take, and 93 of the 120 statements that a node may send in a minute: the rest is for
    /// writing itself down (10), traffic (10) and uses of keys (4).
    static let interval = Duration.milliseconds(650)

    let store: any CatalogStore & FleetStore
    let publisher: Publisher

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
            try await publisher.follow(store, now: SystemClock.now())
            await publisher.databaseAnswered()
        } catch {
            await publisher.databaseFailed("\(error)")
        }
    }
}
