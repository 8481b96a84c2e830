import Logging
import ServiceLifecycle
import TLS

/// Follows the files of certificates and rotates the keys of tickets: what is new is shown by handshakes that begin afterwards.
struct CertificateWatcher: Service {
    static let interval = Duration.seconds(10)

    /// Nil without TLS.
    let files: CertificateFiles?
    /// Takes what is new into use.
    let publish: @Sendable (TLSIdentity) async throws -> Void
    let logger: Logger
    /// A look by a signal and one by the clock, one after the other: the newer must win.
    private let turnstile = Turnstile()

    init(files: CertificateFiles?, logger: Logger, publish: @escaping @Sendable (TLSIdentity) async throws -> Void) {
        self.files = files
        self.publish = publish
        self.logger = logger
    }

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: CertificateWatcher.interval)
                await look()
            }
        }
    }

    /// Reads once and takes over what is another.
    func look() async {
        guard let files else { return }
        do {
            try await turnstile.pass { if let identity = await files.look() { try await publish(identity) } }
        } catch {
            logger.error("the new certificates are not in use", metadata: ["error": "\(error)"])
        }
    }
}
