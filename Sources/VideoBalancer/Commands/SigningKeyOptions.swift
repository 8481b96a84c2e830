import ArgumentParser
import Serving
import Signing
import Steering

/// The folder of keys that sign links, of a command.
struct SigningKeyOptions: ParsableArguments {
    private enum Flags: SettingChoice {
        static let settings = [Setting.table.signingKeys]
    }

    @OptionGroup private var options: SettingOptions<Flags>

    /// Nil where neither the command nor the environment names one.
    func folder() throws -> SigningKeyFolder? {
        try SettingsSource(options.texts).signingKeyFolder
    }

    func requiredFolder() throws -> SigningKeyFolder {
        guard let folder = try folder() else {
            throw ConfigurationFault(
                "no folder of signing keys is set; name it with --signing-keys or \(Setting.table.signingKeys.environment)")
        }
        return folder
    }

    /// What signs the links of a catalog here; as if none had to be signed where there is no folder.
    func signers(_ catalog: Catalog) throws -> Signers {
        guard let folder = try folder() else { return .none }
        do throws(SigningKey.Fault) {
            return Signers(catalog, keys: try folder.keys())
        } catch {
            throw ConfigurationFault(error.description)
        }
    }
}
