public import Steering
public import TLS

/// A key that signs links, and the one that takes over from it. docs/signing.md has the form of its file.
public struct SigningKey: Sendable {
    public let current: Secret
    public let next: Secret?
    /// From when on `next` signs, in seconds since 1970-01-01 UTC; without one never.
    public let switches: Int

    /// Longest file, in bytes.
    public static let maximumBytes = 16 * 1024

    /// Why a file is no key: one line that says what to do, and nothing of its content.
    public struct Fault: Error, CustomStringConvertible, Equatable {
        public let description: String

        public init(_ description: String) { self.description = description }
    }

    /// - Parameter file: a key alone, or lines `current KEY`, `next KEY` and `switch TIME`. Lines that begin with `#` are comments.
    public init(_ file: borrowing Span<UInt8>) throws(Fault) {
        var lines = try Lines(file)
        if lines.current == nil, lines.next == nil, lines.switches == nil, let only = lines.only {
            lines.current = only
        } else if lines.only != nil {
            throw Fault("has a line that is neither \"current KEY\", \"next KEY\" nor \"switch TIME\"")
        }
        guard let current = lines.current else {
            let isEmpty = lines.next == nil && lines.switches == nil
            throw Fault(
                isEmpty
                    ? "is empty: write the key into it, or make one with `video-balancer signing-key create`"
                    : "has no line \"current KEY\"")
        }
        if (lines.next == nil) != (lines.switches == nil) {
            throw Fault(
                lines.next == nil
                    ? "has a line \"switch TIME\", but none \"next KEY\" that would take over then"
                    : "has a line \"next KEY\", but none \"switch TIME\" that says when it takes over")
        }
        self.current = Secret(file.extracting(current))
        next = lines.next.map { Secret(file.extracting($0)) }
        switches = lines.switches ?? .max
    }

    /// What stands where in a file.
    private struct Lines {
        var current: Range<Int>?
        var next: Range<Int>?
        var switches: Int?
        /// Of a line without a word before it.
        var only: Range<Int>?

        init(_ file: borrowing Span<UInt8>) throws(Fault) {
            guard file.count <= SigningKey.maximumBytes else { throw Fault("is larger than a key can be") }
            var start = 0
            // A byte order mark, as some editors write.
            if file.count >= 3, file[0] == 0xEF, file[1] == 0xBB, file[2] == 0xBF { start = 3 }
            while start < file.count {
                var end = start
                while end < file.count, file[end] != 0x0A { end += 1 }
                try take(file, Lines.trimmed(file, start..<end))
                start = end + 1
            }
        }

        private mutating func take(_ file: borrowing Span<UInt8>, _ line: Range<Int>) throws(Fault) {
            if line.isEmpty || file[line.lowerBound] == UInt8(ascii: "#") { return }
            if Lines.begins(file, line, "-----BEGIN") {
                throw Fault("is a private key (PEM); the schemes that there are take a text or hexadecimal digits")
            }
            var end = line.lowerBound
            while end < line.upperBound, file[end] > 0x20 { end += 1 }
            let word = line.lowerBound..<end
            let rest = Lines.trimmed(file, end..<line.upperBound)
            for index in line where !(0x20...0x7E).contains(file[index]) && file[index] != 0x09 {
                throw Fault("has bytes that are no visible ASCII characters: is it another kind of file?")
            }
            if rest.isEmpty {
                if only != nil { throw Fault("has two keys; name them: \"current KEY\" and \"next KEY\"") }
                only = word
                return
            }
            for index in rest where file[index] <= 0x20 { throw Fault("has a line of three words; a key has no spaces") }
            if Lines.begins(file, word, "current"), word.count == 7, current == nil {
                current = rest
            } else if Lines.begins(file, word, "next"), word.count == 4, next == nil {
                next = rest
            } else if Lines.begins(file, word, "switch"), word.count == 6, switches == nil {
                guard let second = Timestamp.second(file, rest) else {
                    throw Fault("has a line \"switch TIME\" whose time is not like 2026-12-01T03:00:00Z")
                }
                switches = second
            } else {
                throw Fault("has a line that is none, or the second, of \"current KEY\", \"next KEY\" and \"switch TIME\"")
            }
        }

