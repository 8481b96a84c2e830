import CNIOBoringSSL
import NIOSSL

/// What a certificate is called, and when it is valid.
public struct CertificateSubject: Sendable, Equatable {
    /// Its common name.
    public let name: String
    /// Seconds since 1970, UTC.
    public let validFrom: Int64
    public let validUntil: Int64
}

/// Owns certificates, the server's own first.
@safe struct X509Chain: ~Copyable {
    private let certificates: [OpaquePointer]

    /// More is no chain.
    static let longest = 16

    private init(owning certificates: [OpaquePointer]) { unsafe self.certificates = unsafe certificates }

    static func read(_ pem: [UInt8], at place: String, atMost maximum: Int = longest) throws(TLSError) -> X509Chain {
        let memory = MemoryFile(pem)
        var certificates: [OpaquePointer] = unsafe []
        while unsafe certificates.count <= maximum, let next = unsafe PEM_read_bio_X509(memory.pointer, nil, nil, nil) {
            unsafe certificates.append(next)
        }
        let isAtEnd = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE
        ERR_clear_error()
        let chain = unsafe X509Chain(owning: certificates)
        if unsafe certificates.count > maximum { throw TLSError("\(place) has more than \(maximum) certificates") }
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

    /// Of the first one, which is there, or there would be no chain.
    var validity: (from: Int64, until: Int64) { unsafe X509Chain.validity(of: certificates[0]) }

    private static func validity(of certificate: OpaquePointer) -> (from: Int64, until: Int64) {
        var from: Int64 = 0
        var until: Int64 = .max
        // Both are locals.
        unsafe ASN1_TIME_to_posix(X509_get0_notBefore(certificate), &from)
        unsafe ASN1_TIME_to_posix(X509_get0_notAfter(certificate), &until)
        return (from, until)
    }

    /// Of the first one: without an extendedKeyUsage it is for every purpose.
    var isForServers: Bool {
        unsafe X509_get_extended_key_usage(certificates[0]) & (UInt32(XKU_SSL_SERVER) | UInt32(XKU_ANYEKU)) != 0
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

    /// Of the first one, from its subjectAltName; clients no longer look at the common name (RFC 9525 §2).
    var names: (dns: [String], addresses: [String]) {
        guard let stack = unsafe X509_get_ext_d2i(certificates[0], NID_subject_alt_name, nil, nil) else { return ([], []) }
        let names = OpaquePointer(stack)
        defer { unsafe GENERAL_NAMES_free(names) }
        var found: (dns: [String], addresses: [String]) = ([], [])
        for index in unsafe 0..<OPENSSL_sk_num(names) {
            var type: CInt = 0
            guard let entry = unsafe OPENSSL_sk_value(names, index) else { continue }
            let value = unsafe GENERAL_NAME_get0_value(entry.assumingMemoryBound(to: GENERAL_NAME.self), &type)
            guard type == GEN_DNS || type == GEN_IPADD, let value = unsafe value else { continue }
            // The value of a DNS name is an IA5String, that of an address an OCTET STRING, of the length that it says.
            let text = unsafe UnsafePointer<ASN1_STRING>(value.assumingMemoryBound(to: ASN1_STRING.self))
            let bytes = unsafe UnsafeBufferPointer(start: ASN1_STRING_get0_data(text), count: Int(ASN1_STRING_length(text)))
            if type == GEN_DNS {
                found.dns.append(unsafe String(decoding: bytes, as: UTF8.self).lowercased())
            } else if let address = X509Chain.address(unsafe Array(bytes)) {
                found.addresses.append(address)
            }
        }
        return found
    }

    /// As OpenSSL writes them: `192.0.2.1`, `2001:DB8:0:0:0:0:0:1`.
    private static func address(_ bytes: [UInt8]) -> String? {
        switch bytes.count {
        case 4: bytes.map { "\($0)" }.joined(separator: ".")
        case 16:
            stride(from: 0, to: 16, by: 2).map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16, uppercase: true) }
                .joined(separator: ":")
        default: nil
        }
    }

    /// What each is called, and when it is valid.
    var subjects: [CertificateSubject] {
        unsafe certificates.map { certificate in
            let validity = unsafe X509Chain.validity(of: certificate)
            return unsafe CertificateSubject(
                name: X509Chain.commonName(of: certificate), validFrom: validity.from, validUntil: validity.until)
        }
    }

    /// Those after the first that expire before it does, the soonest first.
    var shorterLived: [CertificateSubject] {
        let end = validity.until
        return subjects.dropFirst().filter { $0.validUntil < end }.sorted { $0.validUntil < $1.validUntil }
    }

    private static func commonName(of certificate: OpaquePointer) -> String {
        var text = [CChar](repeating: 0, count: 256)
        // It writes at most the capacity, with a zero at the end.
        let length = unsafe X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, &text, CInt(text.count))
        return length > 0
            ? String(decoding: text.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self) : "without a common name"
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
