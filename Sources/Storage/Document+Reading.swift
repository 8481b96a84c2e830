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
        // Foundation's parser also takes UTF-16 and UTF-32, whose ASCII has zero bytes, and a comma before a closing bracket.
        guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else {
            throw JSONSyntaxError(description: "the text is not UTF-8")
        }
        if let offset = Document.danglingComma(bytes) {
            throw JSONSyntaxError(description: "not valid JSON: a comma before a closing bracket at \(Document.place(offset, in: bytes))")
        }
        do {
            self = try JSONDecoder().decode(Document.self, from: Data(bytes))
        } catch {
            throw JSONSyntaxError(description: "not valid JSON: \(Document.reason(bytes, error))")
        }
    }

    /// Where a comma stands with nothing but white space between it and a closing bracket; nil when there is none.
    private static func danglingComma(_ bytes: [UInt8]) -> Int? {
        var isInString = false
        var isEscaped = false
        var comma: Int?
        for (offset, byte) in bytes.enumerated() {
            if isInString {
                if !isEscaped, byte == UInt8(ascii: "\"") { isInString = false }
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
                continue
            }
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): continue
            case UInt8(ascii: "]"), UInt8(ascii: "}"): if let comma { return comma }
            case UInt8(ascii: "\""): isInString = true
            default: break
            }
            comma = byte == UInt8(ascii: ",") ? offset : nil
        }
        return nil
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
    static func place(_ offset: Int, in bytes: [UInt8]) -> String {
        let before = bytes[..<offset]
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        return "line \(line), column \(String(decoding: before[start...], as: UTF8.self).count + 1)"
    }
}
