import ArgumentParser
import Serving
import Storage

/// The database a command works on, and the settings it comes from.
struct DatabaseOptions: ParsableArguments {
    @Option(help: .init(of: .database)) var database: String?
    @Option(help: .init(of: .state)) var state: String?

    func settings() async throws -> Settings {
        try Settings(SettingsSource([(.database, database), (.state, state)]))
    }

    /// Opens the database without changing its tables.
    func store() async throws -> SQLStore {
        try await SQLStore.open(try await settings().database)
    }

    /// The newest revision.
    func newest() async throws -> Revision {
        let store = try await store()
        guard let stored = try await store.newest() else {
            throw ConfigurationFault("the database holds no catalog yet; import one: video-balancer catalog import FILE")
        }
        return try stored.read()
    }
}
