/// The attribute list of a tag (RFC 8216 §4.2), with where each part stands in its line.
struct AttributeList {
    struct Attribute {
        let name: [UInt8]
        /// Without its quotes.
        let value: [UInt8]
        let isQuoted: Bool
    }

    private(set) var attributes: [Attribute] = []

    /// - Throws: `malformed` for what is no list, or has a name twice.
    init(_ text: ArraySlice<UInt8>) throws(Manifest.Refusal) {
        var rest = text
        while true {
            rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
            if rest.isEmpty { return }
            guard let equals = rest.firstIndex(of: UInt8(ascii: "=")) else { throw .malformed }
            let name = Array(rest[..<equals])
            guard !name.isEmpty, name.allSatisfy(AttributeList.isNameByte), self[name] == nil else { throw .malformed }
            rest = rest[(equals + 1)...]
            let isQuoted = rest.first == UInt8(ascii: "\"")
            let value: ArraySlice<UInt8>
            if isQuoted {
                guard let quote = rest.dropFirst().firstIndex(of: UInt8(ascii: "\"")) else { throw .malformed }
                value = rest[(rest.startIndex + 1)..<quote]
                rest = rest[(quote + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
                guard rest.isEmpty || rest.first == UInt8(ascii: ",") else { throw .malformed }
            } else {
                let end = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.endIndex
                value = rest[..<end]
                rest = rest[end...]
                guard !value.isEmpty, !value.contains(UInt8(ascii: "\"")) else { throw .malformed }
            }
            attributes.append(Attribute(name: name, value: Array(value), isQuoted: isQuoted))
            rest = rest.dropFirst()
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte &- 0x41 < 26 || byte &- 0x61 < 26 || byte &- 0x30 < 10 || byte == UInt8(ascii: "-")
    }

    private subscript(_ name: [UInt8]) -> Attribute? { attributes.first { $0.name == name } }

    subscript(name: String) -> Attribute? { self[Array(name.utf8)] }

    /// The value of an attribute that has to be quoted; nil when it is absent.
    func quoted(_ name: String) throws(Manifest.Refusal) -> [UInt8]? {
        guard let attribute = self[name] else { return nil }
        guard attribute.isQuoted else { throw .malformed }
        return attribute.value
    }
}
