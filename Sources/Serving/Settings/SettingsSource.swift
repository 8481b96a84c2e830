import Configuration
import Foundation
import SystemPackage

/// Where settings come from: flag, then environment, then `.env`, then default.
public struct SettingsSource {
    private let reader: ConfigReader

    /// Reads the environment and the `.env` file of the working folder.
    ///
    /// - Throws: `ConfigurationFault` for an unknown `BALANCER_…` name or a `.env` that cannot be read: a mistyped name would
    ///   otherwise be a setting that silently does nothing.
    public init(_ flags: [(Setting, String?)] = []) async throws {
        let file = ".env"
        var names = Array(ProcessInfo.processInfo.environment.keys)
        let known = Setting.all.flatMap { $0.isSecret ? [$0.environment, $0.environment + "_FILE"] : [$0.environment] }
        do {
            if let text = try? String(contentsOfFile: file, encoding: .utf8) { names += SettingsSource.names(in: text) }
            var values: [AbsoluteConfigKey: ConfigValue] = [:]
            for case (let setting, let value?) in flags {
                values[AbsoluteConfigKey(["balancer", setting.name])] = ConfigValue(.string(value), isSecret: false)
            }
            reader = ConfigReader(providers: [
                InMemoryProvider(name: "flags", values: values),
                EnvironmentVariablesProvider(),
                try await EnvironmentVariablesProvider(environmentFilePath: ".env", allowMissing: true),
            ])
        } catch {
            throw ConfigurationFault("\(file) cannot be read: \(error); write one NAME=value a line")
        }
        let unknown = names.filter { $0.hasPrefix("BALANCER_") && !known.contains($0) }.sorted()
        if let first = unknown.first {
            throw ConfigurationFault("\(first) is no setting of video-balancer; see `video-balancer serve --help` for all of them")
        }
    }

    /// The text of a setting from the first source that has it, else its default.
    func text(_ setting: Setting) -> String {
        reader.string(forKey: ConfigKey(["balancer", setting.name]), default: setting.fallback)
    }

    /// A secret, from its variable or from the file that `…_FILE` names; nil when neither is set.
    ///
    /// - Throws: `ConfigurationFault` when the file cannot be read.
    func secret(_ setting: Setting) throws(ConfigurationFault) -> String? {
        if let value = reader.string(forKey: ConfigKey(["balancer", setting.name]), isSecret: true), !value.isEmpty { return value }
        guard let path = reader.string(forKey: ConfigKey(["balancer", setting.name, "file"])), !path.isEmpty else { return nil }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ConfigurationFault("\(setting.environment)_FILE: \(path) cannot be read")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A variable that is not a setting of the process: `CDN_HOST` and its kin. Empty counts as absent.
    func variable(_ name: String) -> String? {
        let key = ConfigKey(name.lowercased().split(separator: "_").map(String.init))
        guard let value = reader.string(forKey: key), !value.isEmpty else { return nil }
        return value
    }

    /// A secret that is no setting of the process, from its variable or from the file that `…_FILE` names.
    ///
    /// - Throws: `ConfigurationFault` when the file cannot be read.
    func secret(named name: String) throws(ConfigurationFault) -> String? {
        if let value = variable(name) { return value }
        guard let path = variable(name + "_FILE") else { return nil }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ConfigurationFault("\(name)_FILE: \(path) cannot be read")
        }
        return text.trimmingCharacters(in: .newlines)
    }

    /// The file that such a secret comes from, for whoever reads it anew; nil when it comes from its variable.
    func secretFile(named name: String) -> String? { variable(name) == nil ? variable(name + "_FILE") : nil }

    private static func names(in text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let line = line.trimmingCharacters(in: .whitespaces)
            guard !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") else { return nil }
            return line[..<equals].trimmingCharacters(in: .whitespaces)
        }
    }
}

/// A configuration the program cannot run with: one or more lines, each saying what, where and what to do. Exit code 78.
public struct ConfigurationFault: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
