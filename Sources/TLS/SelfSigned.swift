import CNIOBoringSSL
import NIOSSL

/// A certificate that nobody has vouched for, made on the spot: for a first try and for tests.
public enum SelfSigned {
    /// Makes an ECDSA key (P-256) and a certificate for it.
    ///
    /// - Parameters:
    ///   - names: DNS names and addresses, at least one.
    ///   - from: seconds since 1970, UTC, as is `until`.
    /// - Returns: both as PEM.
    public static func make(names: [String], from: Int64, until: Int64) throws(TLSError) -> (chain: [UInt8], key: [UInt8]) {
        defer { ERR_clear_error() }
        let key = try makeKey()
        guard let certificate = unsafe X509_new() else { throw .unexpected("X509_new") }
        defer { unsafe X509_free(certificate) }
        let subject = unsafe X509_get_subject_name(certificate)
        let common = Array("video-balancer".utf8)
        // The library copies what it is given.
        unsafe X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, common, common.count, -1, 0)
        unsafe X509_set_version(certificate, CLong(X509_VERSION_3))
        unsafe ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), UInt64.random(in: 1...UInt64(Int64.max)))
        unsafe ASN1_TIME_set_posix(X509_getm_notBefore(certificate), from)
        unsafe ASN1_TIME_set_posix(X509_getm_notAfter(certificate), until)
        unsafe X509_set_issuer_name(certificate, subject)
        unsafe X509_set_pubkey(certificate, key.pointer)
        let alternatives = names.map { $0.contains(":") || !$0.contains(where: \.isLetter) ? "IP:\($0)" : "DNS:\($0)" }
        try unsafe add(NID_subject_alt_name, alternatives.joined(separator: ","), to: certificate)
        try unsafe add(NID_basic_constraints, "critical,CA:FALSE", to: certificate)
        try unsafe add(NID_ext_key_usage, "serverAuth", to: certificate)
        guard unsafe X509_sign(certificate, key.pointer, EVP_sha256()) > 0 else { throw .unexpected("X509_sign") }
        let chain = unsafe pem { unsafe PEM_write_bio_X509($0, certificate) }
        return (chain, unsafe pem { unsafe PEM_write_bio_PrivateKey($0, key.pointer, nil, nil, 0, nil, nil) })
    }

    private static func makeKey() throws(TLSError) -> PrivateKey {
        var pointer: OpaquePointer?
        let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        // The local gets a key of the caller's.
        guard unsafe EVP_PKEY_keygen_init(context) == 1,
            unsafe EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            unsafe EVP_PKEY_keygen(context, &pointer) == 1, let pointer = unsafe pointer
        else { throw .unexpected("EVP_PKEY_keygen") }
        return unsafe PrivateKey(owning: pointer)
    }

    private static func add(_ kind: CInt, _ value: String, to certificate: OpaquePointer) throws(TLSError) {
        guard let field = unsafe X509V3_EXT_nconf_nid(nil, nil, kind, value) else { throw .unexpected("X509V3_EXT_nconf_nid") }
        defer { unsafe X509_EXTENSION_free(field) }
        unsafe X509_add_ext(certificate, field, -1)
    }

    private static func pem(_ write: (OpaquePointer?) -> CInt) -> [UInt8] {
        let memory = MemoryFile([])
        _ = unsafe write(memory.pointer)
        var bytes: UnsafePointer<UInt8>?
        var count = 0
        // They point into the memory's own, which is copied before it goes.
        unsafe BIO_mem_contents(memory.pointer, &bytes, &count)
        return unsafe [UInt8](UnsafeBufferPointer(start: bytes, count: count))
    }
}
