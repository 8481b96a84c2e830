import CNIOBoringSSL
import NIOSSL

/// A client's side of a connection in memory, by the same library. It trusts every certificate.
@safe public final class TLSClient {
    private let context: OpaquePointer
    private let session: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer

    /// What a client is made with.
    public struct Options {
        public var name: String?
        public var protocols: [String]
        public var versions: ClosedRange<CInt>
        public var ciphers: String?
        public var groups: String?
        public var signatures: String?
        public var resumes: Resumption?
        public var sendsEarlyData: Bool
        /// Of TLS 1.3, by preference.
        public var ciphers13: [UInt16]
        /// Asks for an OCSP response.
        public var wantsStaple: Bool

        public init(
            name: String? = nil, protocols: [String] = [], versions: ClosedRange<CInt> = 0x303...0x304, ciphers: String? = nil,
            groups: String? = nil, signatures: String? = nil, resumes: Resumption? = nil, sendsEarlyData: Bool = false,
            ciphers13: [UInt16] = [], wantsStaple: Bool = false
        ) {
            self.name = name
            self.protocols = protocols
            self.versions = versions
            self.ciphers = ciphers
            self.groups = groups
            self.signatures = signatures
            self.resumes = resumes
            self.sendsEarlyData = sendsEarlyData
            self.ciphers13 = ciphers13
            self.wantsStaple = wantsStaple
        }
    }

    /// A session to be resumed.
    @safe public final class Resumption {
        fileprivate let session: OpaquePointer

        fileprivate init(_ session: OpaquePointer) { unsafe self.session = unsafe session }

        deinit { unsafe SSL_SESSION_free(session) }

        /// Bytes of the ticket.
        public var length: Int { ticket.count }

        private var ticket: [UInt8] {
            var bytes: UnsafePointer<UInt8>?
            var count = 0
            unsafe SSL_SESSION_get0_ticket(session, &bytes, &count)
            return unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
        }

        /// The same with a ticket one of whose bytes is another.
        public func changed(at index: Int) -> Resumption {
            var ticket = ticket
            ticket[index] ^= 1
            var bytes: UnsafeMutablePointer<UInt8>?
            var count = 0
            let context = unsafe SSL_CTX_new(TLS_client_method())
            defer { unsafe SSL_CTX_free(context) }
            unsafe SSL_SESSION_to_bytes(session, &bytes, &count)
            defer { unsafe OPENSSL_free(bytes) }
            guard let copy = unsafe SSL_SESSION_from_bytes(bytes, count, context) else { return self }
            unsafe SSL_SESSION_set_ticket(copy, ticket, ticket.count)
            return unsafe Resumption(copy)
        }
    }

    /// The last ticket.
    public private(set) var ticket: Resumption?

