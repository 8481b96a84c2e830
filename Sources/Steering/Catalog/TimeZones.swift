/// When the clocks of time zones are changed, for the hours of rules. Whoever compiles a catalog knows it: this module reads no files.
public struct TimeZones: Sendable {
    /// By IANA name; one that is missing is not known.
    private let offsets: [String: Offsets]

    public init(_ offsets: [String: Offsets] = [:]) { self.offsets = offsets }

    /// A zone's offsets from UTC; nil when it is not known.
    public subscript(name: String) -> Offsets? { offsets[name] }

    /// The offsets from UTC of one zone over the years.
    public struct Offsets: Sendable, Equatable {
        /// Minutes east of UTC before the first change.
        let before: Int
        /// In the order of time.
        let changes: [Change]

        public init(before: Int, changes: [Change] = []) {
            self.before = before
            self.changes = changes
        }

        /// Minutes east of UTC.
        ///
        /// - Parameter second: since 1970-01-01 UTC.
        func minutes(at second: Int) -> Int {
            var (low, high) = (0, changes.count)
            while low < high {
                let middle = (low + high) / 2
                if changes[middle].second <= second { low = middle + 1 } else { high = middle }
            }
            return low == 0 ? before : changes[low - 1].minutes
        }
    }

    /// From a second on another offset holds.
    public struct Change: Sendable, Equatable {
        /// Since 1970-01-01 UTC.
        let second: Int
        /// East of UTC.
        let minutes: Int

        public init(second: Int, minutes: Int) {
            self.second = second
            self.minutes = minutes
        }
    }
}

extension Catalog {
    /// The time zones that hours of rules go by, with the rules' positions.
    private var namedZones: [(rule: Int, name: String)] {
        rules.enumerated().compactMap { index, rule in
            guard case .named(let name)? = rule.when.hours?.zone else { return nil }
            return (index, name)
        }
    }

    /// The names of the time zones that hours of rules go by.
    public var timeZones: Set<String> { Set(namedZones.map(\.name)) }

    /// A sentence for each time zone that is not known: the rule that goes by it matches nobody.
    func zoneWarnings(_ zones: TimeZones) -> [String] {
        var told: Set<String> = []
        return namedZones.filter { zones[$0.name] == nil && told.insert($0.name).inserted }.map { rule, name in
            "rule \"\(rules[rule].name)\" goes by the time zone \"\(name)\", which this version of the program does not know: it matches nobody"
        }
    }
}
