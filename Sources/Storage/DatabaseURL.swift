/// Which database to use, as settings name it.
public enum DatabaseURL: Sendable, Equatable, CustomStringConvertible {
    /// A file; a relative path counts from the working folder.
    case sqlite(path: String)

    /// Reads `sqlite:PATH`.
    ///
    /// - Throws: `.unsupported` for `mysql://…`, which later versions read; `.badURL` for everything else. Neither repeats what could
    ///   be a password.
    public init(_ text: String) throws(StorageError) {
        guard let colon = text.firstIndex(of: ":") else {
            throw StorageError(.badURL, at: "database URL", "it has no scheme")
        }
        let scheme = text[..<colon].lowercased()
        let rest = String(text[text.index(after: colon)...])
        switch scheme {
        case "sqlite":
            self = .sqlite(path: try DatabaseURL.path(rest))
        case "mysql", "mariadb":
            // Nothing of the rest is repeated: a password may hold any character, also those that seem to end it.
            throw StorageError(.unsupported, at: "database URL \(scheme)://…", "MySQL and MariaDB come in a later version")
        default:
            let known = scheme.utf8.allSatisfy { (0x61...0x7A).contains($0) } && scheme.utf8.count <= 12
            throw StorageError(
                .badURL, at: "database URL", known ? "the scheme \"\(scheme)\" is not known" : "it does not begin with a scheme")
        }
    }

    public var description: String {
        switch self {
        case .sqlite(let path): "sqlite:\(path)"
        }
    }

    private static func path(_ path: String) throws(StorageError) -> String {
        if path.isEmpty { throw StorageError(.badURL, at: "database URL sqlite:", "there is no path after the colon") }
        // Tools disagree on how many slashes make a path absolute.
        if path.hasPrefix("//") { throw StorageError(.badURL, at: "database URL sqlite:\(path)", "a path has no // before it") }
        if path.hasPrefix(":") {
            throw StorageError(.badURL, at: "database URL sqlite:\(path)", "a database in memory would forget the catalog")
        }
        if path.hasPrefix("file:") { throw StorageError(.badURL, at: "database URL sqlite:\(path)", "give a plain path") }
        if path.hasSuffix("/") { throw StorageError(.badURL, at: "database URL sqlite:\(path)", "it names a folder; give a file in it") }
        if path.utf8.contains(0) { throw StorageError(.badURL, at: "database URL", "the path contains a NUL character") }
        return path
    }
}
