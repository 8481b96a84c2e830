/// The grammar of host names in a catalog.
enum HostPort {
    /// `host[:port]` in lower case: a name of letters, digits, `-` and `.`, at most 253 bytes, or an IPv6 literal in brackets.
    ///
    /// - Returns: nil when the text is something else. An underscore is refused: no public name has one, and caches differ on it.
    static func normalised(_ text: String) -> String? {
        let lower = URLByte.lowercased(text)
        var host = lower[...]
        if let colon = lower.lastIndex(of: ":"), !lower.hasSuffix("]") {
            guard isPort(lower[lower.index(after: colon)...]) else { return nil }
            host = lower[..<colon]
        }
        if host.hasPrefix("[") { return isIPv6Literal(host) ? lower : nil }
        guard host.utf8.count <= 253 else { return nil }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        return labels.allSatisfy(isLabel) ? lower : nil
    }

    /// One DNS label: `[a-z0-9-]{1,63}`, no hyphen at either end (RFC 1123 §2.1).
    static func isLabel(_ text: Substring) -> Bool {
        (1...63).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: "-") && text.utf8.last != UInt8(ascii: "-")
            && text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || URLByte.isDigit($0) || $0 &- 0x61 < 26 }
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard (1...5).contains(text.utf8.count), text.first != "0", text.utf8.allSatisfy(URLByte.isDigit), let port = Int(text)
        else { return false }
        return (1...65535).contains(port)
    }

    /// An IPv6 address in brackets (RFC 4291 §2.2), without a zone.
    private static func isIPv6Literal(_ text: Substring) -> Bool {
        guard text.hasSuffix("]") else { return false }
        let halves = text.dropFirst().dropLast().split(separator: "::", omittingEmptySubsequences: false)
        var groups = halves.flatMap { $0.isEmpty ? [] : $0.split(separator: ":", omittingEmptySubsequences: false) }
        var count = groups.count
        if let last = groups.last, last.contains(".") {
            guard isIPv4(last) else { return false }
            groups.removeLast()
            count += 1
        }
        guard groups.allSatisfy({ (1...4).contains($0.utf8.count) && $0.utf8.allSatisfy { URLByte.hexValue($0) != nil } }) else {
            return false
        }
        return halves.count == 2 ? count <= 7 : halves.count == 1 && count == 8
    }

    private static func isIPv4(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && part.utf8.allSatisfy(URLByte.isDigit) && (part.utf8.count == 1 || part.first != "0")
                    && Int(part).map { $0 <= 255 } == true
            }
    }
}
