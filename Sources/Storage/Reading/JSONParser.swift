import Steering

/// Reads one JSON text (RFC 8259) in one pass.
///
/// Foundation's decoder tries kind after kind for each value and makes an error of each that it is not: a catalog of 100,000 numbers
/// took it seconds. It also takes commas before a bracket and lets one of two equal keys win.
struct JSONParser {
    /// Values in one another; a catalog needs six.
    static let deepest = 128

    private let bytes: [UInt8]
    private var index = 0

    /// - Parameter bytes: valid UTF-8.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // RFC 8259 §8.1 lets a reader pass over a byte order mark; editors on Windows write one.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
    }

    /// The whole text as one value. Members come in alphabetical order.
    mutating func document() throws(JSONSyntaxError) -> Document {
        let document = try value(depth: 0)
        skipSpace()
        guard index == bytes.count else { throw unexpected("the end of the text") }
        return document
    }

    private mutating func value(depth: Int) throws(JSONSyntaxError) -> Document {
        guard depth < JSONParser.deepest else { throw fault("more than \(JSONParser.deepest) values stand in one another", at: index) }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return .object(try members(depth: depth))
        case UInt8(ascii: "["): return .array(try elements(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"): return try literal()
        default: return try number()
        }
    }

    private mutating func literal() throws(JSONSyntaxError) -> Document {
        if take("true") { return .bool(true) }
        if take("false") { return .bool(false) }
        if take("null") { return .null }
        throw unexpected("a value")
    }

    private mutating func elements(depth: Int) throws(JSONSyntaxError) -> [Document] {
        index += 1
        var elements: [Document] = []
        if taken(UInt8(ascii: "]")) { return elements }
        repeat { elements.append(try value(depth: depth + 1)) } while taken(UInt8(ascii: ","))
        guard taken(UInt8(ascii: "]")) else { throw unexpected("a comma or ]") }
        return elements
    }

    private mutating func members(depth: Int) throws(JSONSyntaxError) -> [Document.Member] {
        let start = index
        index += 1
        var members: [Document.Member] = []
        if taken(UInt8(ascii: "}")) { return members }
        repeat {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
            let key = try string()
            guard taken(UInt8(ascii: ":")) else { throw unexpected("a colon") }
            members.append(Document.Member(key, try value(depth: depth + 1)))
        } while taken(UInt8(ascii: ","))
        guard taken(UInt8(ascii: "}")) else { throw unexpected("a comma or }") }
        members.sort { $0.key < $1.key }
        for next in members.indices.dropFirst() where members[next].key == members[next - 1].key {
            // Which of the two was meant nobody can tell (RFC 8259 §4).
            throw fault("the key \"\(members[next].key.prefix(80))\" stands twice in the object that begins", at: start)
        }
        return members
    }

    // MARK: Strings

    private mutating func string() throws(JSONSyntaxError) -> String {
        index += 1
        let start = index
        while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { index += 1 }
        if current == UInt8(ascii: "\"") {
            defer { index += 1 }
            return String(decoding: bytes[start..<index], as: UTF8.self)
        }
        var text = Array(bytes[start..<index])
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw fault("a control character stands in a string", at: index)
            default:
                text.append(byte)
                index += 1
            }
        }
        throw unexpected("a quotation mark")
    }

    /// RFC 8259 §7.
    private mutating func escape(into text: inout [UInt8]) throws(JSONSyntaxError) {
        let start = index
        index += 2
        let letter = start + 1 < bytes.count ? bytes[start + 1] : 0
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            guard let scalar = scalar() else { throw fault("no character is written so:", at: start) }
            text += String(Character(scalar)).utf8
        default: throw fault("no character is written so:", at: start)
        }
    }

    /// What follows `\u`, the second of a surrogate pair included; nil for a half of a pair.
    private mutating func scalar() -> Unicode.Scalar? {
        guard let first = hexadecimal() else { return nil }
        guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) }
        guard take("\\u"), let second = hexadecimal(), (0xDC00..<0xE000).contains(second) else { return nil }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private mutating func hexadecimal() -> UInt32? {
        guard index + 4 <= bytes.count else { return nil }
        var value: UInt32 = 0
        for byte in bytes[index..<index + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        index += 4
        return value
    }

    // MARK: Numbers

    /// Whole where its value is, so that `1.0` and `1e3` are taken where a whole number is asked for.
    private mutating func number() throws(JSONSyntaxError) -> Document {
        let start = index
        if current == UInt8(ascii: "-") { index += 1 }
        guard take("0") || skipDigits() else { throw unexpected(index == start ? "a value" : "a digit") }
        var isPlain = true
        if current == UInt8(ascii: ".") {
            isPlain = false
            index += 1
            guard skipDigits() else { throw unexpected("a digit") }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isPlain = false
            index += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { index += 1 }
            guard skipDigits() else { throw unexpected("a digit") }
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if isPlain, let whole = Int(text) { return .integer(whole) }
        guard let value = Double(text), value.isFinite else { throw fault("the number \(text.prefix(80)) is too large", at: start) }
        return Int(exactly: value).map(Document.integer) ?? .number(value)
    }

    private mutating func skipDigits() -> Bool {
        let start = index
        while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
        return index > start
    }

    // MARK: Bytes

    private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    /// Passes over white space, and over the byte if it comes then.
    private mutating func taken(_ byte: UInt8) -> Bool {
        skipSpace()
        guard current == byte else { return false }
        index += 1
        return true
    }

    private mutating func take(_ word: StaticString) -> Bool {
        let word = "\(word)".utf8
        guard bytes[index...].starts(with: word) else { return false }
        index += word.count
        return true
    }

    // MARK: Faults

    private func unexpected(_ wanted: String) -> JSONSyntaxError {
        index < bytes.count
            ? fault("expected \(wanted)", at: index)
            : JSONSyntaxError(description: "not valid JSON: the text ends where \(wanted) should stand")
    }

    private func fault(_ what: String, at offset: Int) -> JSONSyntaxError {
        JSONSyntaxError(description: "not valid JSON: \(what) at \(Document.place(min(offset, bytes.count), in: bytes))")
    }
}
