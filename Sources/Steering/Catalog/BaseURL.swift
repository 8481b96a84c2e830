/// Where a CDN serves: `scheme://host[:port][/prefix]`, without a trailing slash.
public struct BaseURL: Sendable, Equatable {
    public let scheme: Catalog.Scheme
    /// Lower-case host, with its port when one is written.
    public let authority: String
    /// Empty, or begins with `/` and does not end with one.
    public let prefix: String

    public var text: String { "\(scheme.rawValue)://\(authority)\(prefix)" }

    /// What stands for the URL of a CDN until it is read.
    static let none = BaseURL()

    private init() { (scheme, authority, prefix) = (.http, "", "") }

    /// - Returns: nil when the text is no such URL: another scheme, userinfo, a query, a fragment, or a dot segment.
    init?(_ text: String) {
        guard text.utf8.count <= 1024 else { return nil }
        guard let scheme = Catalog.Scheme.allCases.first(where: { URLByte.lowercased(text).hasPrefix($0.rawValue + "://") }) else {
            return nil
        }
        let rest = text.utf8.dropFirst(scheme.rawValue.utf8.count + 3)
        let end = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        guard let authority = HostPort.normalised(String(decoding: rest[..<end], as: UTF8.self)) else { return nil }
        var prefix = Array(rest[end...])
        while prefix.last == UInt8(ascii: "/") { prefix.removeLast() }
        guard prefix.allSatisfy({ URLByte.isPathByte($0) }), (try? URLByte.checkTail(prefix.span, 0..<prefix.count)) != nil else {
            return nil
        }
        self.scheme = scheme
        self.authority = authority
        self.prefix = String(decoding: prefix, as: UTF8.self)
    }
}
