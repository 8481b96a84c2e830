import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// What the control plane shows its clients by TLS, and which certificates it asks of them. Any thread.
///
/// TLS 1.2 and 1.3 with the library's ciphers, without resumption: operators and scrapers keep their connections.
public final class ControlTLS: Sendable {
    private let context: Mutex<NIOSSLContext>
    private let authorities: [NIOSSLCertificate]

    /// - Parameters:
    ///   - chain: PEM: the server's own certificate, then each one's issuer.
    ///   - key: PEM.
    ///   - clientAuthorities: PEM of the authorities, one of which must have issued a client's certificate; nil asks for none.
    public init(chain: [UInt8], key: [UInt8], clientAuthorities: [UInt8]?) throws(Fault) {
        do { authorities = try clientAuthorities.map { try NIOSSLCertificate.fromPEMBytes($0) } ?? [] } catch { throw .authorities }
        do { context = Mutex(try ControlTLS.context(chain, key, authorities)) } catch { throw .certificate("\(error)") }
    }

    public enum Fault: Error {
        /// Chain and key cannot serve: what the library says of them.
        case certificate(String)
        /// There is no certificate of an authority.
        case authorities
    }

    /// Shows another certificate in handshakes that begin from now on.
    public func replace(chain: [UInt8], key: [UInt8]) throws {
        let new = try ControlTLS.context(chain, key, authorities)
        context.withLock { $0 = new }
    }

    private static func context(_ chain: [UInt8], _ key: [UInt8], _ authorities: [NIOSSLCertificate]) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(chain).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuites = ControlTLS.ciphers
        configuration.applicationProtocols = ["http/1.1"]
        if !authorities.isEmpty {
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(authorities)
        }
        return try NIOSSLContext(configuration: configuration)
    }

    /// Of TLS 1.2: Mozilla's intermediate profile without DHE, as on the data plane.
    private static let ciphers = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ].joined(separator: ":")

    func handler() -> NIOSSLServerHandler { NIOSSLServerHandler(context: context.withLock { $0 }) }
}

/// Connections with TLS before what they carry; without when there is none.
struct SecureChannel<Base: ServerChildChannel>: ServerChildChannel {
    let base: Base
    let tls: ControlTLS?

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        channel.eventLoop.makeCompletedFuture {
            if let tls { try channel.pipeline.syncOperations.addHandler(tls.handler()) }
        }.flatMap { base.setup(channel: channel, logger: logger) }
    }

    func handle(value: Base.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
