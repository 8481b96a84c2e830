import Control
import CoreMetrics
import Edge
import Foundation
public import Logging
import NIOPosix
import Steering
import Storage

/// Wires everything together: the only place that sees all parts.
///
/// A start has an order: what can be refused comes first, then what the balancer begins with, then the data plane, and what follows it
/// while it runs.
public struct Server: Sendable {
    let settings: Settings
    let logger: Logger
    private let first: FirstCatalog

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
        let listeners = try listeners(environment)
        let adminSecurity = try await openAdminSecurity()
        let descriptors = try ProcessLimits.descriptors(workers: settings.workers, listeners)
        try ProcessLimits.rehearseThreads(workers: settings.workers)
        let manager = ServiceManager(environment: environment, logger: logger)
        let file = StateFile(path: settings.statePath)
        let loaded = file.load()
        for passedOver in loaded.passedOver { logger.warning("state file passed over", metadata: ["reason": "\(passedOver)"]) }
        let scope = CallScope()
        let store = SQLStore(settings.database, scope: scope) { [logger] in logger.notice("\($0)") }
        let start = try await StartCatalog(store: store, place: "\(settings.database)", first: first, logger: logger).find(loaded)
        // Without the database nobody gets in by a stored key, and the watcher takes the keys over when it is back.
        let firstToken = start.trouble == nil ? try await checkAccess(store) : nil
        let beginning = await Beginning(start.published, loaded.state, settings, logger)
        let dataPlane = try await openDataPlane(listeners, connections: descriptors.connections, beginning, signals)
        let edge = dataPlane.edge
        let identity = FleetMember.Identity(
            id: loaded.state?.node ?? FleetNode.makeID(), name: settings.nodeName, address: "\(edge.address)", boot: FleetNode.makeID(),
            started: SystemClock.now())
        let recorder = TrafficRecorder(
            edge: edge, store: store, node: identity.id, boot: identity.boot, logger: logger, now: { SystemClock.now() })
        let access = Access(fixed: fixedKeys, now: { SystemClock.now() })
        let publisher = Publisher(
            on: MultiThreadedEventLoopGroup(numberOfThreads: 1).next(), inputs: beginning.inputs, table: beginning.table,
            book: beginning.book, access: access, logger: logger, now: { SystemClock.now() }
        ) { table, sequences in
            await recorder.add(try await edge.publish(table, sequences: sequences))
        }
        let services = Services(
            settings: settings, logger: logger, edge: edge, accessLog: dataPlane.accessLog, fetcher: dataPlane.fetcher,
            certificates: dataPlane.certificates, adminSecurity: adminSecurity, publisher: publisher,
            condition: NodeCondition(trouble: start.trouble, logger: logger), recorder: recorder, access: access, identity: identity,
            firstToken: firstToken, store: store, scope: scope, file: file, geoIP: beginning.geoIP, signingKeys: beginning.signingKeys,
            manager: manager,
            registry: registry,
            adminConnections: descriptors.adminConnections, remembered: beginning.remembered)
        try await services.run(until: signals)
    }
}
