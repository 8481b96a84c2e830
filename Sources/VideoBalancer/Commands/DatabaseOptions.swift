import ArgumentParser
import Foundation
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
    /// - Parameters:
    ///   - migrates: whether its tables are brought to this program's version.
    ///   - creates: whether a file that is not there is made. Whoever only reads would find an empty database where there was none.
    func store(migrates: Bool = false, creates: Bool = false) async throws -> SQLStore {
        let database = try settings().database
        if !migrates, !creates, case .sqlite(let path) = database, !FileManager.default.fileExists(atPath: path) {
            let folder = path.hasPrefix("/") ? "" : " in \(FileManager.default.currentDirectoryPath)"
            throw ConfigurationFault(
                "\(path): there is no such database\(folder); run this in the balancer's working folder, or name the database with --database"
            )
        }
        let store = SQLStore(database, migrates: migrates)
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
