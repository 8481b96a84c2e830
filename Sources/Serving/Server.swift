import Control
import CoreMetrics
import Edge
import Foundation
public import Logging
import NIOPosix
import Probing
import ServiceLifecycle
import Steering
import Storage
import UnixSignals

/// Wires everything together: the only place that sees all parts.
public struct Server: Sendable {
    private let settings: Settings
    private let first: FirstCatalog
    private let logger: Logger

    public init(settings: Settings, first: FirstCatalog, logger: Logger) {
        self.settings = settings
        self.first = first
        self.logger = logger
    }

    /// Serves until it is stopped by a signal.
    public func run() async throws {
        let logger = logger
        let signals = SignalService(await SignalService.trap(), logger: logger) { code in
            await ProcessLog.finish()
            exit(code)
        }
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { await signals.run() }
            try await serve(signals)
            tasks.cancelAll()
        }
    }

    private func serve(_ signals: SignalService) async throws {
        let registry = MetricsRegistry()
        MetricsSystem.bootstrap(registry)
        try settings.admin.requireFree(setting: "--admin")
        let environment = ProcessInfo.processInfo.environment
        ProcessLimits.endAtCrash(environment: environment)
        let inherited = try InheritedSockets(environment: environment, process: ProcessInfo.processInfo.processIdentifier)
        var listener = inherited.map { Listener($0) } ?? Listener(settings.listen)
        listener.expectsProxyHeader = settings.expectsProxyHeader
        let descriptors = try ProcessLimits.descriptors(workers: settings.workers, [listener])
        try ProcessLimits.rehearseThreads(workers: settings.workers)
        let manager = ServiceManager(environment: environment, logger: logger)
        let file = StateFile(path: settings.statePath)
        let loaded = file.load()
        for passedOver in loaded.passedOver { logger.warning("state file passed over", metadata: ["reason": "\(passedOver)"]) }
        let scope = CallScope()
        let logger = logger
        let database = SQLStore(settings.database, scope: scope) { logger.notice("\($0)") }
        let start = try await StartCatalog(store: database, place: "\(settings.database)", first: first, logger: logger).find(loaded)
        // Without the database nobody gets in by a stored key, and the watcher takes the keys over when it is back.
        if start.trouble == nil { try await checkAccess(database) }
        let book = SequenceBook(saved: (loaded.state?.sequences ?? []).map { ($0.name, $0.redirects, $0.cdnBound) })
        let geoIP = GeoIPFiles(settings.geoIPPaths, logger: logger, now: { SystemClock.now() })
        _ = await geoIP.look()
        let remembered = (loaded.state?.verdicts ?? []).compactMap { $0.remembered(now: SystemClock.now()) }
        var inputs = Inputs(published: start.published, geography: await geoIP.geography)
        inputs.health = Remembered.health(remembered, of: ProbeTarget.all(of: start.published.catalog))
        let table = inputs.table(inputs.compiled())
        let accessLog = try settings.accessLog.map { configuration in
            try AccessLog(configuration, spareBuffers: 4 * settings.workers + 4, report: { logger.error("\($0)") })
        }
        let certificates =
            settings.certificates.isEmpty ? nil : CertificateFiles(settings.certificates, logger: logger) { SystemClock.now() }
        let tlsIdentity = try await certificates?.load()
        signals.opens()
        let listeners = [inherited.map { Listener($0) } ?? Listener(settings.listen)] + settings.listenTLS.map { Listener(tls: $0) }
        var edgeConfiguration = EdgeServer.Configuration(
            listeners: listeners.map { $0.expecting(proxyHeader: settings.expectsProxyHeader) }, workers: settings.workers,
            limits: settings.limits,
            clientSource: settings.clientSource,
            clientRate: settings.clientRate, accessLog: accessLog,
            pages: Documentation.dataPlane(assets: settings.assets).map {
                EdgePage(path: $0.path, type: $0.type, body: $0.body, policy: $0.policy)
            },
            usesFastPath: settings.usesFastPath)
        edgeConfiguration.credentialOrigins = settings.credentialOrigins
        edgeConfiguration.identity = tlsIdentity
        edgeConfiguration.connections = descriptors.connections
        let edge = try await EdgeServer(
            edgeConfiguration, table: table, sequences: book.set(for: table), report: { logger.error("\($0)") })
        logger.notice(
            "serving redirects",
            metadata: ["listen": "\(edge.address)", "workers": "\(settings.workers)", "revision": "\(start.published.revision)"])
        for address in edge.addresses.dropFirst() {
            logger.notice("serving redirects by HTTPS", metadata: ["listen": "\(address)"])
        }
        let identity = FleetMember.Identity(
            id: loaded.state?.node ?? FleetNode.makeID(), name: settings.nodeName, address: "\(edge.address)", boot: FleetNode.makeID(),
            started: SystemClock.now())
        let recorder = TrafficRecorder(
            edge: edge, store: database, node: identity.id, boot: identity.boot, logger: logger, now: { SystemClock.now() })
        let access = Access(fixed: fixedKeys, now: { SystemClock.now() })
        let publisher = Publisher(
            on: MultiThreadedEventLoopGroup(numberOfThreads: 1).next(), inputs: inputs, table: table, book: book, access: access,
            logger: logger, now: { SystemClock.now() }
        ) { table, sequences in
            await recorder.add(try await edge.publish(table, sequences: sequences))
        }
        try await run(
            Parts(
                edge: edge, publisher: publisher, condition: NodeCondition(trouble: start.trouble, logger: logger), recorder: recorder,
                access: access, identity: identity, store: database, scope: scope, file: file, geoIP: geoIP, certificates: certificates,
                manager: manager,
                accessLog: accessLog, registry: registry, adminConnections: descriptors.adminConnections,
                remembered: remembered),
            until: signals)
    }

    /// What the services share.
    private struct Parts {
        let edge: EdgeServer
        let publisher: Publisher
        let condition: NodeCondition
        let recorder: TrafficRecorder
        let access: Access
        let identity: FleetMember.Identity
        let store: SQLStore
        let scope: CallScope
        let file: StateFile
        let geoIP: GeoIPFiles
        let certificates: CertificateFiles?
        let manager: ServiceManager
        let accessLog: AccessLog?
        let registry: MetricsRegistry
        let adminConnections: Int
        let remembered: [Remembered]
    }

    private func run(_ parts: Parts, until signals: SignalService) async throws {
        let logger = logger
        let watcher = DatabaseWatcher(
            store: parts.store, publisher: parts.publisher, condition: parts.condition,
            place: "\(settings.database)")
        let geoIPWatcher = GeoIPWatcher(files: parts.geoIP, publisher: parts.publisher)
        let certificateWatcher = CertificateWatcher(files: parts.certificates, edge: parts.edge, logger: logger)
        let prober = Prober(allowsLinkLocal: settings.probesLinkLocal, remembering: parts.remembered) { snapshot, change in
            ProbeReports.log(change, logger)
            await parts.publisher.healthChanged(snapshot)
        }
        let stopClock = StopClock(scope: parts.scope) {
            logger.warning("stopped at the deadline although something hung: the database, a disk or the log")
            // The log has a thread of its own, which may be what hangs.
            Thread.sleep(forTimeInterval: 0.1)
        }
        let control = control(parts, watcher, prober)
        let (stops, stop) = AsyncStream.makeStream(of: Void.self)
        let actions = SignalService.Actions(
            reload: {
                parts.manager.reloading()
                parts.accessLog?.reopen()
                async let geography: Void = geoIPWatcher.look()
                async let certificates: Void = certificateWatcher.look()
                async let catalog: Void = watcher.look()
                _ = await (geography, certificates, catalog)
                parts.manager.reloaded()
            },
            stop: { [longest] in
                parts.manager.stopping()
                stopClock.set(longest)
                stop.yield()
            })
        // Stopped from the last to the first: the data plane drains while the control plane still answers.
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: Watchdog(manager: parts.manager, edge: parts.edge)),
                    .init(service: Signalled(signals: signals, actions: actions)),
                    .init(service: control),
                    .init(
                        service: StateKeeper(
                            file: parts.file, node: parts.identity.id, publisher: parts.publisher, prober: prober, logger: logger)),
                    .init(
                        service: FleetMember(
                            identity: parts.identity, store: parts.store, publisher: parts.publisher, condition: parts.condition,
                            access: parts.access, logger: logger, now: { SystemClock.now() })),
                    .init(service: parts.recorder),
                    .init(service: ProbingService(prober: prober, publisher: parts.publisher)),
                    .init(service: watcher),
                    .init(service: AccessLogService(log: parts.accessLog, edge: parts.edge)),
                    .init(service: geoIPWatcher),
                    .init(service: certificateWatcher),
                    .init(
                        service: EdgeService(
                            edge: parts.edge, condition: parts.condition, stopClock: stopClock,
                            lameDuckSeconds: settings.lameDuckSeconds, drainSeconds: settings.drainSeconds, logger: logger)),
                ], logger: logger))
        try await withThrowingTaskGroup { tasks in
            tasks.addTask {
                for await _ in stops { await group.triggerGracefulShutdown() }
            }
            try await group.run()
            tasks.cancelAll()
        }
    }

    /// From SIGTERM to the end of the process, whatever hangs.
    private var longest: Duration { .seconds(settings.lameDuckSeconds + settings.drainSeconds) + EdgeService.rest }

    private func control(_ parts: Parts, _ watcher: DatabaseWatcher, _ prober: Prober) -> some Service {
        // The library tells at level info what the line below tells the operator.
        var libraryLogger = Logger(label: "control")
        libraryLogger.logLevel = max(libraryLogger.logLevel, .notice)
        let host = settings.admin.host
        return ControlServer.service(
            host: host, port: Int(settings.admin.port), connections: parts.adminConnections,
            names: HostNames(settings.adminNames),
            node: BalancerNode(
                identity: parts.identity, edge: parts.edge, publisher: parts.publisher, condition: parts.condition, access: parts.access,
                recorder: parts.recorder, prober: prober, geoIP: parts.geoIP, certificates: parts.certificates, store: parts.store,
                watcher: watcher,
                accessLog: parts.accessLog, registry: parts.registry),
            store: parts.store, access: parts.access,
            pages: (Dashboard.files + Documentation.controlPlane(assets: settings.assets)).map {
                Page(path: $0.path, type: $0.type, body: $0.body, policy: $0.policy)
            },
            logger: libraryLogger, now: { SystemClock.now() }
        ) { [logger] port in
            logger.notice("serving the control plane", metadata: ["admin": "\(host):\(port)"])
            ProcessLimits.closeOnExec()
            parts.manager.ready("redirects on \(parts.edge.address), API on \(host):\(port)")
        }
    }

    private var fixedKeys: [APIKey] {
        settings.adminToken.map { [APIKey(name: "environment", role: .admin, hash: Token.hash($0), created: 0, expires: nil)] } ?? []
    }

    /// Makes the first token if there is none, and refuses a control plane that the network reaches without one of the operator's.
    private func checkAccess(_ store: SQLStore) async throws {
        var isConfigured = settings.adminToken != nil
        do {
            let first = FirstToken(path: settings.database.tokenPath, store: store, logger: logger)
            isConfigured = try await first.ensure(
                isTokenInEnvironment: isConfigured, mayMake: settings.admin.isLoopback, now: SystemClock.now())
        } catch {
            logger.error("the API's keys cannot be read; only a token of the environment works", metadata: ["error": "\(error)"])
        }
        if !isConfigured, !settings.admin.isLoopback {
            throw ConfigurationFault(
                "--admin (BALANCER_ADMIN) \(settings.admin) can be reached from the network, but no token is configured; "
                    + "set BALANCER_ADMIN_TOKEN, make a key with `video-balancer key create`, or choose a loopback address")
        }
    }
}
