import CNIOBoringSSL
import NIOSSL

/// Keys of session tickets (RFC 5077 §4, RFC 8446 §4.6.1), which all workers share: the newest seals, the others still open.
///
/// Who gets hold of one reads what was recorded of TLS 1.2 sessions that it sealed, so keys go.
public struct TicketKeys: Sendable {
    /// Newest first.
    fileprivate let keys: [Key]

    fileprivate struct Key: Sendable {
        let name: [UInt8]
        let cipher: [UInt8]
        let mac: [UInt8]

        init() { self.init(TicketKeys.random(80)) }

        /// - Parameter bytes: 80.
        private init(_ bytes: [UInt8]) {
            name = Array(bytes[0..<16])
            cipher = Array(bytes[16..<48])
            mac = Array(bytes[48..<80])
        }

        /// The same in each balancer that has the secret, which itself is in no ticket (HKDF, RFC 5869).
        init(secret: [UInt8]) {
            let label = Array("video-balancer ticket key".utf8)
            self.init(
                unsafe [UInt8](unsafeUninitializedCapacity: 80) { bytes, count in
                    // unsafe, as the arrays are: it reads as many bytes as they have, and writes the 80 that there is room for.
                    _ = unsafe HKDF(bytes.baseAddress, 80, EVP_sha256(), secret, secret.count, nil, 0, label, label.count)
                    count = 80
                })
        }
    }

    /// How long a ticket is good for, in seconds.
    static let lifetime = 24 * 60 * 60
    /// After that time keys are to be rotated, in seconds.
    public static let rotation = 12 * 60 * 60
    private static let kept = 1 + lifetime / rotation

    /// Of one balancer alone, as random as the system can.
    public init() { keys = [Key()] }

    /// Most secrets in a file: more are not rotation, and each is tried for a ticket of none.
    static let maximumSecrets = 16
    /// Bytes of a secret, as `openssl rand -hex 32` makes it.
    private static let secretLength = 32

    /// Those of a fleet: each line of `text` is a secret of 32 bytes in hexadecimal digits. Empty lines and comments (#) are passed over.
    ///
    /// - Parameter place: what the text is called in errors, mostly a path. No error shows a byte of a secret.
    public init(_ text: [UInt8], at place: String) throws(TLSError) {
        let advice = "write 64 hexadecimal digits, as `openssl rand -hex 32` makes them"
        var secrets: [[UInt8]] = []
        for (number, line) in String(decoding: text, as: UTF8.self).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            .enumerated()
        {
            // A byte order mark is none of a key: editors write one.
            let line = line.drop { $0.isWhitespace || $0 == "\u{FEFF}" }
            if line.isEmpty || line.first == "#" { continue }
            guard let secret = TicketKeys.bytes(line) else { throw TLSError("\(place): line \(number + 1) is no key; \(advice)") }
            if let other = secrets.firstIndex(of: secret) {
                throw TLSError("\(place): line \(number + 1) repeats key \(other + 1); make another by `openssl rand -hex 32`")
            }
            secrets.append(secret)
        }
        if secrets.isEmpty { throw TLSError("\(place) has no key; \(advice)") }
        if secrets.count > TicketKeys.maximumSecrets {
            throw TLSError(
                "\(place) has \(secrets.count) keys, and at most \(TicketKeys.maximumSecrets) are taken; remove the oldest, at its end")
        }
        keys = secrets.map { Key(secret: $0) }
    }

    private static func bytes(_ line: Substring) -> [UInt8]? {
        let digits = line.reversed().drop(while: \.isWhitespace).reversed().map(\.hexDigitValue)
        guard digits.count == 2 * secretLength else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[index], let low = digits[index + 1] else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return bytes
    }

    private init(_ keys: [Key]) { self.keys = keys }

    /// Tells the key that seals from others: the start of its name, which every ticket has in the clear, in eight hexadecimal digits.
    public var generation: String {
        keys[0].name.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// How many there are: one seals, all open.
    public var count: Int { keys.count }

    /// With a new key, and without the one whose tickets are over.
    public func rotated() -> TicketKeys { TicketKeys([Key()] + keys.prefix(TicketKeys.kept - 1)) }

    fileprivate static func random(_ count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { bytes, initialized in
            // It fills what it is given, and ends the process where the system has no randomness.
            _ = unsafe RAND_bytes(bytes.baseAddress, count)
            initialized = count
        }
    }
}

/// What contexts ask for their keys.
final class TicketSealer: Sendable {
    private let keys: [TicketKeys.Key]

    init(_ keys: TicketKeys) { self.keys = keys.keys }

    /// Sets up ciphers for a new ticket, with its name and initialization vector.
    func seal(
        _ name: UnsafeMutablePointer<UInt8>, _ vector: UnsafeMutablePointer<UInt8>, _ cipher: UnsafeMutablePointer<EVP_CIPHER_CTX>,
        _ mac: UnsafeMutablePointer<HMAC_CTX>
    ) -> CInt {
        let key = keys[0]
        // The library has room for 16 bytes of each.
        unsafe name.update(from: key.name, count: 16)
        _ = unsafe RAND_bytes(vector, 16)
        let isReady =
            unsafe EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nil, key.cipher, vector) == 1
            && HMAC_Init_ex(mac, key.mac, key.mac.count, EVP_sha256(), nil) == 1
        return isReady ? 1 : -1
    }

    /// Sets up ciphers for a ticket that a client has brought.
    ///
    /// - Returns: 0 when no key has the name, 2 when the ticket is to be renewed.
    func open(
        _ name: UnsafePointer<UInt8>, _ vector: UnsafePointer<UInt8>, _ cipher: UnsafeMutablePointer<EVP_CIPHER_CTX>,
        _ mac: UnsafeMutablePointer<HMAC_CTX>
    ) -> CInt {
        // A name has 16 bytes.
        let name = unsafe UnsafeBufferPointer(start: name, count: 16)
        guard let index = keys.firstIndex(where: { unsafe $0.name.elementsEqual(name) }) else { return 0 }
        let key = keys[index]
        let isReady =
            unsafe EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nil, key.cipher, vector) == 1
            && HMAC_Init_ex(mac, key.mac, key.mac.count, EVP_sha256(), nil) == 1
        return isReady ? (index == 0 ? 1 : 2) : -1
    }
}
