/// Which database to use, as settings name it.
public enum DatabaseURL: Sendable, Equatable, CustomStringConvertible {
    /// A file; a relative path counts from the working folder.
    case sqlite(path: String)
    /// A server, or several of one cluster.
    case mysql(MySQLAddress)

    /// Reads `sqlite:PATH` or `mysql://USER:PASSWORD@HOST:PORT,…/NAME?tls=MODE&tls-ca=FILE`.
    ///
    /// - Throws: `.badURL`, which never repeats what could be a password.
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
            self = .mysql(try MySQLAddress(afterScheme: text[text.index(after: colon)...]))
        default:
            let known = scheme.utf8.allSatisfy { (0x61...0x7A).contains($0) } && scheme.utf8.count <= 12
            throw StorageError(
                .badURL, at: "database URL", known ? "the scheme \"\(scheme)\" is not known" : "it does not begin with a scheme")
        }
    }

    /// Without the password.
    public var description: String {
        switch self {
        case .sqlite(let path): "sqlite:\(path)"
        case .mysql(let address): address.place
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
