/// One metric with its help, kind and samples.
public struct MetricFamily: Sendable {
    public enum Kind: String, Sendable { case counter, gauge, histogram, summary }

    public struct Sample: Sendable {
        /// What follows the family's name: `_bucket`, `_sum` and `_count` of a histogram or summary.
        public let suffix: String
        public let labels: [(name: String, value: String)]
        public let value: Double

        public init(_ value: Double, suffix: String = "", labels: [(name: String, value: String)] = []) {
            self.value = value
            self.suffix = suffix
            self.labels = labels
        }
    }

    public let name: String
    public let help: String
    public let kind: Kind
    public let samples: [Sample]

    public init(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }
}

/// The Prometheus text format, version 0.0.4.
public enum Exposition {
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    public static func text(_ families: [MetricFamily]) -> String {
        var text = ""
        for family in families {
            text += "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in family.samples {
                let labels = sample.labels.map { "\($0.name)=\"\(escaped($0.value))\"" }.joined(separator: ",")
                text += "\(family.name)\(sample.suffix)\(labels.isEmpty ? "" : "{\(labels)}") \(number(sample.value))\n"
            }
        }
        return text
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : "\(value)"
    }

    private static func escaped(_ value: String) -> String {
        value.map { $0 == "\\" ? "\\\\" : $0 == "\"" ? "\\\"" : $0 == "\n" ? "\\n" : String($0) }.joined()
    }
}
