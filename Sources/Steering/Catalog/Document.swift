/// A JSON-shaped value, whatever text it came from.
///
/// The decoders of others (JSON, YAML) parse the text; `Catalog` reads the tree and names every fault in it. `Codable` alone
/// would stop at the first fault and pass over unknown keys.
public enum Document: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([Document])
    case object([Member])

    /// One `key: value` of an object, in the order it is written.
    public struct Member: Sendable, Equatable {
        public let key: String
        public let value: Document

        public init(_ key: String, _ value: Document) {
            self.key = key
            self.value = value
        }
    }

    /// What a person calls this kind of value; used in fault messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): value.utf8.count <= 80 ? "\"\(value)\"" : "a string of \(value.utf8.count) bytes"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// The value of an object's member; nil when this is no object or has no such member.
    public subscript(key: String) -> Document? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }
}

extension Document: Decodable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// - Throws: the decoder's own error when the text is no value of JSON's kinds.
    public init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: Key.self) {
            // Decoders give the keys in no order of theirs; sorting makes two readings of one text equal.
            let keys = container.allKeys.sorted { $0.stringValue < $1.stringValue }
            self = .object(try keys.map { Member($0.stringValue, try container.decode(Document.self, forKey: $0)) })
        } else if var container = try? decoder.unkeyedContainer() {
            var values: [Document] = []
            while !container.isAtEnd { values.append(try container.decode(Document.self)) }
            self = .array(values)
        } else {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let value = try? container.decode(Bool.self) {
                self = .bool(value)
            } else if let value = try? container.decode(Int.self) {
                self = .integer(value)
            } else if let value = try? container.decode(Double.self) {
                self = .number(value)
            } else {
                self = .string(try container.decode(String.self))
            }
        }
    }
}
