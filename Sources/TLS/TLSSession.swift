import CNIOBoringSSL
import NIOSSL

/// A server's side of one TLS connection, without a socket: records in, plaintext out, and back.
///
/// It reads from and writes to buffers of the thread; what is left of a record that came in pieces is all that it keeps of a client's bytes.
/// It may change the thread between two calls (`move`), also in the middle of a record.
///
/// Refused: TLS below 1.2, early data (RFC 8446 §8: it can be replayed), renegotiation, compression. Floods of empty records, key updates and
/// warnings are ended by the library's own limits.
@safe public final class TLSSession: @unchecked Sendable {
    // Sendable unchecked: it has one owner at a time, which gives it away with the connection.
    private let pointer: OpaquePointer
    /// Keeps what the library's callbacks point to.
    private let context: TLSContext
    private var records: RecordBuffers
    /// The client has sent something.
    public private(set) var hasBegun = false
    /// The handshake has taken the token of the first request (`--client-rate`), which has not come yet.
    public var isPrepaid = false
    private var hasClosed = false
    /// The handshake is over.
    public private(set) var isEstablished = false
    /// Its client has spoken without TLS.
    public private(set) var isWithoutTLS = false

    /// What became of bytes that were received.
    public struct Received {
        /// Bytes of plaintext, at the start of the buffers' `plaintext`.
        public fileprivate(set) var count = 0
        /// After them; nil: the session goes on.
        public fileprivate(set) var end: End?
        /// The handshake has ended with these bytes.
        public fileprivate(set) var hasBecomeEstablished = false
    }

    public enum End: Sendable, Equatable {
        /// The client has said that it says no more (close_notify).
        case closed
        /// The connection is to be closed, after what is in the buffers' `output`: an alert that says why.
        case failed(Failure)
    }

    /// Why a session fails, mostly in its handshake.
    public enum Failure: String, Sendable, CaseIterable {
        /// Its place among all cases.
        public var index: Int { Failure.allCases.firstIndex(of: self) ?? 0 }

        /// A request without TLS.
        case plainHTTP = "plain-http"
        /// TLS 1.1 or older alone.
        case version
        case noSharedCipher = "no-shared-cipher"
        case noSharedProtocol = "no-shared-protocol"
        /// The client does not trust the certificate, or has none of its kinds of signatures.
        case certificate
        /// An alert of the client about something else.
        case alert
        /// More data before the end of the handshake than is passed over (RFC 8446 §4.2.10): 16 KiB, records with all that belongs to them.
        case earlyData = "early-data"
        /// Bytes that are no TLS, or not as the standard wants it.
        case malformed
        /// The client has asked for a second handshake (TLS 1.2).
        case renegotiation
        /// The client went away in the handshake.
        case closed
        /// The handshake took too long.
        case timeout
        /// It was refused before it began: its client has used up its rate.
        case rate
    }

    /// The type of the record that a handshake begins with (RFC 8446 §5.1).
    public static let handshakeRecord: UInt8 = 22
    /// What a client is told whose handshake is refused before it begins: a record with the fatal alert access_denied (RFC 8446 §6). It needs
    /// no session.
    public static let refusal: [UInt8] = [21, 3, 3, 0, 2, 2, 49]

    public enum Version: Sendable { case tls12, tls13 }

    public init(_ context: TLSContext, over records: RecordBuffers) throws(TLSError) {
        guard let session = unsafe SSL_new(context.pointer) else { throw .unexpected("SSL_new") }
        unsafe pointer = unsafe session
        self.context = context
        self.records = records
        unsafe SSL_set_accept_state(session)
        unsafe SSL_set_shed_handshake_config(session, 1)
        attach()
    }

    deinit { unsafe SSL_free(pointer) }

    /// From now on it reads from and writes to other buffers: those of the thread that has it now.
    public func move(to records: RecordBuffers) {
        self.records = records
        attach()
    }

    private func attach() {
        // Each takes a reference.
        unsafe BIO_up_ref(records.pipe)
        unsafe SSL_set0_rbio(pointer, records.pipe)
        unsafe BIO_up_ref(records.pipe)
        unsafe SSL_set0_wbio(pointer, records.pipe)
    }

    public var version: Version { unsafe SSL_version(pointer) == TLS1_2_VERSION ? .tls12 : .tls13 }
    /// The client has said that it says no more.
    public var isClosedByClient: Bool { unsafe SSL_get_shutdown(pointer) & SSL_RECEIVED_SHUTDOWN != 0 }
    /// The client has brought a ticket that was good.
    public var isResumed: Bool { unsafe SSL_session_reused(pointer) == 1 }

