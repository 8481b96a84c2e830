import ArgumentParser
import Storage

/// The database a command works on, and the settings it comes from.
struct DatabaseOptions: ParsableArguments {
    @Option(help: .init(of: .database)) var database: String?
    @Option(help: .init(of: .state)) var state: String?

    func settings() async throws -> Settings {
        try Settings(await SettingsSource([(.database, database), (.state, state)]))
    }

    /// Opens the database without changing its tables.
    func store() async throws -> SQLStore {
        try await SQLStore.open(try await settings().database)
    }
}
