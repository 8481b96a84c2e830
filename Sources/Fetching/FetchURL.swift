/// An absolute URL taken apart, as far as a request needs it.
struct FetchURL: Equatable {
    let isSecure: Bool
    /// As the Host field has it.
    let authority: String
    /// Without brackets.
    let host: String
    let port: Int
    /// Path and query.
    let target: String

    /// - Parameter bytes: visible ASCII characters.
    init?(_ bytes: [UInt8]) {
        guard bytes.allSatisfy({ $0 &- 0x21 <= 0x7E - 0x21 }) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let scheme = ["http://", "https://"].first(where: { text.lowercased().hasPrefix($0) }) else { return nil }
        let rest = text.dropFirst(scheme.count)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash]
        guard !authority.isEmpty, !authority.contains("@"), !rest.contains("#") else { return nil }
        isSecure = scheme == "https://"
        self.authority = String(authority)
        target = slash == rest.endIndex ? "/" : String(rest[slash...])
        let closing = authority.lastIndex(of: "]")
        let colon = authority.lastIndex(of: ":").flatMap { index in closing.map { index > $0 } ?? true ? index : nil }
        host = authority[..<(colon ?? authority.endIndex)].filter { $0 != "[" && $0 != "]" }
        guard let colon else {
            port = isSecure ? 443 : 80
            return
        }
        guard let number = UInt16(authority[authority.index(after: colon)...]), number > 0 else { return nil }
        port = Int(number)
    }

    /// What a reference means here (RFC 3986 §5.2.2), without its fragment. Dot segments stay as they are.
    ///
    /// - Parameter reference: of a Location, which may be relative (RFC 9110 §10.2.2).
    func absolute(_ reference: String) -> [UInt8] {
        let reference = reference.prefix { $0 != "#" }
        let scheme = isSecure ? "https:" : "http:"
        let end = target.firstIndex(of: "?") ?? target.endIndex
        let start: Substring
        switch reference.first {
        case "/": start = reference.hasPrefix("//") ? scheme[...] : "\(scheme)//\(authority)"
        case "?", nil: start = "\(scheme)//\(authority)\(target[..<end])"
        default:
            let beforeSlash = reference.prefix { $0 != "/" && $0 != "?" }
            let folder = target[..<end].lastIndex(of: "/").map { target[...$0] } ?? "/"
            start = beforeSlash.contains(":") ? "" : "\(scheme)//\(authority)\(folder)"
        }
        return Array((start + reference).utf8)
    }
}
