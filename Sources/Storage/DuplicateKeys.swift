import Foundation
public import Steering

extension Document {
    /// Reads JSON text that people or other programs wrote. A byte order mark is passed over (RFC 8259 §8.1); an object with two members of
    /// one name is refused, for parsers differ in which of them they keep (§4).
    public init(foreign bytes: [UInt8]) throws(JSONSyntaxError) {
        let bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
        try self.init(json: bytes)
        var search = DuplicateKeys()
        search.read(bytes)
        if let found = search.found {
            throw JSONSyntaxError(
                description: "two values for \(found.pointer) (the second at \(Document.place(found.offset, in: bytes))); keep one")
        }
    }
}

/// Looks for the first member whose name its object already has, in text that is known to be valid JSON.
struct DuplicateKeys {
    /// The member's pointer (RFC 6901), and where its second name begins.
    private(set) var found: (pointer: String, offset: Int)?

    private enum Level {
        case object(keys: Set<String>, current: String)
        case array(index: Int)

        var token: String {
            switch self {
            case .object(_, let current): Fault.escaped(current)
            case .array(let index): String(index)
            }
        }
    }

    private var levels: [Level] = []
    /// Whether a text that begins here is a member's name.
    private var expectsKey = false

    mutating func read(_ bytes: [UInt8]) {
        var offset = 0
        while offset < bytes.count, found == nil {
            switch bytes[offset] {
            case UInt8(ascii: "\""):
                let end = DuplicateKeys.end(of: bytes, from: offset)
                if expectsKey { add(DuplicateKeys.text(bytes[offset..<end]), at: offset) }
                expectsKey = false
                offset = end
                continue
            case UInt8(ascii: "{"):
                levels.append(.object(keys: [], current: ""))
                expectsKey = true
            case UInt8(ascii: "["): levels.append(.array(index: 0))
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                levels.removeLast()
                expectsKey = false
            case UInt8(ascii: ","): next()
            default: break
            }
            offset += 1
        }
    }

    private mutating func next() {
        switch levels.popLast() {
        case .array(let index)?: levels.append(.array(index: index + 1))
        case let object?:
            levels.append(object)
            expectsKey = true
        case nil: break
        }
    }

    private mutating func add(_ key: String, at offset: Int) {
        guard case .object(var keys, _)? = levels.popLast() else { return }
        let isNew = keys.insert(key).inserted
        levels.append(.object(keys: keys, current: key))
        if !isNew { found = (levels.map { "/" + $0.token }.joined(), offset) }
    }

    /// After the closing quote.
    private static func end(of bytes: [UInt8], from start: Int) -> Int {
        var offset = start + 1
        while offset < bytes.count, bytes[offset] != UInt8(ascii: "\"") { offset += bytes[offset] == UInt8(ascii: "\\") ? 2 : 1 }
        return min(offset + 1, bytes.count)
    }

    /// `"\u0061"` and `"a"` are one name.
    private static func text(_ literal: ArraySlice<UInt8>) -> String {
        guard literal.contains(UInt8(ascii: "\\")), let text = try? JSONDecoder().decode(String.self, from: Data(literal)) else {
            return String(decoding: literal.dropFirst().dropLast(), as: UTF8.self)
        }
        return text
    }
}
