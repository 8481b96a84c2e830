import Control
import CoreMetrics
import Edge
import Foundation
public import Logging
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

    /// What there is to start from.
    private struct Start {
        let revision: Revision
        let databaseID: String
        let trouble: String?
    }

    /// Serves until it is stopped by a signal.
    public func run() async throws {
        let signals = await SignalService.trap()
        let registry = MetricsRegistry()
        MetricsSystem.bootstrap(registry)
        try settings.admin.requireFree(setting: "--admin")
        let environment = ProcessInfo.processInfo.environment
        ProcessLimits.endAtCrash(environment: environment)
        let descriptors = try ProcessLimits.descriptors(workers: settings.workers)
        try ProcessLimits.rehearseThreads(workers: settings.workers)
        let inherited = try InheritedSockets(environment: environment, process: ProcessInfo.processInfo.processIdentifier)
        let manager = ServiceManager(environment: environment, logger: logger)
        let file = StateFile(path: settings.statePath)
        let loaded = file.load()
        for passedOver in loaded.passedOver { logger.warning("state file passed over", metadata: ["reason": "\(passedOver)"]) }
        let database = LazyStore(settings.database)
        let start = try await start(database, loaded.state)
        // Without the database nobody gets in by a stored key, and the watcher takes the keys over when it is back.
        if start.trouble == nil { try await checkAccess(database) }
        let book = SequenceBook(saved: (loaded.state?.sequences ?? []).map { ($0.name, $0.redirects, $0.cdnBound) })
        let geoIP = GeoIPFiles(settings.geoIPPaths, logger: logger, now: { SystemClock.now() })
        _ = await geoIP.look()
        let geography = await geoIP.geography
        let table = RoutingTable(start.revision.catalog, revision: start.revision.id, geography: geography)
        let logger = logger
        let accessLog = try settings.accessLog.map { configuration in
            try AccessLog(configuration, spareBuffers: 4 * settings.workers + 4, report: { logger.error("\($0)") })
        }
        var edgeConfiguration = EdgeServer.Configuration(
            address: settings.listen, inherited: inherited, workers: settings.workers, limits: settings.limits,
            clientSource: settings.clientSource,
            clientRate: settings.clientRate, accessLog: accessLog,
            pages: Documentation.dataPlane(assets: settings.assets).map {
                EdgePage(path: $0.path, type: $0.type, body: $0.body, policy: $0.policy)
            },
            usesFastPath: settings.usesFastPath)
        edgeConfiguration.credentialOrigins = settings.credentialOrigins
        edgeConfiguration.connections = descriptors.connections
        let edge = try await EdgeServer(
            edgeConfiguration, table: table, sequences: book.set(for: table), report: { logger.error("\($0)") })
        let current = Publisher.Published(
            databaseID: start.databaseID, revision: start.revision.id, checksum: start.revision.checksum, catalog: start.revision.catalog)
        let access = Access(fixed: fixedKeys, now: { SystemClock.now() })
        let publisher = Publisher(
            edge: edge, access: access, book: book, current: current, geography: geography, trouble: start.trouble,
            logger: logger)
        logger.notice(
            "serving redirects",
            metadata: ["listen": "\(edge.address)", "workers": "\(settings.workers)", "revision": "\(start.revision.id)"])
        let identity = FleetMember.Identity(
            id: loaded.state?.node ?? FleetNode.makeID(), name: settings.nodeName, address: "\(edge.address)", boot: FleetNode.makeID(),
            started: SystemClock.now())
        try await run(
            Parts(
                edge: edge, publisher: publisher, access: access, identity: identity, store: database, file: file, geoIP: geoIP,
                manager: manager,
                accessLog: accessLog, registry: registry, adminConnections: descriptors.adminConnections),
            until: signals)
    }

    /// What the services share.
    private struct Parts {
        let edge: EdgeServer
        let publisher: Publisher
        let access: Access
        let identity: FleetMember.Identity
        let store: LazyStore
        let file: StateFile
        let geoIP: GeoIPFiles
        let manager: ServiceManager
        let accessLog: AccessLog?
        let registry: MetricsRegistry
        let adminConnections: Int
    }

    private func run(_ parts: Parts, until signals: UnixSignalsSequence) async throws {
        let logger = logger
        let watcher = DatabaseWatcher(store: parts.store, publisher: parts.publisher)
        let geoIPWatcher = GeoIPWatcher(files: parts.geoIP, publisher: parts.publisher)
        let recorder = TrafficRecorder(
            edge: parts.edge, store: parts.store, node: parts.identity.id, boot: parts.identity.boot, logger: logger,
            now: { SystemClock.now() })
        await parts.publisher.record { await recorder.add($0) }
        let prober = Prober(allowsLinkLocal: settings.probesLinkLocal) { await parts.publisher.healthChanged($0, $1) }
        // The library tells at level info what the line below tells the operator.
        var libraryLogger = Logger(label: "control")
        libraryLogger.logLevel = max(libraryLogger.logLevel, .notice)
        let control = ControlServer.application(
            host: settings.admin.host, port: Int(settings.admin.port), connections: parts.adminConnections,
            node: BalancerNode(
                identity: parts.identity, edge: parts.edge, publisher: parts.publisher, access: parts.access, recorder: recorder,
                prober: prober, geoIP: parts.geoIP, store: parts.store,
                accessLog: parts.accessLog, registry: parts.registry),
            access: parts.access,
            pages: (Dashboard.files + Documentation.controlPlane(assets: settings.assets)).map {
                Page(path: $0.path, type: $0.type, body: $0.body, policy: $0.policy)
            },
            logger: libraryLogger, now: { SystemClock.now() }
        ) { port in
            logger.notice("serving the control plane", metadata: ["admin": "\(settings.admin.host):\(port)"])
            ProcessLimits.closeOnExec()
            parts.manager.ready("redirects on \(parts.edge.address), API on \(settings.admin.host):\(port)")
        }
        let (stops, stop) = AsyncStream.makeStream(of: Void.self)
        let signalService = SignalService(
            signals: signals, watcher: watcher, geoIP: geoIPWatcher, manager: parts.manager, accessLog: parts.accessLog,
            stop: { stop.yield() }, logger: logger)
        // Stopped from the last to the first: the data plane drains while the control plane still answers.
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: Watchdog(manager: parts.manager, edge: parts.edge)),
                    .init(service: control),
                    .init(service: StateKeeper(file: parts.file, node: parts.identity.id, publisher: parts.publisher, logger: logger)),
                    .init(
                        service: FleetMember(
                            identity: parts.identity, store: parts.store, publisher: parts.publisher, access: parts.access, logger: logger,
                            now: { SystemClock.now() })),
                    .init(service: recorder),
                    .init(service: ProbingService(prober: prober, publisher: parts.publisher)),
                    .init(service: watcher),
                    .init(service: AccessLogService(log: parts.accessLog, edge: parts.edge)),
                    .init(service: geoIPWatcher),
                    .init(
                        service: EdgeService(
                            edge: parts.edge, publisher: parts.publisher, lameDuckSeconds: settings.lameDuckSeconds,
                            drainSeconds: settings.drainSeconds,
                            logger: logger)),
                ], logger: logger))
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await signalService.run() }
            tasks.addTask {
                for await _ in stops { await group.triggerGracefulShutdown() }
            }
            try await group.run()
            tasks.cancelAll()
        }
    }

    private var fixedKeys: [APIKey] {
        settings.adminToken.map { [APIKey(name: "environment", role: .admin, hash: Token.hash($0), created: 0, expires: nil)] } ?? []
    }

    /// Makes the first token if there is none, and refuses a control plane that the network reaches without one of the operator's.
    private func checkAccess(_ store: LazyStore) async throws {
        var isConfigured = settings.adminToken != nil
        do {
            let first = FirstToken(path: settings.database.tokenPath, store: store, logger: logger)
            isConfigured = try await first.ensure(isTokenInEnvironment: isConfigured, now: SystemClock.now())
        } catch {
            logger.error("the API's keys cannot be read; only a token of the environment works", metadata: ["error": "\(error)"])
        }
        if !isConfigured, !settings.admin.isLoopback {
            throw ConfigurationFault(
                "--admin (BALANCER_ADMIN) \(settings.admin) can be reached from the network, but no token is configured; "
                    + "set BALANCER_ADMIN_TOKEN, make a key with `video-balancer key create`, or choose a loopback address")
        }
    }

    /// The catalog to begin with: the database's, else the state file's, else one from the environment.
    private func start(_ store: LazyStore, _ saved: SavedState?) async throws -> Start {
        guard let saved else {
            if let stored = try await stored(store) { return stored }
            return try await firstStart(store)
        }
        do {
            if let stored = try await Deadline.result(within: Server.patience, { try await stored(store) }) { return stored }
        } catch {
            guard error is StorageError || error is Deadline.Passed else { throw error }
            logger.error(
                "the database does not answer; serving the last good catalog from the state file",
                metadata: ["error": "\(error)", "database": "\(settings.database)", "revision": "\(saved.revision)"])
            let revision = Revision(id: saved.revision, catalog: saved.catalog, author: "", comment: "", created: 0, checksum: "")
            return Start(revision: revision, databaseID: saved.databaseID, trouble: "\(error)")
        }
        return try await firstStart(store)
    }

    /// How long a start that could begin without the database waits for it.
    private static let patience = Duration.milliseconds(600)

    /// Makes the first revision; of several balancers that start at once on an empty database one does.
    private func firstStart(_ store: LazyStore) async throws -> Start {
        let catalog = try first.catalog()
        do {
            let revision = try await store.append(catalog, expecting: 0, author: "environment", comment: "first start")
            let head = try await store.head()
            return Start(revision: revision, databaseID: head?.databaseID ?? "", trouble: nil)
        } catch let error as StorageError {
            guard case .conflict = error.kind, let stored = try await stored(store) else { throw error }
            return stored
        }
    }

    /// What the database holds; nil when it holds no catalog yet.
    private func stored(_ store: LazyStore) async throws -> Start? {
        guard let head = try await store.head(), let revision = try await store.load() else { return nil }
        let differing = first.differences(from: revision.catalog)
        if !differing.isEmpty {
            logger.warning(
                "the environment differs from the stored catalog, which wins; change it by the API or `video-balancer catalog import`",
                metadata: ["variables": "\(differing.joined(separator: ", "))"])
        }
        return Start(revision: revision, databaseID: head.databaseID, trouble: nil)
    }
}