        private static func begins(_ file: borrowing Span<UInt8>, _ range: Range<Int>, _ text: StaticString) -> Bool {
            file.begins(with: text, in: range)
        }

        private static func trimmed(_ file: borrowing Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
            var (start, end) = (range.lowerBound, range.upperBound)
            while start < end, file[start] == 0x20 || file[start] == 0x09 { start += 1 }
            while end > start, file[end - 1] == 0x20 || file[end - 1] == 0x09 || file[end - 1] == 0x0D { end -= 1 }
            return start..<end
        }
    }

    /// Why a scheme cannot sign with it; nil when it can.
    public func fault(for scheme: LinkSigning.Scheme) -> String? {
        let secrets = [(current, "the key")] + (next.map { [($0, "the next key")] } ?? [])
        for (secret, name) in secrets {
            if let fault = SigningKey.fault(secret, for: scheme) { return "\(name) \(fault)" }
        }
        return nil
    }

    private static func fault(_ secret: Secret, for scheme: LinkSigning.Scheme) -> String? {
        if scheme == .akamai {
            guard secret.isHexadecimal else { return "must be hexadecimal digits, two for each byte, as Akamai's console makes it" }
            return secret.count < 24 ? "has \(secret.count) hexadecimal digits; fewer than 24 can be guessed" : nil
        }
        if secret.count < 16 { return "has \(secret.count) characters; fewer than 16 can be guessed" }
        return scheme == .gcore && secret.count > 32 ? "has \(secret.count) characters; Gcore takes at most 32" : nil
    }

    /// A new key: 32 hexadecimal digits, which every scheme takes. Whoever has it wipes it.
    public static func random() -> [UInt8] {
        var bytes = Secret.random(16)
        defer { Secret.wipe(&bytes) }
        return bytes.flatMap { [HexDigit.lower($0 >> 4), HexDigit.lower($0 & 15)] }
    }

    /// Seconds since 1970-01-01 UTC of a time as a key's file has it; nil for another text.
    public static func second(_ time: String) -> Int? {
        let bytes = Array(time.utf8)
        return Timestamp.second(bytes.span, 0..<bytes.count)
    }

    /// Some digits by which two balancers see that they have the same key, without telling it.
    public static func fingerprint(_ secret: Secret) -> String {
        var code = HMACSHA256(HMACKey(secret))
        code.add(Array("video-balancer signing key".utf8).span)
        let digest = code.finish()
        return (0..<4).map { String(digest[$0] >> 4, radix: 16) + String(digest[$0] & 15, radix: 16) }.joined()
    }
}

extension Secret {
    fileprivate var isHexadecimal: Bool {
        withBytes { bytes in
            for index in 0..<bytes.count where HexDigit.value(bytes[index]) == nil { return false }
            return bytes.count % 2 == 0
        }
    }

    /// What its hexadecimal digits stand for; itself when they are none.
    var decodedHex: Secret {
        guard isHexadecimal else { return self }
        return withBytes { digits in
            var bytes = [UInt8](repeating: 0, count: digits.count / 2)
            defer { Secret.wipe(&bytes) }
            for index in bytes.indices {
                bytes[index] = (HexDigit.value(digits[2 * index]) ?? 0) << 4 | (HexDigit.value(digits[2 * index + 1]) ?? 0)
            }
            return Secret(bytes.span)
        }
    }
}

enum HexDigit {
    static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte &- 0x30
        case 0x41...0x46, 0x61...0x66: (byte | 0x20) &- 0x61 &+ 10
        default: nil
        }
    }

    static func lower(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x57 &+ value }
    static func upper(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x37 &+ value }
}
