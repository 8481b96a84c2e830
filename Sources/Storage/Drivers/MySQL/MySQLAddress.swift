import Foundation

/// Where a MySQL or MariaDB database is, and how to get in.
public struct MySQLAddress: Sendable, Equatable {
    public struct Host: Sendable, Equatable, CustomStringConvertible {
        /// A name or an address; an IPv6 address without its brackets.
        public let name: String
        public let port: UInt16

        public init(name: String, port: UInt16 = MySQLAddress.standardPort) {
            self.name = name
            self.port = port
        }

        public var description: String { name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)" }
    }

    /// How far the connection is protected. Without `disabled` a server that offers no TLS is refused.
    public enum TLS: String, Sendable, CaseIterable {
        case disabled
        /// Encrypted, whoever the server is.
        case required
        /// The server's certificate must come from the authority.
        case verifyCA = "verify-ca"
        /// It must also name the host.
        case verifyIdentity = "verify-identity"
    }

    public static let standardPort: UInt16 = 3306
    /// What Debian's ca-certificates keeps.
    public static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    /// Tried in this order; at least one.
    public let hosts: [Host]
    public let user: String
    public var password: String
    /// A file that holds the password, read anew for each connection so that a rotated one is taken up; else `password` counts.
    public var passwordFile: String?
    /// The database's name.
    public let name: String
    public let tls: TLS
    /// A file of certificates in PEM form.
    public let authorities: String

    public init(
        hosts: [Host], user: String, password: String, name: String, tls: TLS = .disabled,
        authorities: String = MySQLAddress.systemAuthorities
    ) {
        self.hosts = hosts
        self.user = user
        self.password = password
        self.name = name
        self.tls = tls
        self.authorities = authorities
    }

    /// The address without the password, as logs and errors show it.
    public var place: String { place(at: hosts) }

    func place(at hosts: [Host]) -> String { "mysql://\(user)@\(hosts.map(\.description).joined(separator: ","))/\(name)" }
}

extension MySQLAddress {
    /// The file's content without line breaks around it, when it can be read and is a password; else what was last known.
    ///
    /// May block, as reading a file does.
    func currentPassword() -> String {
        guard let passwordFile, let file = FileHandle(forReadingAtPath: passwordFile),
            let bytes = try? file.read(upToCount: MySQLAddress.maximumPassword + 2),
            let text = String(validating: bytes, as: UTF8.self)?.trimmingCharacters(in: .newlines),
            text.utf8.count <= MySQLAddress.maximumPassword, !text.utf8.contains(0)
        else { return password }
        return text
    }

    /// In bytes.
    private static let maximumPassword = 1020

    /// Reads what follows `mysql:`: `//USER:PASSWORD@HOST:PORT,…/NAME?tls=MODE&tls-ca=FILE`. User, password and name may be percent-encoded.
    ///
    /// No error repeats any of it: a password may hold any character, also those that seem to end it.
    init(afterScheme text: Substring) throws(StorageError) {
        guard text.hasPrefix("//") else { throw MySQLAddress.bad("after the scheme come two slashes") }
        let rest = text.dropFirst(2)
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        let authority = rest[..<end]
        guard let at = authority.lastIndex(of: "@") else {
            throw MySQLAddress.bad("there is no user before the host; in a password write / as %2F, ? as %3F, # as %23 and @ as %40")
        }
        let credentials = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let user = try MySQLAddress.decoded(credentials.first ?? "", "user")
        let password = credentials.count == 2 ? try MySQLAddress.decoded(credentials[1], "password") : ""
        let hosts = try MySQLAddress.hosts(authority[authority.index(after: at)...])
        let path = rest[end...]
        guard path.hasPrefix("/") else { throw MySQLAddress.bad("after the host comes / and the database's name") }
        let parts = path.dropFirst().split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let name = try MySQLAddress.decoded(parts[0], "database's name")
        var tls = TLS.disabled
        var authorities: String?
        for pair in parts.count == 2 ? parts[1].split(separator: "&", omittingEmptySubsequences: false) : [] {
            if pair.hasPrefix("tls="), let mode = TLS(rawValue: String(pair.dropFirst(4))) {
                tls = mode
            } else if pair.hasPrefix("tls-ca=") {
                authorities = try MySQLAddress.decoded(pair.dropFirst(7), "tls-ca")
            } else {
                let modes = TLS.allCases.map(\.rawValue).joined(separator: "|")
                throw MySQLAddress.bad("after the ? stand only tls=\(modes) and tls-ca=FILE")
            }
        }
        guard authorities == nil || tls == .verifyCA || tls == .verifyIdentity else {
            throw MySQLAddress.bad("tls-ca needs tls=verify-ca or tls=verify-identity")
        }
        self.init(
            hosts: hosts, user: user, password: password, name: name, tls: tls,
            authorities: authorities ?? MySQLAddress.systemAuthorities)
        try check()
    }

    /// Reads `HOST`, `HOST:PORT`, `[IPV6]:PORT`, a comma between several.
    ///
    /// - Parameter port: of hosts that name none.
    public static func hosts(_ text: Substring, port: UInt16 = standardPort) throws(StorageError) -> [Host] {
        var hosts: [Host] = []
        for entry in text.split(separator: ",", omittingEmptySubsequences: false) {
            let number = hosts.count + 1
            var name = entry
            var tail: Substring = ""
            if entry.hasPrefix("["), let close = entry.firstIndex(of: "]") {
                name = entry[entry.index(after: entry.startIndex)..<close]
                tail = entry[entry.index(after: close)...]
            } else if let colon = entry.firstIndex(of: ":") {
                name = entry[..<colon]
                tail = entry[colon...]
            }
            guard !name.isEmpty, name.utf8.allSatisfy(isHostByte) else { throw bad("host \(number) is no host name and no address") }
            guard tail.isEmpty || tail.hasPrefix(":") else { throw bad("after the ] of host \(number) comes : and the port") }
            guard let port = tail.isEmpty ? port : UInt16(tail.dropFirst()), port > 0 else {
                throw bad("the port of host \(number) is no number from 1 to 65535")
            }
            hosts.append(Host(name: String(name), port: port))
        }
        return hosts
    }

    /// What C strings and MySQL itself cannot take.
    public func check() throws(StorageError) {
        for (text, what, maximum) in [(user, "user", 80), (password, "password", 255), (name, "database's name", 64)] {
            guard !text.utf8.contains(0), text.utf8.count <= maximum * 4 else {
                throw MySQLAddress.bad("the \(what) is too long or has a NUL")
            }
        }
        if user.isEmpty { throw MySQLAddress.bad("there is no user") }
        if name.isEmpty { throw MySQLAddress.bad("there is no name of a database") }
    }

    static func bad(_ reason: String) -> StorageError { StorageError(.badURL, at: "database URL mysql://…", reason) }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "%"):
            true
        default: false
        }
    }

    private static func decoded(_ text: Substring, _ what: String) throws(StorageError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else {
                throw bad("in the \(what) stands a % without two hexadecimal digits; write % itself as %25")
            }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else { throw bad("the \(what) is no UTF-8") }
        return decoded
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8(truncatingIfNeeded: $0) }
    }
}
