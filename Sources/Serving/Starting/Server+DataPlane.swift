import Edge
import Fetching
import Foundation
import Logging
import NIOPosix
import Steering
import Storage

/// The data plane, from the settings to its first answer.
extension Server {
    struct DataPlane {
        let edge: EdgeServer
        /// Nil when none is kept.
        let accessLog: AccessLog?
        let fetcher: Fetcher
        /// Nil without TLS.
        let certificates: CertificateFiles?
    }

    /// Where clients connect: the service manager's sockets, else `--listen`; then the addresses of `--listen-tls`.
    func listeners(_ environment: [String: String]) throws -> [Listener] {
        let inherited = try InheritedSockets(environment: environment, process: ProcessInfo.processInfo.processIdentifier)
        let plain = inherited.map { Listener($0) } ?? Listener(settings.listen)
        return ([plain] + settings.listenTLS.map { Listener(tls: $0) }).map { $0.expecting(proxyHeader: settings.expectsProxyHeader) }
    }

    /// Begins to answer.
    ///
    /// - Parameters:
    ///   - connections: most at once.
    ///   - signals: told that from now on connections may be open.
    func openDataPlane(
        _ listeners: [Listener], connections: Int, _ beginning: Beginning, _ signals: SignalService
    ) async throws -> DataPlane {
        let logger = logger
        let accessLog = try settings.accessLog.map { configuration in
            try AccessLog(configuration, spareBuffers: 4 * settings.workers + 4, report: { logger.error("\($0)") })
        }
        let certificates =
            settings.certificates.isEmpty
            ? nil
            : CertificateFiles(
                settings.certificates, ticketKeys: settings.ticketKeysPath, logger: logger, now: { SystemClock.now() },
                uptime: { SystemClock.uptime() })
        var configuration = edgeConfiguration(listeners, accessLog)
        configuration.identity = try await certificates?.load()
        configuration.connections = connections
        // A thread of its own: a long manifest holds up no probe and no player.
        let fetcher = Fetcher(
            allowsLinkLocal: settings.probesLinkLocal, on: MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        ) { trouble in
            logger.warning(
                "a target has given no manifest",
                metadata: [
                    "target": "\(trouble.host)", "film": "\(trouble.path)", "reason": "\(trouble.reason)", "cause": "\(trouble.cause)",
                ])
        }
        configuration.upstream = ManifestUpstream(fetcher: fetcher)
        signals.opens()
        let edge = try await EdgeServer(
            configuration, table: beginning.table, sequences: beginning.book.set(for: beginning.table),
            report: { logger.error("\($0)") })
        logger.notice(
            "serving redirects",
            metadata: [
                "listen": "\(edge.address)", "workers": "\(settings.workers)", "revision": "\(beginning.inputs.published.revision)",
            ])
        for address in edge.addresses.dropFirst() {
            logger.notice("serving redirects by HTTPS", metadata: ["listen": "\(address)"])
        }
        return DataPlane(edge: edge, accessLog: accessLog, fetcher: fetcher, certificates: certificates)
    }

    private func edgeConfiguration(_ listeners: [Listener], _ accessLog: AccessLog?) -> EdgeServer.Configuration {
        let pages = Documentation.dataPlane(assets: settings.assets).map {
            EdgePage(path: $0.path, type: $0.type, body: $0.body, policy: $0.policy)
        }
        var configuration = EdgeServer.Configuration(
            listeners: listeners, workers: settings.workers, limits: settings.limits, clientSource: settings.clientSource,
            clientRate: settings.clientRate, accessLog: accessLog, pages: pages, usesFastPath: settings.usesFastPath)
        configuration.credentialOrigins = settings.credentialOrigins
        configuration.http2 = settings.http2
        return configuration
    }
}
