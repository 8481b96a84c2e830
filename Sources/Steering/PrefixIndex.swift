/// Which rules a path may satisfy: the prefixes of all rules in order, each with the rules of the shorter prefixes it begins with.
struct PrefixIndex: Sendable {
    private struct Entry: Sendable {
        let prefix: [UInt8]
        /// The longest other prefix that this one begins with; −1 when there is none.
        let parent: Int
        let place: Int
    }

    private var entries: [Entry] = []
    private let basePlace: Int

    /// - Parameters:
    ///   - patterns: by rule; only what a pattern begins with counts here.
    ///   - base: rules that have no condition on the path.
    init(_ patterns: [[Pattern]], base: [UInt64], _ sets: inout RuleSets) {
        basePlace = sets.place(base)
        var rules: [[UInt8]: [Int]] = [:]
        for (rule, patterns) in patterns.enumerated() {
            for pattern in patterns { rules[pattern.prefix, default: []].append(rule) }
        }
        for prefix in rules.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            var parent = entries.count - 1
            while parent >= 0, !prefix.starts(with: entries[parent].prefix) { parent = entries[parent].parent }
            var set = parent < 0 ? base : sets.set(at: entries[parent].place)
            for rule in rules[prefix] ?? [] { set[rule / 64] |= 1 << UInt64(rule % 64) }
            entries.append(Entry(prefix: prefix, parent: parent, place: sets.place(set)))
        }
    }

    /// Where the set of the path's rules begins.
    func place(of path: Range<Int>, _ bytes: borrowing Span<UInt8>) -> Int {
        // The last entry that is not after the path, or one that it begins with, is the longest prefix of the path.
        var (low, high) = (-1, entries.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if isAfter(entries[middle].prefix, path, bytes) { high = middle } else { low = middle }
        }
        while low >= 0 {
            if bytes.begins(with: entries[low].prefix, in: path) { return entries[low].place }
            low = entries[low].parent
        }
        return basePlace
    }

    private func isAfter(_ prefix: [UInt8], _ path: Range<Int>, _ bytes: borrowing Span<UInt8>) -> Bool {
        for offset in prefix.indices {
            if offset == path.count { return true }
            let byte = bytes[path.lowerBound + offset]
            if prefix[offset] != byte { return prefix[offset] > byte }
        }
        return false
    }
}
