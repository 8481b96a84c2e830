/// Which rules a path may satisfy: the prefixes of all rules in order, each with the rules of the shorter prefixes it begins with.
struct PrefixIndex: Sendable {
    private struct Entry: Sendable {
        /// The longest other prefix that this one begins with; −1 when there is none.
        let parent: Int
        let place: Int
    }

    /// In order.
    private let prefixes: ByteStrings
    /// By prefix.
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
        let sorted = rules.keys.sorted { $0.lexicographicallyPrecedes($1) }
        prefixes = ByteStrings(sorted)
        for prefix in sorted {
            var parent = entries.count - 1
            while parent >= 0, !prefix.starts(with: sorted[parent]) { parent = entries[parent].parent }
            var set = parent < 0 ? base : sets.set(at: entries[parent].place)
            for rule in rules[prefix] ?? [] { set[rule / 64] |= 1 << UInt64(rule % 64) }
            entries.append(Entry(parent: parent, place: sets.place(set)))
        }
    }

    /// Where the set of the path's rules begins.
    func place(of path: Range<Int>, _ bytes: borrowing Span<UInt8>) -> Int {
        // The last entry that is not after the path, or one that it begins with, is the longest prefix of the path.
        var (low, high) = (-1, entries.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if isAfter(prefixes.range(middle), path, bytes) { high = middle } else { low = middle }
        }
        while low >= 0 {
            if begins(path, bytes, with: prefixes.range(low)) { return entries[low].place }
            low = entries[low].parent
        }
        return basePlace
    }

    private func isAfter(_ prefix: Range<Int>, _ path: Range<Int>, _ text: borrowing Span<UInt8>) -> Bool {
        for offset in 0..<prefix.count {
            if offset == path.count { return true }
            let (mine, its) = (prefixes.bytes[prefix.lowerBound + offset], text[path.lowerBound + offset])
            if mine != its { return mine > its }
        }
        return false
    }

    private func begins(_ path: Range<Int>, _ text: borrowing Span<UInt8>, with prefix: Range<Int>) -> Bool {
        guard prefix.count <= path.count else { return false }
        for offset in 0..<prefix.count where prefixes.bytes[prefix.lowerBound + offset] != text[path.lowerBound + offset] { return false }
        return true
    }
}
