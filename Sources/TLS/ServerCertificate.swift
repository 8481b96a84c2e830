import CNIOBoringSSL
import NIOSSL

/// A server's certificate with its chain and its private key, checked: the key fits, the chain is in order. Any thread.
@safe public final class ServerCertificate: Sendable {
    /// DNS names it is valid for, in lower case; `*.example.com` stands for one label more. Addresses are left out: clients send no SNI for
    /// them (RFC 6066 §3).
    public let names: [String]
    /// Seconds since 1970, UTC.
    public let validFrom: Int64
    public let validUntil: Int64
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
        names = certificates.names
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
            throw TLSError(
                pem.isEmpty ? "\(place) is empty" : "\(place) has no private key that can be read; it must be PEM: BEGIN PRIVATE KEY")
        }
        let key = unsafe PrivateKey(owning: pointer)
        guard unsafe key.isRSA || EVP_PKEY_id(pointer) == EVP_PKEY_EC else {
            throw TLSError("\(place) is neither an ECDSA nor an RSA key; browsers take no others")
        }
        return key
    }

    var isRSA: Bool { unsafe EVP_PKEY_id(pointer) == EVP_PKEY_RSA }

    deinit { unsafe EVP_PKEY_free(pointer) }
}

/// Owns certificates, the server's own first.
@safe private struct X509Chain: ~Copyable {
    private let certificates: [OpaquePointer]

    /// More is no chain.
    private static let maximum = 16

    private init(owning certificates: [OpaquePointer]) { unsafe self.certificates = unsafe certificates }

    static func read(_ pem: [UInt8], at place: String) throws(TLSError) -> X509Chain {
        let memory = MemoryFile(pem)
        var certificates: [OpaquePointer] = unsafe []
        while unsafe certificates.count <= X509Chain.maximum, let next = unsafe PEM_read_bio_X509(memory.pointer, nil, nil, nil) {
            unsafe certificates.append(next)
        }
        let isAtEnd = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE
        ERR_clear_error()
        let chain = unsafe X509Chain(owning: certificates)
        if unsafe certificates.count > X509Chain.maximum { throw TLSError("\(place) has more than \(X509Chain.maximum) certificates") }
        if unsafe certificates.isEmpty, isAtEnd {
            throw TLSError(pem.isEmpty ? "\(place) is empty" : "\(place) has no certificate; it must be PEM: BEGIN CERTIFICATE")
        }
        if !isAtEnd { throw TLSError("\(place): certificate \(unsafe certificates.count + 1) cannot be read; it is damaged or cut off") }
        return chain
    }

    deinit { unsafe certificates.forEach { unsafe X509_free($0) } }

    func requireKey(_ key: borrowing PrivateKey, at place: (chain: String, key: String)) throws(TLSError) {
        for index in unsafe certificates.indices where unsafe X509_check_private_key(certificates[index], key.pointer) == 1 {
            if index == 0 { return }
            throw TLSError(
                "\(place.chain) must begin with the certificate that the key belongs to, and that is number \(index + 1) in it; order it: "
                    + "the server's own first, then each one's issuer")
        }
        throw TLSError("\(place.key) is not the key of \(place.chain); give the two files that were issued together")
    }

    func requireOrder(at place: String) throws(TLSError) {
        for index in unsafe certificates.indices.dropLast()
        where unsafe X509_check_issued(certificates[index + 1], certificates[index]) != X509_V_OK {
            throw TLSError(
                "\(place): certificate \(index + 2) has not issued certificate \(index + 1); order it: the server's own first, then each "
                    + "one's issuer")
        }
    }

    var validity: (from: Int64, until: Int64) {
        var from: Int64 = 0
        var until: Int64 = .max
        // Both are locals; the first certificate is there, or there would be no chain.
        unsafe ASN1_TIME_to_posix(X509_get0_notBefore(certificates[0]), &from)
        unsafe ASN1_TIME_to_posix(X509_get0_notAfter(certificates[0]), &until)
        return (from, until)
    }

    var identity: OCSPResponse.Identity {
        let serial = unsafe X509_get0_serialNumber(certificates[0])
        // The number's bytes are the certificate's own, as many as it says.
        let bytes = unsafe UnsafeBufferPointer(start: ASN1_STRING_get0_data(serial), count: Int(ASN1_STRING_length(serial)))
        let issuer = unsafe X509_get_issuer_name(certificates[0])
        let hashes = unsafe [EVP_sha1(), EVP_sha256()].map { method in
            unsafe [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { hash, count in
                var length: CUnsignedInt = 0
                // It writes at most the capacity, and says how much.
                _ = unsafe X509_NAME_digest(issuer, method, hash.baseAddress, &length)
                count = Int(length)
            }
        }
        return unsafe OCSPResponse.Identity(serial: Array(bytes.drop { $0 == 0 }), issuerHashes: hashes)
    }

    var names: [String] {
        guard let stack = unsafe X509_get_ext_d2i(certificates[0], NID_subject_alt_name, nil, nil) else { return [] }
        let names = OpaquePointer(stack)
        defer { unsafe GENERAL_NAMES_free(names) }
        var found: [String] = []
        for index in unsafe 0..<OPENSSL_sk_num(names) {
            var type: CInt = 0
            guard let entry = unsafe OPENSSL_sk_value(names, index) else { continue }
            let value = unsafe GENERAL_NAME_get0_value(entry.assumingMemoryBound(to: GENERAL_NAME.self), &type)
            guard type == GEN_DNS, let value = unsafe value else { continue }
            // The value of a DNS name is an IA5String, of the length that it says.
            let text = unsafe UnsafePointer<ASN1_STRING>(value.assumingMemoryBound(to: ASN1_STRING.self))
            let bytes = unsafe UnsafeBufferPointer(start: ASN1_STRING_get0_data(text), count: Int(ASN1_STRING_length(text)))
            found.append(unsafe String(decoding: bytes, as: UTF8.self).lowercased())
        }
        return found
    }

    /// What the library keeps of them; the caller frees each.
    func buffers() -> [OpaquePointer?] {
        unsafe certificates.map { certificate in
            var bytes: UnsafeMutablePointer<UInt8>?
            let count = unsafe i2d_X509(certificate, &bytes)
            defer { unsafe OPENSSL_free(bytes) }
            return unsafe CRYPTO_BUFFER_new(bytes, Int(max(0, count)), nil)
        }
    }
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
