public import Steering

/// A text that is not JSON.
public struct JSONSyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, and at which line and column.
    public let description: String
}

extension Document {
    /// Longer texts are refused; the largest valid catalog is far smaller.
    public static let maximumText = 16 << 20

    /// Reads JSON text (RFC 8259) in UTF-8. Members come in alphabetical order; an object with two equal keys is refused.
    public init(json bytes: [UInt8]) throws(JSONSyntaxError) {
        guard bytes.count <= Document.maximumText else {
            throw JSONSyntaxError(description: "the text has \(bytes.count) bytes; at most \(Document.maximumText) are read")
        }
        guard bytes.contains(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) else {
            throw JSONSyntaxError(description: "the text is empty; expected a JSON value")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else { throw JSONSyntaxError(description: "the text is not UTF-8") }
        var parser = JSONParser(bytes)
        self = try parser.document()
    }

    /// Line and column, counted from 1, the column in characters.
    static func place(_ offset: Int, in bytes: [UInt8]) -> String {
        let before = bytes[..<offset]
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        return "line \(line), column \(String(decoding: before[start...], as: UTF8.self).count + 1)"
    }
}
