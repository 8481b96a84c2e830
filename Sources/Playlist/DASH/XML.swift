/// XML as far as a manifest needs it: tags, attributes, and where they stand (XML 1.0 §2, §3). Nothing is resolved or expanded: a document
/// type is refused, and with it all entities but the predefined.
struct XML {
    /// Elements within elements.
    static let deepest = 64
    /// Attributes of one element.
    static let maximumAttributes = 256

    struct Attribute {
        let name: ArraySlice<UInt8>
        /// As it stands between its quotes.
        let value: ArraySlice<UInt8>
        /// White space before the name included.
        let range: Range<Int>
    }

    enum Token {
        case start(Tag)
        case end(name: ArraySlice<UInt8>, Range<Int>)
        case text(Range<Int>)
        /// Of a CDATA section.
        case data(Range<Int>)
    }

    struct Tag {
        let name: ArraySlice<UInt8>
        let attributes: [Attribute]
        let isEmpty: Bool
        let range: Range<Int>

        subscript(_ name: String) -> ArraySlice<UInt8>? { attributes.first { $0.name.elementsEqual(name.utf8) }?.value }
    }

    let text: [UInt8]
    private var index = 0

    init(_ text: [UInt8]) { self.text = text }

    /// The next tag or text; comments and processing instructions are passed over. Nil at the end.
    mutating func next() throws(Manifest.Refusal) -> Token? {
        while index < text.count {
            guard text[index] == UInt8(ascii: "<") else { return .text(takeText()) }
            if try skips("<!--", to: "-->") { continue }
            if has("<?") {
                try checkEncoding()
                _ = try skips("<?", to: "?>")
                continue
            }
            if has("<![CDATA[") {
                let start = index + 9
                _ = try skips("<![CDATA[", to: "]]>")
                return .data(start..<index - 3)
            }
            if has("<!") { throw .documentType }
            return has("</") ? try takeEnd() : .start(try takeStart())
        }
        return nil
    }

    private func has(_ prefix: String) -> Bool { text[index...].starts(with: prefix.utf8) }

    private mutating func takeText() -> Range<Int> {
        let start = index
        index = text[index...].firstIndex(of: UInt8(ascii: "<")) ?? text.count
        return start..<index
    }

    private mutating func skips(_ opening: String, to closing: String) throws(Manifest.Refusal) -> Bool {
        guard has(opening) else { return false }
        let bytes = Array(closing.utf8)
        var end = index + opening.utf8.count
        while end + bytes.count <= text.count {
            if text[end] == bytes[0], text[end..<end + bytes.count].elementsEqual(bytes) {
                index = end + bytes.count
                return true
            }
            end += 1
        }
        throw .malformed
    }

