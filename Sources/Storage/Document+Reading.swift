import Foundation
public import Steering

/// A text that is not JSON.
public struct JSONSyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong and, as far as the parser tells, at which line and column.
    public let description: String
}

extension Document {
    /// Longer texts are refused; the largest valid catalog is far smaller.
    public static let longestText = 16 << 20

    /// Reads JSON text (RFC 8259) in UTF-8 with Foundation's parser. Members come in alphabetical order; of equal keys only one is kept.
    public init(json bytes: [UInt8]) throws(JSONSyntaxError) {
        guard bytes.count <= Document.longestText else {
            throw JSONSyntaxError(description: "the text has \(bytes.count) bytes; at most \(Document.longestText) are read")
        }
        guard bytes.contains(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) else {
            throw JSONSyntaxError(description: "the text is empty; expected a JSON value")
        }
        do {
            self = try JSONDecoder().decode(Document.self, from: Data(bytes))
        } catch {
            throw JSONSyntaxError(description: "not valid JSON: \(Document.reason(bytes, error))")
        }
    }

    /// On Linux `JSONDecoder` keeps its parser's words to itself; `JSONSerialization` says what it met and at which byte.
    private static func reason(_ bytes: [UInt8], _ decoderError: any Error) -> String {
        do {
            _ = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
        } catch {
            guard let words = (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String else { return "\(error)" }
            let parts = words.split(separator: " character ")
            guard parts.count == 2, let offset = Int(parts[1].prefix { $0.isASCII && $0.isNumber }), offset <= bytes.count else {
                return words
            }
            return "\(parts[0]) \(place(offset, in: bytes))"
        }
        guard case .dataCorrupted(let context)? = decoderError as? DecodingError else { return "\(decoderError)" }
        return context.debugDescription
    }

    /// Line and column, counted from 1, the column in characters.
    private static func place(_ offset: Int, in bytes: [UInt8]) -> String {
        let before = bytes[..<offset]
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        return "line \(line), column \(String(decoding: before[start...], as: UTF8.self).count + 1)"
    }
}
