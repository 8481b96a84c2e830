import ArgumentParser
import GeoIP
import Serving
import Steering

/// The GeoIP databases of a command.
struct GeoIPOptions: ParsableArguments {
    private enum Flags: SettingChoice {
        static let settings = [Setting.table.geoipCountry, Setting.table.geoipASN]
    }

    @OptionGroup private var options: SettingOptions<Flags>

    /// What is known of clients by the databases that are named here or in the environment.
    ///
    /// - Throws: `GeoIPError` when one of them cannot be used: unlike a balancer, a person who waits for the answer can mend that first.
    func geography() async throws -> Geography {
        let source = try SettingsSource(options.texts)
        var databases: [GeoIPDatabase.Kind: GeoIPDatabase] = [:]
        for (kind, path) in source.geoIPPaths { databases[kind] = try GeoIPDatabase(kind, path: path) }
        return Geography(databases)
    }
}
