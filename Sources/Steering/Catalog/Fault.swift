/// One thing that is wrong with a catalog, said so that its writer can mend it.
public struct Fault: Sendable, Equatable, CustomStringConvertible {
    /// Where, as a JSON Pointer (RFC 6901): `/cdns/0/weight`; empty for the whole document.
    public let pointer: String
    /// What is wrong and what would be accepted.
    public let message: String

    public init(_ pointer: String, _ message: String) {
        self.pointer = pointer
        self.message = message
    }

    /// A key as one reference token of a pointer (RFC 6901 §3).
    public static func escaped(_ key: String) -> String {
        var text = ""
        // By scalars: a character can be a slash with a combining mark on it.
        for scalar in key.unicodeScalars {
            switch scalar {
            case "~": text += "~0"
            case "/": text += "~1"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    public var description: String { "\(pointer.isEmpty ? "/" : pointer): \(message)" }
}

/// All that is wrong with a catalog; never empty.
public struct CatalogFaults: Error, Equatable, CustomStringConvertible {
    public let faults: [Fault]

    public init(_ faults: [Fault]) { self.faults = faults }

    /// One fault a line.
    public var description: String { faults.map(\.description).joined(separator: "\n") }
}
