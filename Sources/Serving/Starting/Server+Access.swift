import Control
import Edge
import Logging
import Storage

/// Who may use the API of a balancer that starts.
extension Server {
    var fixedKeys: [APIKey] {
        settings.adminToken.map { [APIKey(name: "environment", role: .admin, hash: Token.hash($0), created: 0, expires: nil)] } ?? []
    }

    /// Refuses a control plane that the network reaches without a token of the operator's.
    ///
    /// - Returns: the token to be made once the balancer serves; nil when the operator has one.
    func checkAccess(_ store: SQLStore) async throws -> FirstToken? {
        if settings.adminToken != nil { return nil }
        let first = FirstToken(path: settings.database.tokenPath, store: store, logger: logger)
        do {
            if try await first.isConfigured() { return nil }
        } catch {
            logger.error("the API's keys cannot be read; only a token of the environment works", metadata: ["error": "\(error)"])
        }
        if settings.admin.isLoopback { return first }
        throw ConfigurationFault(
            "--admin (BALANCER_ADMIN) \(settings.admin) can be reached from the network, but no token is configured; "
                + "set BALANCER_ADMIN_TOKEN, make a key with `video-balancer key create`, or choose a loopback address")
    }

    /// Reads the certificate of the control plane; where there is none, says so if the network reaches it.
    func openAdminSecurity() async throws -> AdminSecurity? {
        if settings.adminSpeaksTLS {
            return try await AdminSecurity(settings.adminCertificates, clientAuthorities: settings.adminClientCA, logger: logger)
        }
        if !settings.admin.isLoopback, !settings.allowsPlainAdmin {
            logger.warning(
                """
                the control plane can be reached from the network without TLS, and tokens travel in the clear: set --admin-tls-certificate, \
                or --admin-plain on where something else protects it
                """,
                metadata: ["admin": "\(settings.admin)"])
        }
        return nil
    }
}
