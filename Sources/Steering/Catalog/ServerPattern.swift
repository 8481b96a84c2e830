/// A label (`s1`) or a range of labels (`s[1-99]`, `edge[01-12]-eu`) as the catalog writes them.
enum ServerPattern {
    /// More than this in one catalog is a typing mistake rather than a cluster.
    static let maximumLabels = 10_000

    /// The labels a pattern stands for, in order; a lower bound with leading zeros fixes the width.
    ///
    /// - Returns: nil when the pattern is malformed, the range is empty, or it is longer than `maximumLabels`.
    static func labels(of pattern: String) -> [String]? {
        let text = URLByte.lowercased(pattern)
        guard let open = text.firstIndex(of: "[") else { return HostPort.isLabel(text[...]) ? [text] : nil }
        guard let close = text.firstIndex(of: "]"), open < close else { return nil }
        let bounds = text[text.index(after: open)..<close].split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2, bounds.allSatisfy({ (1...9).contains($0.utf8.count) && $0.utf8.allSatisfy(URLByte.isDigit) }),
            let first = Int(bounds[0]), let last = Int(bounds[1]), first <= last, last - first < maximumLabels
        else { return nil }
        let width = bounds[0].hasPrefix("0") ? bounds[0].utf8.count : 0
        let labels = (first...last).map { number in
            let digits = String(number)
            let padding = String(repeating: "0", count: max(0, width - digits.utf8.count))
            return "\(text[..<open])\(padding)\(digits)\(text[text.index(after: close)...])"
        }
        return labels.allSatisfy { HostPort.isLabel($0[...]) } ? labels : nil
    }
}