    public init(_ options: Options = Options()) {
        unsafe context = unsafe SSL_CTX_new(TLS_client_method())
        unsafe SSL_CTX_set_min_proto_version(context, UInt16(options.versions.lowerBound))
        unsafe SSL_CTX_set_max_proto_version(context, UInt16(options.versions.upperBound))
        _ = unsafe SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL)
        if let ciphers = options.ciphers { unsafe SSL_CTX_set_strict_cipher_list(context, ciphers) }
        if !options.ciphers13.isEmpty { unsafe SSL_CTX_set1_tls13_ciphers(context, options.ciphers13, nil, options.ciphers13.count) }
        if let groups = options.groups { unsafe SSL_CTX_set1_groups_list(context, groups) }
        if let signatures = options.signatures { unsafe SSL_CTX_set1_sigalgs_list(context, signatures) }
        if options.sendsEarlyData { unsafe SSL_CTX_set_early_data_enabled(context, 1) }
        unsafe session = unsafe SSL_new(context)
        if options.wantsStaple { unsafe SSL_enable_ocsp_stapling(session) }
        unsafe input = unsafe BIO_new(BIO_s_mem())
        unsafe output = unsafe BIO_new(BIO_s_mem())
        // "Try again" is said at its end, not "the end".
        unsafe BIO_set_mem_eof_return(input, -1)
        unsafe SSL_set_bio(session, input, output)
        unsafe SSL_set_connect_state(session)
        if let name = options.name { unsafe SSL_set_tlsext_host_name(session, name) }
        let protocols = options.protocols.flatMap { [UInt8($0.utf8.count)] + $0.utf8 }
        if !protocols.isEmpty { unsafe SSL_set_alpn_protos(session, protocols, protocols.count) }
        if let resumes = options.resumes { unsafe SSL_set_session(session, resumes.session) }
        unsafe SSL_CTX_set_ex_data(context, 0, Unmanaged.passUnretained(self).toOpaque())
        unsafe SSL_CTX_sess_set_new_cb(context) { session, ticket in
            guard let data = unsafe SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), 0), let ticket = unsafe ticket else { return 0 }
            unsafe Unmanaged<TLSClient>.fromOpaque(data).takeUnretainedValue().ticket = unsafe Resumption(ticket)
            return 1
        }
    }

    deinit {
        unsafe SSL_free(session)
        unsafe SSL_CTX_free(context)
    }

    /// Why the last call has failed.
    public private(set) var failure: String?

    /// Goes on with the handshake.
    public func handshake() {
        ERR_clear_error()
        note(unsafe SSL_do_handshake(session))
    }

    private func note(_ result: CInt) {
        guard result <= 0 else { return }
        let error = unsafe SSL_get_error(session, result)
        if error == SSL_ERROR_SSL { failure = unsafe String(cString: ERR_reason_error_string(ERR_peek_error())) }
    }

    /// Records to be given to the server.
    public func take() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 100_000)
        let count = unsafe BIO_read(output, &bytes, CInt(bytes.count))
        return Array(bytes.prefix(max(0, Int(count))))
    }

    public func give(_ bytes: [UInt8]) { unsafe BIO_write(input, bytes, CInt(bytes.count)) }

    public func write(_ text: String) { write(Array(text.utf8)) }

    public func write(_ bytes: [UInt8]) { if !bytes.isEmpty { note(unsafe SSL_write(session, bytes, CInt(bytes.count))) } }

    /// What the server has said; nil: nothing yet.
    public func read() -> String? { readBytes().map { String(decoding: $0, as: UTF8.self) } }

    public func readBytes() -> [UInt8]? {
        ERR_clear_error()
        var bytes = [UInt8](repeating: 0, count: 100_000)
        let count = unsafe SSL_read(session, &bytes, CInt(bytes.count))
        note(count)
        return count > 0 ? Array(bytes.prefix(Int(count))) : nil
    }

    public func close() { unsafe SSL_shutdown(session) }

    /// Sends from now on by another key, and asks the server to do the same (RFC 8446 §4.6.3).
    public func updateKeys() { note(unsafe SSL_key_update(session, SSL_KEY_UPDATE_REQUESTED)) }

    public var isEstablished: Bool { unsafe SSL_in_init(session) == 0 }
    public var isResumed: Bool { unsafe SSL_session_reused(session) == 1 }
    public var isToldOfEnd: Bool { unsafe SSL_get_shutdown(session) & SSL_RECEIVED_SHUTDOWN != 0 }
    public var version: CInt { unsafe SSL_version(session) }
    public var group: String { unsafe SSL_get_group_name(SSL_get_group_id(session)).map { unsafe String(cString: $0) } ?? "" }
    public var cipher: String { unsafe String(cString: SSL_CIPHER_standard_name(SSL_get_current_cipher(session))) }

    /// The server's OCSP response; empty without one.
    public var staple: [UInt8] {
        var bytes: UnsafePointer<UInt8>?
        var count = 0
        unsafe SSL_get0_ocsp_response(session, &bytes, &count)
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
    }

    public var hasEarlyDataAccepted: Bool { unsafe SSL_early_data_accepted(session) == 1 }

    public var selectedProtocol: String {
        var bytes: UnsafePointer<UInt8>?
        var count: CUnsignedInt = 0
        unsafe SSL_get0_alpn_selected(session, &bytes, &count)
        return unsafe String(decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
    }

    /// The first DNS name of the server's certificate.
    public var serverName: String {
        guard let certificate = unsafe SSL_get_peer_certificate(session) else { return "" }
        defer { unsafe X509_free(certificate) }
        guard let names = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil).map({ OpaquePointer($0) }) else { return "" }
        defer { unsafe GENERAL_NAMES_free(names) }
        var type: CInt = 0
        guard let name = unsafe OPENSSL_sk_value(names, 0),
            let value = unsafe GENERAL_NAME_get0_value(name.assumingMemoryBound(to: GENERAL_NAME.self), &type)
        else { return "" }
        let text = unsafe UnsafePointer<ASN1_STRING>(value.assumingMemoryBound(to: ASN1_STRING.self))
        return unsafe String(
            decoding: UnsafeBufferPointer(start: ASN1_STRING_get0_data(text), count: Int(ASN1_STRING_length(text))), as: UTF8.self)
    }
}
