import Steering

/// What stands where in the file of a key.
struct KeyLines {
    typealias Fault = SigningKey.Fault

    var current = Place()
    var next = Place()
    var switches: Int?
    /// Of a line without a word before it.
    var only: Range<Int>?
    /// What lines of a private key are about.
    private var isNext = false

    /// One key.
    struct Place {
        var text: Range<Int>?
        /// From BEGIN to END.
        var pem: Range<Int>?
        var id: Range<Int>?

        var isEmpty: Bool { text == nil && pem == nil }
    }

    init(_ file: borrowing Span<UInt8>) throws(Fault) {
        guard file.count <= SigningKey.maximumBytes else { throw Fault("is larger than a key can be") }
        var start = 0
        // A byte order mark, as some editors write.
        if file.count >= 3, file[0] == 0xEF, file[1] == 0xBB, file[2] == 0xBF { start = 3 }
        while start < file.count {
            let line = KeyLines.trimmed(file, start..<KeyLines.end(file, start))
            if file.begins(with: "-----BEGIN", in: line) {
                start = try takePEM(file, line, from: start)
            } else {
                try take(file, line)
                start = KeyLines.end(file, start) + 1
            }
        }
        if current.id != nil && current.pem == nil || next.id != nil && next.pem == nil {
            throw Fault("has a line \"id NAME\", but no private key (PEM) that it would be about")
        }
    }

    /// - Returns: where the next line begins.
    private mutating func takePEM(_ file: borrowing Span<UInt8>, _ first: Range<Int>, from start: Int) throws(Fault) -> Int {
        var from = start
        var last = first
        while !file.begins(with: "-----END", in: last) {
            from = KeyLines.end(file, from) + 1
            guard from < file.count else { throw Fault("has a private key (PEM) that is cut off: there is no line END") }
            last = KeyLines.trimmed(file, from..<KeyLines.end(file, from))
        }
        let name = KeyLines.text(file, first)
        // What `openssl ecparam` writes before the key itself.
        if name.contains("PARAMETERS") { return KeyLines.end(file, from) + 1 }
        if name.contains("PUBLIC KEY") || name.contains("CERTIFICATE") {
            throw Fault("has a public key or a certificate; what signs is the private key: BEGIN PRIVATE KEY")
        }
        let block = first.lowerBound..<last.upperBound
        let second = KeyLines.end(file, start) + 1
        if name.contains("ENCRYPTED") || file.begins(with: "Proc-Type", in: min(second, block.upperBound)..<block.upperBound) {
            throw Fault("has an encrypted private key; write it without a password: openssl pkey -in OLD -out NEW, and keep that 0600")
        }
        var place = isNext ? next : current
        guard place.isEmpty, only == nil else { throw Fault("has two keys; the second stands behind a line \"next\"") }
        place.pem = block
        if isNext { next = place } else { current = place }
        return KeyLines.end(file, from) + 1
    }

    private mutating func take(_ file: borrowing Span<UInt8>, _ line: Range<Int>) throws(Fault) {
        if line.isEmpty || file[line.lowerBound] == UInt8(ascii: "#") { return }
        var end = line.lowerBound
        while end < line.upperBound, file[end] > 0x20 { end += 1 }
        let word = line.lowerBound..<end
        let rest = KeyLines.trimmed(file, end..<line.upperBound)
        for index in line where !(0x20...0x7E).contains(file[index]) && file[index] != 0x09 {
            throw Fault("has bytes that are no visible ASCII characters: is it another kind of file?")
        }
        if rest.isEmpty { return try takeWord(file, word) }
        for index in rest where file[index] <= 0x20 { throw Fault("has a line of three words; a key has no spaces") }
        if file.equals("current", in: word), current.isEmpty {
            current.text = rest
        } else if file.equals("next", in: word), next.isEmpty {
            next.text = rest
        } else if file.equals("id", in: word), (isNext ? next : current).id == nil {
            guard rest.count <= 64, rest.allSatisfy({ URLName.isByte(file[$0]) }) else {
                throw Fault("has a line \"id NAME\" whose name is none: 1 to 64 letters, digits, hyphens or underscores")
            }
            if isNext { next.id = rest } else { current.id = rest }
        } else if file.equals("switch", in: word), switches == nil {
            guard let second = Timestamp.second(file, rest) else {
                throw Fault("has a line \"switch TIME\" whose time is not like 2026-12-01T03:00:00Z")
            }
            switches = second
        } else {
            throw Fault("has a line that is none, or the second, of \"current KEY\", \"next KEY\", \"id NAME\" and \"switch TIME\"")
        }
    }

    /// A key's text, or the word before a private key.
    private mutating func takeWord(_ file: borrowing Span<UInt8>, _ word: Range<Int>) throws(Fault) {
        if file.equals("current", in: word) {
            isNext = false
        } else if file.equals("next", in: word) {
            isNext = true
        } else if only != nil {
            throw Fault("has two keys; name them: \"current KEY\" and \"next KEY\"")
        } else {
            only = word
        }
    }

    /// Where the line ends that begins there.
    private static func end(_ file: borrowing Span<UInt8>, _ start: Int) -> Int {
        var end = start
        while end < file.count, file[end] != 0x0A { end += 1 }
        return end
    }

    private static func text(_ file: borrowing Span<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: range.map { file[$0] }, as: UTF8.self)
    }

    private static func trimmed(_ file: borrowing Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, file[start] == 0x20 || file[start] == 0x09 { start += 1 }
        while end > start, file[end - 1] == 0x20 || file[end - 1] == 0x09 || file[end - 1] == 0x0D { end -= 1 }
        return start..<end
    }
}

/// Bytes of what a CDN calls a key: they go into links as they are.
private enum URLName {
    static func isByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D || byte == 0x5F
    }
}
