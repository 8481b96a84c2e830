import Logging
import ServiceLifecycle

/// Follows the files of certificates and rotates the keys of tickets: what is new is shown by handshakes that begin afterwards.
struct CertificateWatcher: Service {
    static let interval = Duration.seconds(10)

    let logger: Logger
    /// Reads once and takes what is another into use.
    let read: @Sendable () async throws -> Void
    /// A look by a signal and one by the clock, one after the other: the newer must win.
    private let turnstile = Turnstile()

    init(logger: Logger, read: @escaping @Sendable () async throws -> Void) {
        self.read = read
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
        do { try await turnstile.pass(read) } catch {
            logger.error("the new certificates are not in use", metadata: ["error": "\(error)"])
        }
    }
}
