import TLS

/// Checksums as the database and the state file write them.
enum Checksum {
    /// SHA-256 (FIPS 180-4) of the bytes, as 64 lower-case hexadecimal digits.
    static func sha256(of bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in Digest.sha256(bytes) {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func sha256(of text: String) -> String { sha256(of: Array(text.utf8)) }

    /// 128 random bits as 32 lower-case hexadecimal digits.
    static func randomID() -> String {
        var generator = SystemRandomNumberGenerator()
        return String(decoding: (0..<32).map { _ in digits.randomElement(using: &generator) ?? digits[0] }, as: UTF8.self)
    }

    private static let digits = [UInt8]("0123456789abcdef".utf8)
}
