/// A URI of a manifest, resolved (RFC 3986 §5.2) as far as all targets have in common.
enum URIReference: Equatable {
    /// Path, query and fragment below the root of whichever target; begins with `/`.
    case below([UInt8])
    /// Not at a target; it stays as it is.
    case elsewhere([UInt8])

    /// - Parameter text: as it stands in the manifest, escapes of the manifest's own undone.
    /// - Throws: `climbing`, or `uri` for what means another place at each target.
    init(_ text: [UInt8], in place: Manifest.Place) throws(Manifest.Refusal) {
        // What no URI has would end a line or an attribute.
        guard !text.isEmpty, !text.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == 0x7F }) else { throw .uri }
        if let colon = URIReference.schemeEnd(text) {
            guard let rest = place.roots.path(of: text) else {
                self = .elsewhere(text)
                return
            }
            guard URIReference.isHTTP(text[..<colon]) else { throw .uri }
            self = .below(try URIReference.resolved(Array(rest.dropFirst()), base: [UInt8(ascii: "/")]))
            return
        }
        switch text[0] {
        case UInt8(ascii: "/"), UInt8(ascii: "#"), UInt8(ascii: "\\"): throw .uri
        case UInt8(ascii: "?"): self = .below(place.path + text)
        default: self = .below(try URIReference.resolved(text, base: place.path))
        }
    }

    static func isAbsolute(_ text: [UInt8]) -> Bool { schemeEnd(text) != nil }

    /// Where the colon of a scheme stands.
    private static func schemeEnd(_ text: [UInt8]) -> Int? {
        for (index, byte) in text.enumerated() {
            let isLetter = (byte | 0x20) &- 0x61 < 26
            let isOther = byte &- 0x30 < 10 || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            if byte == UInt8(ascii: ":") { return index > 0 ? index : nil }
            guard isLetter || (index > 0 && isOther) else { return nil }
        }
        return nil
    }

    private static func isHTTP(_ scheme: ArraySlice<UInt8>) -> Bool {
        let scheme = scheme.map(lowercased)
        return scheme == Array("http".utf8) || scheme == Array("https".utf8)
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// A relative path merged with a base and freed of dot segments.
    private static func resolved(_ text: [UInt8], base: [UInt8]) throws(Manifest.Refusal) -> [UInt8] {
        let end = text.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? text.endIndex
        var segments = base.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst().dropLast()
        let parts = text[..<end].split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            switch try dots(part) {
            case 1: if isLast { segments.append([]) }
            case 2:
                if segments.popLast() == nil { throw .climbing }
                if isLast { segments.append([]) }
            default: segments.append(part)
            }
        }
        return segments.reduce(into: []) { $0 += [UInt8(ascii: "/")] + $1 } + text[end...]
    }

    /// How many dots a dot segment has; 0 for any other.
    private static func dots(_ segment: ArraySlice<UInt8>) throws(Manifest.Refusal) -> Int {
        if segment == [UInt8(ascii: ".")] { return 1 }
        if segment == [UInt8(ascii: "."), UInt8(ascii: ".")] { return 2 }
        // Caches and clients take `%2e` for a dot, and `%2f`, `%5c` and `\` for a separator.
        guard segment.contains(UInt8(ascii: "%")) || segment.contains(UInt8(ascii: "\\")) else { return 0 }
        let text = String(decoding: segment, as: UTF8.self).lowercased()
        let plain = text.split(separator: "%2e", omittingEmptySubsequences: false).joined(separator: ".")
        let separated = plain.split(separator: "%2f", omittingEmptySubsequences: false).joined(separator: "/")
            .split(separator: "%5c", omittingEmptySubsequences: false).joined(separator: "/")
        let parts = separated.split(omittingEmptySubsequences: false) { $0 == "/" || $0 == "\\" }
        if parts.contains(where: { $0 == "." || $0 == ".." }) { throw .climbing }
        return 0
    }
}
