import CNIOBoringSSL
import NIOSSL

/// A server's certificate with its chain and its private key, checked: the key fits, the chain is in order. Any thread.
@safe public final class ServerCertificate: Sendable {
    /// DNS names it is valid for, in lower case; `*.example.com` stands for one label more.
    public let names: [String]
    /// IP addresses it is valid for. Clients send no SNI for them (RFC 6066 §3).
    public let addresses: [String]
    /// Seconds since 1970, UTC.
    public let validFrom: Int64
    public let validUntil: Int64
    /// Those of its chain that expire before it does, the soonest first.
    public let shorterLived: [CertificateSubject]
    /// Why clients refuse it, as far as it shows.
    public let doubts: [CertificateDoubt]
    /// ECDSA else: chosen first, since it costs a tenth of an RSA signature.
    let isRSA: Bool
    /// Shown beside it to clients that ask for it.
    public let staple: OCSPResponse?
    /// What an OCSP response about it says that it is about.
    let identity: OCSPResponse.Identity
    /// Counted by the library, and not changed once it is made.
    nonisolated(unsafe) let credential: OpaquePointer

    /// - Parameters:
    ///   - chain: PEM: the server's own certificate, then each one's issuer. Other blocks are passed over.
    ///   - key: PEM, not encrypted; may be the same text.
    ///   - place: what the chain and the key are called in errors, mostly paths.
    ///   - staple: about the same certificate.
    /// - Throws: `TLSError` when they cannot serve together.
    public init(
        chain: [UInt8], key: [UInt8], at place: (chain: String, key: String), staple: OCSPResponse? = nil
    ) throws(TLSError) {
        defer { ERR_clear_error() }
        let certificates = try X509Chain.read(chain, at: place.chain)
        let key = try PrivateKey.read(key, at: place.key)
        try certificates.requireKey(key, at: place)
        try certificates.requireOrder(at: place.chain)
        isRSA = key.isRSA
        doubts = certificates.doubts(of: key)
        (names, addresses) = certificates.names
        shorterLived = certificates.shorterLived
        identity = certificates.identity
        self.staple = staple
        (validFrom, validUntil) = certificates.validity
        guard let credential = unsafe SSL_CREDENTIAL_new_x509() else { throw .unexpected("SSL_CREDENTIAL_new_x509") }
        unsafe self.credential = unsafe credential
        var buffers = unsafe certificates.buffers()
        defer { unsafe buffers.forEach { unsafe CRYPTO_BUFFER_free($0) } }
        // Both take references of their own.
        guard unsafe SSL_CREDENTIAL_set1_cert_chain(credential, &buffers, buffers.count) == 1,
            unsafe SSL_CREDENTIAL_set1_private_key(credential, key.pointer) == 1
        else { throw TLSError("\(place.chain) cannot be used for TLS: its key usage must allow digital signatures") }
        guard let staple else { return }
        let response = unsafe CRYPTO_BUFFER_new(staple.bytes, staple.bytes.count, nil)
        defer { unsafe CRYPTO_BUFFER_free(response) }
        guard unsafe SSL_CREDENTIAL_set1_ocsp_response(credential, response) == 1 else {
            throw .unexpected("SSL_CREDENTIAL_set1_ocsp_response")
        }
    }

    deinit { unsafe SSL_CREDENTIAL_free(credential) }
}

/// Owns a private key.
@safe struct PrivateKey: ~Copyable {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) { unsafe self.pointer = unsafe pointer }

    static func read(_ pem: [UInt8], at place: String) throws(TLSError) -> PrivateKey {
        let memory = MemoryFile(pem)
        // A password is never asked for: there is nobody to answer.
        guard let pointer = unsafe PEM_read_bio_PrivateKey(memory.pointer, nil, { _, _, _, _ in 0 }, nil) else {
            if String(decoding: pem, as: UTF8.self).contains("ENCRYPTED") {
                throw TLSError("\(place) is encrypted; write it without a password: openssl pkey -in \(place) -out NEW, and keep that 0600")
            }
            throw unreadable(pem, at: place)
        }
        let key = unsafe PrivateKey(owning: pointer)
        // Signatures by P-224 are none of TLS 1.3 (RFC 8446 §4.2.3).
        guard unsafe key.isRSA || (EVP_PKEY_id(pointer) == EVP_PKEY_EC && key.bits >= 256) else { throw unfit(place) }
        return key
    }

    private static func unreadable(_ pem: [UInt8], at place: String) -> TLSError {
        // The oldest of the library's errors says what was wrong, and later ones where that was.
        let code = ERR_peek_error()
        if ERR_GET_LIB(code) == CInt(ERR_LIB_EVP), ERR_GET_REASON(code) == EVP_R_UNSUPPORTED_ALGORITHM { return unfit(place) }
        return TLSError(
            pem.isEmpty ? "\(place) is empty" : "\(place) has no private key that can be read; it must be PEM: BEGIN PRIVATE KEY")
    }

    private static func unfit(_ place: String) -> TLSError {
        TLSError("\(place) is neither an ECDSA key on P-256 or P-384 nor an RSA key; browsers take no others")
    }

    var isRSA: Bool { unsafe EVP_PKEY_id(pointer) == EVP_PKEY_RSA }
    var bits: Int { unsafe Int(EVP_PKEY_bits(pointer)) }

    deinit { unsafe EVP_PKEY_free(pointer) }
}

/// Bytes that BoringSSL reads as it reads a PEM file.
@safe struct MemoryFile: ~Copyable {
    let pointer: OpaquePointer?

    /// A byte order mark hides the line that it stands before; editors write one, and `cat` puts it into the middle of a chain.
    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    init(_ bytes: [UInt8]) {
        let text = bytes.replacing(MemoryFile.mark, with: [])
        unsafe pointer = unsafe BIO_new(BIO_s_mem())
        _ = unsafe BIO_write(pointer, text, CInt(clamping: text.count))
    }

    deinit { unsafe BIO_free(pointer) }
}
