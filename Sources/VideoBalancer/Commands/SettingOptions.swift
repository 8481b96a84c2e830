import ArgumentParser
import Serving

/// The settings that a command takes as flags.
protocol SettingChoice {
    static var settings: [Setting] { get }
}

/// Flags made from the table of settings: what is declared there needs no line here.
struct SettingOptions<Choice: SettingChoice>: ParsableArguments, CustomReflectable {
    /// Texts by the names of their settings; what was not given is absent.
    private(set) var texts: [String: String] = [:]

    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        for setting in Choice.settings {
            let key = Key(stringValue: setting.name)
            if setting.isList {
                let parts = try container.decode(Option<[String]>.self, forKey: key).wrappedValue
                texts[setting.name] = parts.isEmpty ? nil : parts.joined(separator: ",")
            } else {
                texts[setting.name] = try container.decode(Option<String?>.self, forKey: key).wrappedValue
            }
        }
    }

    /// The parser finds a command's options among its properties, which property wrappers name with an underscore.
    var customMirror: Mirror {
        Mirror(self, children: Choice.settings.map { (label: "_" + $0.name, value: SettingOptions.option($0)) })
    }

    private static func option(_ setting: Setting) -> Any {
        let fallback = setting.fallback.isEmpty ? "" : "; default \(setting.fallback)"
        let help = ArgumentHelp("\(setting.help) (\(setting.environment)\(fallback))", valueName: setting.placeholder)
        let name = NameSpecification.customLong(setting.name)
        return setting.isList ? Option<[String]>(wrappedValue: [], name: name, help: help) : Option<String?>(name: name, help: help)
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
