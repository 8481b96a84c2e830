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

    /// What is shown, and whom it is asked of.
    public struct Contents: Sendable {
        let pairs: [(chain: [UInt8], key: [UInt8])]
        let clientAuthorities: [UInt8]?
        let choice: @Sendable (_ name: String?) -> Int

        /// - Parameters:
        ///   - pairs: PEM, at least one: the server's own certificate, then each one's issuer; and the key.
        ///   - clientAuthorities: PEM of the authorities, one of which must have issued a client's certificate; nil asks for none.
        ///   - choice: which of the pairs a client gets that asks for the name (SNI), or for none.
        public init(
            pairs: [(chain: [UInt8], key: [UInt8])], clientAuthorities: [UInt8]?, choice: @escaping @Sendable (_ name: String?) -> Int
        ) {
            self.pairs = pairs
            self.clientAuthorities = clientAuthorities
            self.choice = choice
        }
    }

    /// - Throws: when they cannot serve: what the library says of them.
    public init(_ contents: Contents) throws { context = Mutex(try ControlTLS.context(contents)) }

    /// Shows others in handshakes that begin from now on.
    public func replace(by contents: Contents) throws {
        let new = try ControlTLS.context(contents)
        context.withLock { $0 = new }
    }

    private static func context(_ contents: Contents) throws -> NIOSSLContext {
        let pairs = try contents.pairs.map { chain, key in
            var pair = NIOSSLContextConfigurationOverride()
            pair.certificateChain = try NIOSSLCertificate.fromPEMBytes(chain).map { .certificate($0) }
            pair.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
            return pair
        }
        let choice = contents.choice
        let standard = choice(nil)
        guard pairs.indices.contains(standard), let chain = pairs[standard].certificateChain, let key = pairs[standard].privateKey else {
            throw NIOSSLError.noCertificateToValidate
        }
        var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: key)
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuites = ControlTLS.ciphers
        configuration.applicationProtocols = ["http/1.1"]
        if let authorities = contents.clientAuthorities {
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(authorities))
        }
        if pairs.count > 1 {
            configuration.sslContextCallback = { hello, promise in
                let index = choice(hello.serverHostname)
                promise.succeed(index == standard || !pairs.indices.contains(index) ? .noChanges : pairs[index])
            }
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
            if let tls { try channel.pipeline.syncOperations.addHandlers(PlainHTTPAnswer(), tls.handler()) }
        }.flatMap { base.setup(channel: channel, logger: logger) }
    }

    func handle(value: Base.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