    /// The client has chosen HTTP/2 (ALPN, RFC 7301).
    public var isHTTP2: Bool {
        var name: UnsafePointer<UInt8>?
        var length: CUnsignedInt = 0
        // The name is the session's, and read during the call.
        unsafe SSL_get0_alpn_selected(pointer, &name, &length)
        return unsafe length == 2 && name?[0] == UInt8(ascii: "h") && name?[1] == UInt8(ascii: "2")
    }

    /// Whether a handshake has failed by it: the first one, or one that the client asked for later. Who has said nothing has begun none: a
    /// load balancer that looks whether the port is open.
    public func isOfHandshake(_ failure: Failure) -> Bool { failure == .renegotiation || (hasBegun && !isEstablished) }

    /// Takes what has come from the client: goes on with the handshake, decrypts. What it has to say itself is in the buffers' `output` then.
    ///
    /// - Parameter bytes: at most `RecordBuffers.maximumReceived`; all of them are taken, unless the session ends.
    public func receive(_ bytes: Span<UInt8>) -> Received {
        // More would not fit into the plaintext's room: the fast loop reads no more at once, the slow path cuts.
        precondition(bytes.count <= RecordBuffers.maximumReceived)
        var received = Received()
        if bytes.isEmpty { return received }
        if !hasBegun {
            hasBegun = true
            // No record begins with a capital letter, and every request line does.
            if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(bytes[0]) {
                isWithoutTLS = true
                received.end = .failed(.plainHTTP)
                return received
            }
        }
        records.withInput(bytes) { read(&received) }
        if !isEstablished, unsafe SSL_in_init(pointer) == 0 {
            isEstablished = true
            received.hasBecomeEstablished = true
        }
        return received
    }

    private func read(_ received: inout Received) {
        while true {
            // There is room for all that was received, and for a whole record more.
            let count = unsafe records.plaintext.withUnsafeMutableBytes { room in
                unsafe SSL_read(pointer, room.baseAddress?.advanced(by: received.count), CInt(room.count - received.count))
            }
            if count > 0 {
                received.count += Int(count)
                if records.isInputUsed, unsafe SSL_has_pending(pointer) == 0 { return }
                continue
            }
            switch unsafe SSL_get_error(pointer, count) {
            case SSL_ERROR_WANT_READ: return
            case SSL_ERROR_ZERO_RETURN: received.end = .closed
            default: received.end = .failed(TLSSession.failure)
            }
            return
        }
    }

    /// Encrypts to the buffers' `output`.
    ///
    /// - Returns: false when the session has failed before.
    public func write(_ bytes: Span<UInt8>) -> Bool {
        if bytes.isEmpty { return true }
        // It reads the bytes during the call. The buffers take all that is written, so it is never half done.
        return unsafe bytes.withUnsafeBytes { unsafe SSL_write(pointer, $0.baseAddress, CInt($0.count)) } == bytes.count
    }

    /// Says that nothing more is said (close_notify), once, if the handshake is over.
    public func close() {
        guard isEstablished, !hasClosed else { return }
        hasClosed = true
        _ = unsafe SSL_shutdown(pointer)
    }

    private static var failure: Failure {
        let code = ERR_peek_error()
        defer { ERR_clear_error() }
        guard ERR_GET_LIB(code) == CInt(ERR_LIB_SSL) else { return .malformed }
        switch ERR_GET_REASON(code) {
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_INAPPROPRIATE_FALLBACK: return .version
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SHARED_GROUP, SSL_R_WRONG_CURVE, SSL_R_UNKNOWN_CERTIFICATE_TYPE: return .noSharedCipher
        case SSL_R_NO_APPLICATION_PROTOCOL: return .noSharedProtocol
        case SSL_R_NO_COMMON_SIGNATURE_ALGORITHMS: return .certificate
        case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,
            SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, SSL_R_TLSV1_ALERT_UNKNOWN_CA:
            return .certificate
        case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION: return .version
        case SSL_R_TOO_MUCH_SKIPPED_EARLY_DATA: return .earlyData
        case SSL_R_NO_RENEGOTIATION: return .renegotiation
        case 1000...1255: return .alert
        default: return .malformed
        }
    }
}
