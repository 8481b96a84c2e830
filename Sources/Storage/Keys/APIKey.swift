/// What a key may do. Each role may do all that the one before it may.
public enum Role: String, Sendable, CaseIterable, Comparable {
    case viewer
    case `operator`
    case admin

    public static func < (a: Role, b: Role) -> Bool {
        Role.allCases.firstIndex(of: a).map { a in Role.allCases.firstIndex(of: b).map { a < $0 } ?? false } ?? false
    }
}

/// A key of the API as it is stored: the token itself is kept nowhere.
public struct APIKey: Sendable, Equatable {
    /// Unique; stands as the author of changes.
    public let name: String
    public let role: Role
    /// SHA-256 of the token, in hexadecimal.
    public let hash: String
    /// Milliseconds since 1970, UTC.
    public let created: Int64
    /// Milliseconds since 1970, UTC; nil never expires.
    public let expires: Int64?
    /// Milliseconds since 1970, UTC, a minute old at most; nil when it was never used, or when nobody asked.
    public let lastUsed: Int64?

    public init(name: String, role: Role, hash: String, created: Int64, expires: Int64?, lastUsed: Int64? = nil) {
        self.name = name
        self.role = role
        self.hash = hash
        self.created = created
        self.expires = expires
        self.lastUsed = lastUsed
    }

    /// Whether a key may have this name: 1 to 64 visible ASCII characters, and not what else stands as an author in the history.
    public static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) } && text != "environment"
            && !text.hasPrefix("cli:")
    }
}

/// A bearer token: 256 random bits, so that a plain hash of it can be stored.
public enum Token {
    /// A new token, as it is shown once: `vb_` and 64 hexadecimal digits.
    public static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        let words = (0..<4).map { _ in generator.next() }
        return "vb_"
            + words.map { word in
                let digits = String(word, radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            }.joined()
    }

    /// SHA-256 in lower-case hexadecimal.
    public static func hash(_ token: String) -> String { Checksum.sha256(of: token) }
}
