/// One process setting. What `SettingTable` declares of it is all there is: flag, environment name, default, help, what values it takes, and
/// its row of docs/settings.md come from there.
public struct Setting: Sendable {
    /// What its text may be.
    public enum Kind: Sendable {
        /// - Parameter placeholder: what help calls the value.
        case text(_ placeholder: String)
        /// Several with a comma between; as a flag also given several times.
        case list(_ placeholder: String)
        case choice([String])
        case number(ClosedRange<Int>)
        /// Never a flag, since everybody sees those in the process list; can be read from a file named by `…_FILE`.
        case secret

        static let onOff = Kind.choice(["on", "off"])
    }

    /// The flag without its dashes; `listen` is `--listen` and `BALANCER_LISTEN`.
    public let name: String
    public let kind: Kind
    public let fallback: String
    public let help: String

    /// - Parameter help: `{range}` in it stands for a number's range.
    init(_ name: String, _ kind: Kind, _ fallback: String = "", _ help: String) {
        self.name = name
        self.kind = kind
        self.fallback = fallback
        self.help = if case .number(let range) = kind { help.replacing("{range}", with: range.words) } else { help }
    }

    init(_ name: String, _ range: ClosedRange<Int>, _ fallback: Int, _ help: String) {
        self.init(name, .number(range), "\(fallback)", help)
    }

    public var environment: String { "BALANCER_" + name.uppercased().replacing("-", with: "_") }

    public var isSecret: Bool { if case .secret = kind { true } else { false } }
    public var isList: Bool { if case .list = kind { true } else { false } }

    /// What help calls the value.
    public var placeholder: String {
        switch kind {
        case .text(let placeholder), .list(let placeholder): placeholder
        case .choice(let words): words.count > 3 ? "word" : words.joined(separator: "|")
        case .number: "number"
        case .secret: "token"
        }
    }

    /// As faults name it.
    var names: String { isSecret ? environment : "--\(name) (\(environment))" }

    public static let table = SettingTable()

    /// Every one, in the order of the table.
    public static let all = Mirror(reflecting: table).children.compactMap { $0.value as? Setting }
}

extension ClosedRange<Int> {
    var words: String { "\(lowerBound) to \(upperBound)" }
}
