import Control
import Edge
import Fetching
import Foundation
import Logging
import Probing
import ServiceLifecycle
import Storage

/// Everything that runs beside the data plane until the end, and what it shares.
struct Services {
    let settings: Settings
    let logger: Logger
    let edge: EdgeServer
    let accessLog: AccessLog?
    let fetcher: Fetcher
    let certificates: CertificateFiles?
    /// Nil when the control plane speaks without TLS.
    let adminSecurity: AdminSecurity?
    let publisher: Publisher
    let condition: NodeCondition
    let recorder: TrafficRecorder
    let access: Access
    let identity: FleetMember.Identity
    /// To be made if there is none; nil when the operator has a token.
    let firstToken: FirstToken?
    let store: SQLStore
    let scope: CallScope
    let file: StateFile
    let geoIP: GeoIPFiles
    let signingKeys: SigningKeyFiles
    let manager: ServiceManager
    let registry: MetricsRegistry
    let adminConnections: Int
    let remembered: [Remembered]

    /// What looks at the outside from time to time, and at once on SIGHUP.
    private struct Watchers {
        let database: DatabaseWatcher
        let geoIP: GeoIPWatcher
        let signingKeys: SigningKeyWatcher
        let certificates: CertificateWatcher
        let adminCertificates: CertificateWatcher
    }

    /// Runs them until a signal stops them.
    func run(until signals: SignalService) async throws {
        let watchers = Watchers(
            database: DatabaseWatcher(store: store, publisher: publisher, condition: condition, place: "\(settings.database)"),
            geoIP: GeoIPWatcher(files: geoIP, publisher: publisher),
            signingKeys: SigningKeyWatcher(files: signingKeys, publisher: publisher),
            certificates: CertificateWatcher(logger: logger) { [certificates, edge] in
                guard let certificates, let identity = await certificates.look() else { return }
                do { try await edge.publish(identity) } catch {
                    await certificates.isNotInUse("\(error)")
                    throw error
                }
            },
            adminCertificates: CertificateWatcher(logger: logger) { [adminSecurity] in try await adminSecurity?.look() })
        let prober = Prober(allowsLinkLocal: settings.probesLinkLocal, remembering: remembered) { [logger, publisher] snapshot, change in
            ProbeReports.log(change, logger)
            await publisher.healthChanged(snapshot)
        }
        let stopClock = StopClock(scope: scope) { [logger] in
            logger.warning("stopped at the deadline although something hung: the database, a disk or the log")
            // The log has a thread of its own, which may be what hangs.
            Thread.sleep(forTimeInterval: 0.1)
        }
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let (stops, stop) = AsyncStream.makeStream(of: Void.self)
        let actions = actions(watchers, stopClock) { stop.yield() }
        let group = group(watchers, prober, stopClock, Signalled(signals: signals, actions: actions), announcement(ports)) {
            port.yield($0)
        }
        try await withThrowingTaskGroup { tasks in
            tasks.addTask {
                for await _ in stops { await group.triggerGracefulShutdown() }
            }
            try await group.run()
            tasks.cancelAll()
        }
    }

    private func actions(
        _ watchers: Watchers, _ stopClock: StopClock, stop: @escaping @Sendable () -> Void
    ) -> SignalService.Actions {
        // Each by itself: one may hang.
        let looks = [
            watchers.geoIP.look, watchers.signingKeys.look, watchers.certificates.look, watchers.adminCertificates.look,
            watchers.database.look,
        ].map { Coalesced($0) }
        return SignalService.Actions(
            reload: { [manager, accessLog] in
                manager.reloading()
                accessLog?.reopen()
                await withDiscardingTaskGroup { tasks in
                    for look in looks { tasks.addTask { await look() } }
                }
                manager.reloaded()
            },
            stop: { [manager, longest] in
                manager.stopping()
                stopClock.set(longest)
                stop()
            })
    }

    /// From SIGTERM to the end of the process, whatever hangs.
    private var longest: Duration { .seconds(settings.lameDuckSeconds + settings.drainSeconds) + EdgeService.rest }

    /// Stopped from the last to the first: the data plane drains while the control plane still answers.
    private func group(
        _ watchers: Watchers, _ prober: Prober, _ stopClock: StopClock, _ signalled: Signalled, _ announcement: Announcement,
        started: @escaping @Sendable (_ port: Int) -> Void
    ) -> ServiceGroup {
        let services: [any Service] = [
            Watchdog(manager: manager, edge: edge),
            signalled,
            control(watchers.database, prober, started: started),
            announcement,
            StateKeeper(file: file, node: identity.id, publisher: publisher, prober: prober, logger: logger),
            FleetMember(
                identity: identity, store: store, publisher: publisher, condition: condition, access: access, logger: logger,
                now: { SystemClock.now() }),
            recorder,
            ProbingService(prober: prober, publisher: publisher, logger: logger),
            PlayerVerdictService(edge: edge, publisher: publisher, logger: logger),
            watchers.database,
            AccessLogService(log: accessLog, edge: edge),
            watchers.geoIP,
            watchers.signingKeys,
            watchers.certificates,
            watchers.adminCertificates,
            EdgeService(
                edge: edge, condition: condition, stopClock: stopClock, lameDuckSeconds: settings.lameDuckSeconds,
                drainSeconds: settings.drainSeconds, logger: logger),
        ]
        return ServiceGroup(configuration: .init(services: services.map { .init(service: $0) }, logger: logger))
    }

    /// Both ports are bound: a start that is refused has made nothing.
    private func announcement(_ ports: AsyncStream<Int>) -> Announcement {
        let host = settings.admin.host
        return Announcement(ports: ports) { [firstToken, store, publisher, logger, manager, edge, settings] port in
            do {
                if try await firstToken?.make(now: SystemClock.now()) == true { await publisher.stored(try await store.keys()) }
            } catch {
                logger.error("the first API token cannot be made", metadata: ["error": "\(error)"])
            }
            let scheme = settings.adminSpeaksTLS ? "https" : "http"
            logger.notice("serving the control plane", metadata: ["admin": "\(host):\(port)", "scheme": "\(scheme)"])
            ProcessLimits.closeOnExec()
            manager.ready("redirects on \(edge.address), API on \(host):\(port)")
        }
    }

    private func control(
        _ watcher: DatabaseWatcher, _ prober: Prober, started: @escaping @Sendable (_ port: Int) -> Void
    ) -> some Service {
        // The library tells at level info what the line below tells the operator.
        var libraryLogger = Logger(label: "control")
        libraryLogger.logLevel = max(libraryLogger.logLevel, .notice)
        return ControlServer.service(
            host: settings.admin.host, port: Int(settings.admin.port), tls: adminSecurity?.tls, connections: adminConnections,
            names: HostNames(settings.adminNames),
            node: BalancerNode(
                identity: identity, edge: edge, publisher: publisher, condition: condition, access: access, recorder: recorder,
                prober: prober, geoIP: geoIP, signingKeys: signingKeys, certificates: certificates,
                adminSecurity: adminSecurity, store: store, watcher: watcher, accessLog: accessLog,
                fetcher: fetcher,
                registry: registry),
            store: store, access: access,
            pages: (Dashboard.files + Documentation.controlPlane(assets: settings.assets)).map {
                Page(path: $0.path, type: $0.type, body: $0.body, policy: $0.policy)
            },
            logger: libraryLogger, now: { SystemClock.now() }, started: started)
    }
}
