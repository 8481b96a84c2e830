import CNIOBoringSSL
import NIOSSL

/// A private key that signs texts for others, who have its public half. Any thread.
@safe public final class SignatureKey: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
    // Sendable unchecked: the library counts and locks, and the key is not changed once it is made. It wipes what it frees.
    private let pointer: OpaquePointer
    /// Nil for a kind that nobody here signs with.
    public let kind: Kind?
    /// Its size.
    public let bits: Int

    public enum Kind: String, Sendable, CaseIterable {
        case rsa
        /// On the curve P-256.
        case ecdsa
        case ed25519
    }

    /// What is signed of a text. Ed25519 has its own (RFC 8032).
    public enum Hash: Sendable { case sha1, sha256 }

    /// The longest signature, in bytes.
    public static let maximumSignature = 512

    /// - Parameter pem: one private key, not encrypted. Nothing of it is copied but by the library.
    public init(pem: borrowing Span<UInt8>) throws(TLSError) {
        defer { ERR_clear_error() }
        // The library reads the bytes during the call; a password is never asked for: there is nobody to answer.
        let read: OpaquePointer? = unsafe pem.withUnsafeBytes { bytes in
            let memory = unsafe BIO_new_mem_buf(bytes.baseAddress, bytes.count)
            defer { unsafe BIO_free(memory) }
            return unsafe PEM_read_bio_PrivateKey(memory, nil, { _, _, _, _ in 0 }, nil)
        }
        guard let pointer = unsafe read else { throw TLSError("is no private key that can be read") }
        unsafe self.pointer = unsafe pointer
        kind = unsafe SignatureKey.kind(of: pointer)
        bits = unsafe Int(EVP_PKEY_bits(pointer))
    }

    deinit { unsafe EVP_PKEY_free(pointer) }

    private static func kind(of key: OpaquePointer) -> Kind? {
        switch unsafe EVP_PKEY_id(key) {
        case EVP_PKEY_RSA: return .rsa
        case EVP_PKEY_ED25519: return .ed25519
        case EVP_PKEY_EC:
            let group = unsafe EC_KEY_get0_group(EVP_PKEY_get0_EC_KEY(key))
            return unsafe EC_GROUP_get_curve_name(group) == NID_X9_62_prime256v1 ? .ecdsa : nil
        default: return nil
        }
    }

    /// The signature of a text, as the key's kind has it (RSA by PKCS #1 v1.5, ECDSA in DER); nil when there is no memory for it.
    public func sign(_ text: borrowing Span<UInt8>, _ hash: Hash) -> [UInt8]? {
        defer { ERR_clear_error() }
        let method = unsafe kind == .ed25519 ? nil : hash == .sha1 ? EVP_sha1() : EVP_sha256()
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestSignInit(context, nil, method, nil, pointer) == 1 else { return nil }
        let signature = unsafe [UInt8](unsafeUninitializedCapacity: SignatureKey.maximumSignature) { signature, count in
            var length = SignatureKey.maximumSignature
            // It reads the text and writes at most the capacity, and says how much.
            let isDone = unsafe text.withUnsafeBufferPointer {
                unsafe EVP_DigestSign(context, signature.baseAddress, &length, $0.baseAddress, $0.count) == 1
            }
            count = isDone ? length : 0
        }
        return signature.isEmpty ? nil : signature
    }

    /// The key itself, in PEM. Whoever has it wipes it.
    public var privatePEM: [UInt8] {
        unsafe SignatureKey.written { unsafe PEM_write_bio_PrivateKey($0, pointer, nil, nil, 0, nil, nil) }
    }

    /// The public half in PEM: BEGIN PUBLIC KEY.
    public var publicPEM: String {
        String(decoding: unsafe SignatureKey.written { unsafe PEM_write_bio_PUBKEY($0, pointer) }, as: UTF8.self)
    }

    /// The public half as a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7): the same for the same key, in whatever file it came.
    public var publicBytes: [UInt8] { unsafe SignatureKey.written { unsafe i2d_PUBKEY_bio($0, pointer) } }

    /// The 32 bytes of an Ed25519 key's public half (RFC 8032 §5.1.5); nil for other kinds.
    public var publicPoint: [UInt8]? {
        guard kind == .ed25519 else { return nil }
        return unsafe [UInt8](unsafeUninitializedCapacity: 32) { bytes, count in
            var length = 32
            // It writes at most the capacity.
            count = unsafe EVP_PKEY_get_raw_public_key(pointer, bytes.baseAddress, &length) == 1 ? length : 0
        }
    }

    /// A new private key in PEM; RSA of 2048 bits. Whoever has it wipes it.
    public static func random(_ kind: Kind) throws(TLSError) -> [UInt8] {
        defer { ERR_clear_error() }
        let id = kind == .rsa ? EVP_PKEY_RSA : kind == .ecdsa ? EVP_PKEY_EC : EVP_PKEY_ED25519
        let context = unsafe EVP_PKEY_CTX_new_id(id, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1,
            unsafe kind != .rsa || EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1,
            unsafe kind != .ecdsa || EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            unsafe EVP_PKEY_keygen(context, &key) == 1
        else { throw .unexpected("EVP_PKEY_keygen") }
        defer { unsafe EVP_PKEY_free(key) }
        return unsafe written { unsafe PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
    }

    private static func written(_ write: (OpaquePointer?) -> CInt) -> [UInt8] {
        let memory = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(memory) }
        _ = unsafe write(memory)
        var bytes: UnsafePointer<UInt8>?
        var count = 0
        // They point into the memory's own, which is copied before it goes.
        unsafe BIO_mem_contents(memory, &bytes, &count)
        return unsafe [UInt8](UnsafeBufferPointer(start: bytes, count: count))
    }

    public var description: String { "a private key (\(kind?.rawValue ?? "of another kind"), \(bits) bits)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
