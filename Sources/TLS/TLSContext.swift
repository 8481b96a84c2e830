import CNIOBoringSSL
import NIOSSL

/// What servers agree on in handshakes: Mozilla's "intermediate" profile (wiki.mozilla.org/Security/Server_Side_TLS), certificates by name, keys
/// of tickets. Immutable: whoever has other certificates makes another one. Any thread; best one a worker, since threads that share one
/// count its references in the same place.
@safe public final class TLSContext: Sendable {
    /// Configured in `init`, then only read; its references are counted atomically.
    nonisolated(unsafe) let pointer: OpaquePointer
    private let byName: CertificatesByName
    private let sealer: TicketSealer

    static let ciphers =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
        + "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
    /// AES-128 first, whatever a client likes best: with it a handshake hashes by SHA-256, which processors have instructions for, and costs
    /// a seventh less than with the SHA-384 of AES-256. Of the others the client's choice.
    private static let ciphers13: [(UInt16, flags: Int32)] = [
        (UInt16(SSL_CIPHER_AES_128_GCM_SHA256), 0),
        (UInt16(SSL_CIPHER_CHACHA20_POLY1305_SHA256), SSL_CIPHER_FLAG_EQUAL_PREFERENCE_WITH_NEXT),
        (UInt16(SSL_CIPHER_AES_256_GCM_SHA384), 0),
    ]
    /// All alike, so that the client's order decides: of the first it has sent a share, and another would cost a round trip.
    private static let groups = [SSL_GROUP_X25519_MLKEM768, SSL_GROUP_X25519, SSL_GROUP_SECP256R1, SSL_GROUP_SECP384R1].map { UInt16($0) }
    private static let groupFlags = groups.dropLast().map { _ in UInt32(SSL_GROUP_FLAG_EQUAL_PREFERENCE_WITH_NEXT) } + [0]