    /// The declaration at the beginning may say an encoding, which has to be the one that it is read by.
    private func checkEncoding() throws(Manifest.Refusal) {
        guard index == 0, has("<?xml") else { return }
        let declaration = String(decoding: text.prefix(256).prefix { $0 != UInt8(ascii: ">") }, as: UTF8.self).lowercased()
        guard let start = declaration.utf8.firstRange(of: "encoding") else { return }
        let value = declaration.utf8[start...].filter { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        let isKnown = ["utf-8", "utf8", "us-ascii"].contains { name in
            value.starts(with: "=\"\(name)\"".utf8) || value.starts(with: "='\(name)'".utf8)
        }
        if !isKnown { throw .notText }
    }

    private mutating func takeEnd() throws(Manifest.Refusal) -> Token {
        let start = index
        index += 2
        let name = try takeName()
        skipSpace()
        guard index < text.count, text[index] == UInt8(ascii: ">") else { throw .malformed }
        index += 1
        return .end(name: name, start..<index)
    }

    private mutating func takeStart() throws(Manifest.Refusal) -> Tag {
        let start = index
        index += 1
        let name = try takeName()
        var attributes: [Attribute] = []
        while true {
            let before = index
            skipSpace()
            guard index < text.count else { throw .malformed }
            if text[index] == UInt8(ascii: ">") {
                index += 1
                return Tag(name: name, attributes: attributes, isEmpty: false, range: start..<index)
            }
            if has("/>") {
                index += 2
                return Tag(name: name, attributes: attributes, isEmpty: true, range: start..<index)
            }
            guard index > before, attributes.count < XML.maximumAttributes else { throw .malformed }
            let attribute = try takeAttribute(from: before)
            guard !attributes.contains(where: { $0.name == attribute.name }) else { throw .malformed }
            attributes.append(attribute)
        }
    }

    private mutating func takeAttribute(from start: Int) throws(Manifest.Refusal) -> Attribute {
        let name = try takeName()
        skipSpace()
        guard index < text.count, text[index] == UInt8(ascii: "=") else { throw .malformed }
        index += 1
        skipSpace()
        guard index < text.count, text[index] == UInt8(ascii: "\"") || text[index] == UInt8(ascii: "'") else { throw .malformed }
        let quote = text[index]
        guard let end = text[(index + 1)...].firstIndex(of: quote) else { throw .malformed }
        let value = text[(index + 1)..<end]
        if value.contains(UInt8(ascii: "<")) { throw .malformed }
        index = end + 1
        return Attribute(name: name, value: value, range: start..<index)
    }

    private mutating func takeName() throws(Manifest.Refusal) -> ArraySlice<UInt8> {
        let start = index
        while index < text.count, !XML.endsName(text[index]) { index += 1 }
        guard index > start else { throw .malformed }
        return text[start..<index]
    }

    private static func endsName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ">"), UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: "<"), UInt8(ascii: "\""),
            UInt8(ascii: "'"), UInt8(ascii: "&"):
            true
        default: false
        }
    }

    private mutating func skipSpace() {
        while index < text.count, XML.isSpace(text[index]) { index += 1 }
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
}

extension XML {
    /// Appends text as the content of an element.
    static func append(_ text: some Sequence<UInt8>, to out: inout [UInt8]) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "&"): out += "&amp;".utf8
            case UInt8(ascii: "<"): out += "&lt;".utf8
            case UInt8(ascii: ">"): out += "&gt;".utf8
            default: out.append(byte)
            }
        }
    }

    private static let entities: [(String, UInt8)] = [
        ("amp", UInt8(ascii: "&")), ("lt", UInt8(ascii: "<")), ("gt", UInt8(ascii: ">")), ("quot", UInt8(ascii: "\"")),
        ("apos", UInt8(ascii: "'")),
    ]

    /// Text with its references undone; without white space around it.
    ///
    /// - Throws: `malformed` for a reference that is not predefined.
    static func unescaped(_ text: ArraySlice<UInt8>) throws(Manifest.Refusal) -> [UInt8] {
        var result: [UInt8] = []
        var rest = text
        while let ampersand = rest.firstIndex(of: UInt8(ascii: "&")) {
            result += rest[..<ampersand]
            guard let end = rest[ampersand...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else { throw .malformed }
            let name = String(decoding: rest[(ampersand + 1)..<end], as: UTF8.self)
            if let entity = entities.first(where: { $0.0 == name }) {
                result.append(entity.1)
            } else if let scalar = scalar(name) {
                result += String(Character(scalar)).utf8
            } else {
                throw .malformed
            }
            rest = rest[(end + 1)...]
        }
        result += rest
        while let last = result.last, isSpace(last) { result.removeLast() }
        return Array(result.drop(while: isSpace))
    }

    private static func scalar(_ name: String) -> Unicode.Scalar? {
        guard name.utf8.first == UInt8(ascii: "#") else { return nil }
        let digits = name.dropFirst()
        let number = digits.first == "x" ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        return number.flatMap(Unicode.Scalar.init)
    }
}

extension String.UTF8View {
    /// Where the bytes behind a text begin.
    fileprivate func firstRange(of text: String) -> Index? {
        var start = startIndex
        while start < endIndex {
            if self[start...].starts(with: text.utf8) { return self.index(start, offsetBy: text.utf8.count) }
            start = index(after: start)
        }
        return nil
    }
}
