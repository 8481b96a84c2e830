/// The rules of a catalog, compiled so that a request looks at few of them: each condition on server, path, client and its place gives
/// a set of rules, and only what is in all of them is looked at closer. A thousand rules are sixteen words a set.
///
/// A class, so that a request takes one reference and not one of each array in it.
final class RuleIndex: Sendable {
    private struct Rest: Sendable {
        /// Empty: what the path begins with says it all.
        let patterns: [Pattern]
        let headers: [(name: [UInt8], pattern: Pattern)]
        let hours: (hours: WeeklyHours, offsets: TimeZones.Offsets?)?
    }

    private let sets: RuleSets
    /// By server.
    private let serverPlaces: [Int]
    private let networks: NetworkIndex
    private let geography: GeographyIndex
    private let prefixes: PrefixIndex
    private let rests: [Rest]

    init(_ rules: [Rule], labels: [String], _ geography: Geography, _ zones: TimeZones) {
        var sets = RuleSets(rules: rules.count)
        let patterns = rules.map { rule in rule.when.paths.map { Pattern($0) } }
        serverPlaces = RuleIndex.serverSets(rules, labels, &sets).map { sets.place($0) }
        networks = NetworkIndex(rules, base: sets.set(rules.count) { rules[$0].when.clients.isEmpty }, &sets)
        self.geography = GeographyIndex(rules, geography, &sets)
        prefixes = PrefixIndex(patterns, base: sets.set(rules.count) { patterns[$0].isEmpty }, &sets)
        rests = rules.enumerated().map { index, rule in
            Rest(
                patterns: rule.when.paths.contains { $0.contains("*") }
                    ? rule.when.paths.map { Pattern($0.contains("*") ? $0 : $0 + "*") } : [],
                headers: rule.when.headers.map { (Array($0.name.utf8), Pattern($0.pattern, ignoresCase: true)) },
                hours: rule.when.hours.map { ($0, $0.zone.offsets(zones)) })
        }
        sets.seal()
        self.sets = sets
    }

    /// By server: the rules that hold for it.
    private static func serverSets(_ rules: [Rule], _ labels: [String], _ sets: inout RuleSets) -> [[UInt64]] {
        let positions = Dictionary(labels.enumerated().map { ($0.element, $0.offset) }) { first, _ in first }
        // Many rules name the same servers.
        var known: [String: [Int]] = [:]
        var byServer = Array(repeating: sets.set(rules.count) { rules[$0].when.servers.isEmpty }, count: labels.count)
        for (rule, content) in rules.enumerated() {
            for pattern in Set(content.when.servers) {
                let servers = known[pattern] ?? (ServerPattern.labels(of: pattern) ?? []).compactMap { positions[$0] }
                known[pattern] = servers
                for server in servers { byServer[server][rule / 64] |= 1 << UInt64(rule % 64) }
            }
        }
        return byServer
    }

    /// The first rule that the request satisfies; nil when there is none.
    ///
    /// - Parameters:
    ///   - source: what the video's offsets count in.
    ///   - head: what the asker's offsets count in.
    func first(
        _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, _ head: borrowing Span<UInt8>
    ) -> Int? {
        let (a, b) = (serverPlaces[video.server], networks.place(of: asker.client))
        // Where every rule names servers or clients most requests end here, and the path costs more to look up than both.
        guard sets.intersect(a, b) else { return nil }
        let tail = video.tail.range
        let path = tail.lowerBound..<source.firstIndex(of: UInt8(ascii: "?"), in: tail)
        let c = prefixes.place(of: path, source)
        let place = geography.isAsked ? geography.places(of: asker.client) : nil
        for word in 0..<sets.stride {
            var candidates = sets.words[a + word] & sets.words[b + word] & sets.words[c + word]
            if let place { candidates &= sets.words[place.country + word] & sets.words[place.asn + word] }
            while candidates != 0 {
                let rule = word * 64 + candidates.trailingZeroBitCount
                if isSatisfied(rests[rule], path, source, asker, head) { return rule }
                candidates &= candidates - 1
            }
        }
        return nil
    }

    private func isSatisfied(
        _ rest: Rest, _ path: Range<Int>, _ source: borrowing Span<UInt8>, _ asker: Asker, _ head: borrowing Span<UInt8>
    ) -> Bool {
        if let hours = rest.hours {
            guard let offsets = hours.offsets, hours.hours.contains(second: asker.second, offsets) else { return false }
        }
        if !rest.patterns.isEmpty {
            var isMatched = false
            for pattern in rest.patterns where pattern.matches(source, path) {
                isMatched = true
                break
            }
            if !isMatched { return false }
        }
        for header in rest.headers {
            guard let value = FieldLines.value(of: header.name, in: asker.fields.range, of: head), header.pattern.matches(head, value)
            else {
                return false
            }
        }
        return true
    }
}