    /// - Parameters:
    ///   - certificates: the first is what clients get that name no server, or one that no certificate has.
    ///   - offersHTTP2: clients that offer it get HTTP/2 (RFC 9113 §3.2).
    public init(_ certificates: [ServerCertificate], tickets: TicketKeys, offersHTTP2: Bool = false) throws(TLSError) {
        byName = CertificatesByName(certificates)
        sealer = TicketSealer(tickets)
        // Without X.509: certificates were read before, and clients show none.
        guard let context = unsafe SSL_CTX_new(TLS_with_buffers_method()) else { throw .unexpected("SSL_CTX_new") }
        unsafe pointer = unsafe context
        guard unsafe SSL_CTX_set_min_proto_version(context, UInt16(TLS1_2_VERSION)) == 1,
            unsafe SSL_CTX_set_max_proto_version(context, UInt16(TLS1_3_VERSION)) == 1,
            unsafe SSL_CTX_set_strict_cipher_list(context, TLSContext.ciphers) == 1,
            unsafe SSL_CTX_set1_tls13_ciphers(
                context, TLSContext.ciphers13.map(\.0), TLSContext.ciphers13.map { UInt32($0.flags) }, TLSContext.ciphers13.count) == 1,
            unsafe SSL_CTX_set1_group_ids_with_flags(context, TLSContext.groups, TLSContext.groupFlags, TLSContext.groups.count) == 1,
            unsafe SSL_CTX_set_num_tickets(context, 1) == 1,
            // Sessions are only taken up again by whoever has the same one.
            unsafe SSL_CTX_set_session_id_context(context, Array("video-balancer".utf8), 14) == 1
        else { throw .unexpected("SSL_CTX") }
        for certificate in byName.standard where unsafe SSL_CTX_add1_credential(context, certificate.credential) != 1 {
            throw .unexpected("SSL_CTX_add1_credential")
        }
        _ = unsafe SSL_CTX_set_options(context, UInt32(SSL_OP_CIPHER_SERVER_PREFERENCE))
        _ = unsafe SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF)
        _ = unsafe SSL_CTX_set_timeout(context, UInt32(TicketKeys.lifetime))
        unsafe SSL_CTX_set_session_psk_dhe_timeout(context, UInt32(TicketKeys.lifetime))
        // The argument is a flag, never followed.
        unsafe SSL_CTX_set_alpn_select_cb(context, TLSContext.selectProtocol, offersHTTP2 ? UnsafeMutableRawPointer(bitPattern: 1) : nil)
        if !byName.isSimple {
            // The context keeps what it points to, and each session the context.
            unsafe SSL_CTX_set_cert_cb_ex(context, TLSContext.selectCertificate, Unmanaged.passUnretained(byName).toOpaque())
        }
        _ = unsafe SSL_CTX_set_ex_data(context, TLSContext.sealerIndex, Unmanaged.passUnretained(sealer).toOpaque())
        _ = unsafe SSL_CTX_set_tlsext_ticket_key_cb(context, TLSContext.handleTicket)
    }

    deinit { unsafe SSL_CTX_free(pointer) }

    private static let sealerIndex = SSL_CTX_get_ex_new_index(0, nil, nil, nil, nil)
    /// In order of preference. The answers are the same: a head says its version itself.
    private static let protocols = named(["http/1.1", "http/1.0"])
    private static let protocolsWithHTTP2 = named(["h2", "http/1.1", "http/1.0"])

    private static func named(_ protocols: [String]) -> [[UInt8]] { protocols.map { [UInt8($0.utf8.count)] + Array($0.utf8) } }

    /// A client that offers other protocols alone is refused (RFC 7301 §3.2): what it says next would not be HTTP/1.
    private static let selectProtocol:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?, UnsafePointer<UInt8>?, CUnsignedInt,
            UnsafeMutableRawPointer?
        ) -> CInt = { _, selected, length, offered, offeredLength, offersHTTP2 in
            let offered = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredLength))
            let protocols = unsafe offersHTTP2 == nil ? TLSContext.protocols : TLSContext.protocolsWithHTTP2
            for known in protocols {
                var index = 0
                while index < offered.count {
                    let end = unsafe index + 1 + Int(offered[index])
                    guard end <= offered.count else { break }
                    if unsafe offered[index..<end].elementsEqual(known) {
                        // The choice points into the offer, which the library keeps meanwhile.
                        unsafe selected?.pointee = unsafe offered.baseAddress?.advanced(by: index + 1)
                        unsafe length?.pointee = unsafe offered[index]
                        return SSL_TLSEXT_ERR_OK
                    }
                    index = end
                }
            }
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }

    private static let selectCertificate: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt8>?) -> CInt =
        { session, byName, _ in
            guard let byName = unsafe byName.map({ unsafe Unmanaged<CertificatesByName>.fromOpaque($0).takeUnretainedValue() }),
                // The library has checked that the name has no zero byte, and ends it with one.
                let name = unsafe SSL_get_servername(session, TLSEXT_NAMETYPE_host_name),
                let certificates = byName[unsafe String(cString: name).lowercased()]
            else { return 1 }
            unsafe SSL_certs_clear(session)
            for certificate in certificates where unsafe SSL_add1_credential(session, certificate.credential) != 1 { return 0 }
            return 1
        }

    private static let handleTicket:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<EVP_CIPHER_CTX>?,
            UnsafeMutablePointer<HMAC_CTX>?, CInt
        ) -> CInt = { session, name, vector, cipher, mac, seals in
            guard let data = unsafe SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), TLSContext.sealerIndex), let name = unsafe name,
                let vector = unsafe vector, let cipher = unsafe cipher, let mac = unsafe mac
            else { return -1 }
            let sealer = unsafe Unmanaged<TicketSealer>.fromOpaque(data).takeUnretainedValue()
            return unsafe seals == 1 ? sealer.seal(name, vector, cipher, mac) : sealer.open(name, vector, cipher, mac)
        }
}
