import Foundation

/// Where settings come from: flag, then environment, then `.env`, then default.
public struct SettingsSource {
    /// By the setting's name.
    private let flags: [String: String]
    private let environment: [String: String]
    private let file: [String: String]

    /// Reads the environment and the `.env` file of the working folder.
    ///
    /// - Parameter flags: texts by the names of their settings.
    /// - Throws: `ConfigurationFault` as below, and when `.env` cannot be read.
    public init(_ flags: [String: String] = [:]) throws {
        try self.init(flags, environment: ProcessInfo.processInfo.environment, file: EnvironmentFile(path: ".env"))
    }

    /// - Throws: `ConfigurationFault` for an unknown `BALANCER_…` name: a mistyped name would otherwise be a setting that silently does
    ///   nothing.
    init(_ flags: [String: String] = [:], environment: [String: String], file: EnvironmentFile) throws {
        let known = Setting.all.flatMap { $0.isSecret ? [$0.environment, $0.environment + "_FILE"] : [$0.environment] }
        let environment = environment.filter { known.contains($0.key) || !ServiceLink.isOne($0.key, $0.value) }
        let unknown = (Array(file.values.keys) + environment.keys).filter { $0.hasPrefix("BALANCER_") && !known.contains($0) }.sorted()
        if let first = unknown.first {
            let place = environment[first] == nil ? ".env:\(file.lines[first] ?? 1): " : ""
            throw ConfigurationFault("\(place)\(first) is no setting of video-balancer; see `video-balancer serve --help` for all of them")
        }
        self.flags = flags
        self.environment = environment
        self.file = file.values
    }

    /// The text of a setting from the first source that has it, else its default.
    func text(_ setting: KeyPath<SettingTable, Setting>) -> String { text(Setting.table[keyPath: setting]) }

    func text(_ setting: Setting) -> String { flags[setting.name] ?? first(setting.environment) ?? setting.fallback }

    /// A variable that is not a setting of the process: `CDN_HOST` and its kin. Empty counts as absent.
    func variable(_ name: String) -> String? { first(name).flatMap { $0.isEmpty ? nil : $0 } }

    private func first(_ variable: String) -> String? { environment[variable] ?? file[variable] }

    /// A secret from its variable, or from the file that `…_FILE` names; nil when neither is set.
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

    /// The entries of a list with commas between them; blank ones, as after a comma at the end, are none.
    static func list(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }.filter { !$0.isEmpty }
    }

    /// The file that such a secret comes from, for whoever reads it anew; nil when it comes from its variable.
    func secretFile(named name: String) -> String? { variable(name) == nil ? variable(name + "_FILE") : nil }
}

/// A configuration the program cannot run with: one or more lines, each saying what, where and what to do. Exit code 78.
public struct ConfigurationFault: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
