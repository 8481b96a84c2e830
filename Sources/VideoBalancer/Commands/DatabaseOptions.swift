import ArgumentParser
import Serving
import Storage

/// The database a command works on, and the settings it comes from.
struct DatabaseOptions: ParsableArguments {
    private enum Flags: SettingChoice {
        static let settings = [Setting.table.database, Setting.table.state]
    }

    @OptionGroup private var options: SettingOptions<Flags>

    func settings() throws -> Settings { try Settings(SettingsSource(options.texts)) }

    /// Opens the database.
    ///
    /// - Parameter migrates: whether its tables are brought to this program's version.
    func store(migrates: Bool = false) async throws -> SQLStore {
        let store = SQLStore(try settings().database, migrates: migrates)
        try await store.open()
        return store
    }

    /// The newest revision.
    func newest() async throws -> Revision {
        guard let stored = try await store().newest() else {
            throw ConfigurationFault("the database holds no catalog yet; import one: video-balancer catalog import FILE")
        }
        return try stored.read()
    }
}
