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

        init() {
            name = TicketKeys.random(16)
            cipher = TicketKeys.random(32)
            mac = TicketKeys.random(32)
        }
    }

    /// How long a ticket is good for, in seconds.
    static let lifetime = 24 * 60 * 60
    /// After that time keys are to be rotated, in seconds.
    public static let rotation = 12 * 60 * 60
    private static let kept = 1 + lifetime / rotation

    public init() { keys = [Key()] }

    private init(_ keys: [Key]) { self.keys = keys }

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
