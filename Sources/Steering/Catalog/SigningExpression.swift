/// What is signed of a link: a text with variables, as in `secure_link_md5` of nginx.
public struct SigningExpression: Sendable, Hashable {
    /// As it was written; never holds a key.
    public let text: String
    public let pieces: [Piece]

    public enum Piece: Sendable, Hashable {
        case literal([UInt8])
        /// When the link expires, in seconds since 1970-01-01 UTC.
        case expires
        /// The path as nginx has it: decoded, with one slash where several follow each other.
        case uri
        /// The same up to its last slash.
        case directory
        /// The path as it stands in the URL.
        case path
        /// The client's address.
        case address
        /// The value of the first parameter of this name, letter case apart, as it stands in the URL.
        case argument([UInt8])
        /// The key.
        case secret
    }

    /// Variables by their names.
    private static let variables: [String: Piece] = [
        "secure_link_expires": .expires, "arg_expires": .expires, "expires": .expires, "uri": .uri, "directory": .directory, "path": .path,
        "remote_addr": .address, "secret": .secret,
    ]

    static let names = "$secure_link_expires, $uri, $directory, $path, $remote_addr, $arg_NAME and $secret"

    init() { (text, pieces) = ("", []) }

    /// - Parameter text: with variables as `$name` or `${name}`.
    /// - Returns: nil for an unknown variable, and for what a configuration file could not have between quotes.
    init?(_ text: String) {
        guard (1...512).contains(text.utf8.count), text.utf8.allSatisfy({ (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }) else {
            return nil
        }
        var pieces: [Piece] = []
        var literal: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "$") else {
                literal.append(byte)
                continue
            }
            guard let piece = SigningExpression.variable(&rest) else { return nil }
            if !literal.isEmpty { pieces.append(.literal(literal)) }
            literal = []
            pieces.append(piece)
        }
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        self.text = text
        self.pieces = pieces
    }

    /// Takes the name that follows a `$`.
    private static func variable(_ rest: inout Substring.UTF8View) -> Piece? {
        let isBraced = rest.first == UInt8(ascii: "{")
        if isBraced { rest.removeFirst() }
        let name = rest.prefix { URLByte.isAlphanumeric($0) || $0 == UInt8(ascii: "_") }
        rest = rest[name.endIndex...]
        if isBraced, rest.popFirst() != UInt8(ascii: "}") { return nil }
        let text = String(decoding: name, as: UTF8.self)
        if let piece = variables[text] { return piece }
        return text.hasPrefix("arg_") && text.utf8.count > 4 ? .argument(Array(text.utf8.dropFirst(4).map(URLByte.lowercased))) : nil
    }
}
