import Control
import Edge
import Logging
import Probing
import Steering
import Storage

/// Compiles catalogs into tables and hands them to the workers. The one place where a new table begins.
///
/// Whatever changes the table goes through the turnstile, from reading or writing the database to the last worker's swap: a look at the
/// database that began before a commit must not put the older catalog back after it.
actor Publisher {
    nonisolated let book: SequenceBook
    private let edge: EdgeServer
    private let access: Access
    private let logger: Logger
    private let turnstile = Turnstile()
    private(set) var current: Published
    /// What the workers decide with.
    private(set) var table: RoutingTable
    /// The newest that the database has told of.
    private(set) var newestRevision: Int
    /// When `current` was taken over: milliseconds since 1970, UTC.
    private(set) var applied = SystemClock.now()
    /// Why the database does not answer; nil when it does.
    private(set) var trouble: String?
    private(set) var isDraining = false
    /// Balancers that the database has heard of lately, as of the last poll.
    private(set) var nodesSeen = 0
    /// What the probes say; all up without probes.
    private(set) var health = Health.allUp
    private var prober: Prober?
    /// What is known of clients.
    private var geography: Geography
    /// Told what was counted with each table that is replaced.
    private var recordTraffic: @Sendable ([TrafficCounts]) async -> Void = { _ in }

    /// What the workers answer from.
    struct Published: Sendable, Equatable {
        let databaseID: String
        let revision: Int
        let checksum: String
        let catalog: Catalog
    }

    init(edge: EdgeServer, access: Access, book: SequenceBook, current: Published, geography: Geography, trouble: String?, logger: Logger) {
        self.edge = edge
        self.access = access
        self.book = book
        self.current = current
        self.geography = geography
        table = RoutingTable(current.catalog, revision: current.revision, geography: geography)
        newestRevision = current.revision
        self.trouble = trouble
        self.logger = logger
    }

    func record(_ recordTraffic: @escaping @Sendable ([TrafficCounts]) async -> Void) { self.recordTraffic = recordTraffic }

    /// Applies what the database holds, keys and catalog, if it is not what this node runs. Also backwards: a restored database wins.
    ///
    /// - Parameter now: milliseconds since 1970, UTC.
    func follow(_ store: any CatalogStore & FleetStore, now: Int64) async throws {
        try await turnstile.pass { [self] in
            guard let polled = try await store.poll() else { throw NoCatalog() }
            await apply(polled)
            let head = polled.head
            if await runs(head) { return try await republishForCaps() }
            let revision = try await store.load()
            guard let revision else { throw NoCatalog() }
            try await publish(revision, databaseID: head.databaseID)
        }
    }

    /// Stores a catalog and puts it on every worker; returns when it is durable and live.
    func commit(
        _ catalog: Catalog, to store: any CatalogStore, expecting: Int, author: String, comment: String
    ) async throws -> Revision {
        try await turnstile.pass { [self] in
            let revision = try await store.append(catalog, expecting: expecting, author: author, comment: comment)
            try await publish(revision, databaseID: await current.databaseID)
            return revision
        }
    }

    /// Changes keys; returns when the change is durable and this node goes by it.
    func changeKeys<Value: Sendable>(
        _ store: any KeyStore, _ change: @escaping @Sendable (any KeyStore) async throws -> Value
    ) async throws -> Value {
        try await turnstile.pass { [access] in
            let value = try await change(store)
            access.replaceStored(try await store.keys())
            return value
        }
    }

    private func apply(_ polled: Polled) {
        access.replaceStored(polled.keys)
        nodesSeen = polled.nodesSeen
        newestRevision = polled.head.revision
    }

    /// The database answers but holds no revision.
    struct NoCatalog: Error, CustomStringConvertible {
        let description = "the database holds no catalog any more; restore it or import one"
    }

    private func runs(_ head: Head) -> Bool {
        current.databaseID == head.databaseID && current.revision == head.revision && current.checksum == head.checksum
    }

    /// Probes what the catalog asks for from now on. Changes of health make new tables.
    func probe(with prober: Prober) async throws {
        try await turnstile.pass { [self] in
            await take(prober)
            try await publishTable(await current.catalog, await current.revision)
        }
    }

    private func take(_ prober: Prober) { self.prober = prober }

    /// Takes a changed health over; returns when every worker goes by it.
    func healthChanged(_ health: Health, _ change: Prober.Change) async {
        let target = "\(change.subject.kind) \(change.subject.name)"
        logger.log(
            level: change.isUp ? .notice : .error,
            change.isUp ? "\(target) works again" : "\(target) does not work; nothing new goes there",
            metadata: ["reason": "\(change.reason)"])
        do {
            try await turnstile.pass { [self] in try await publishTable(await current.catalog, await current.revision) }
        } catch {
            logger.error("health could not be taken over", metadata: ["error": "\(error)"])
        }
    }

    /// Takes newer GeoIP databases over; returns when every worker goes by them.
    func geographyChanged(_ geography: Geography) async {
        do {
            try await turnstile.pass { [self] in
                await take(geography)
                try await publishTable(await current.catalog, await current.revision)
            }
        } catch {
            logger.error("the GeoIP databases could not be taken over", metadata: ["error": "\(error)"])
        }
    }

    private func take(_ geography: Geography) { self.geography = geography }

    /// Caps are divided by the balancers that live.
    private func republishForCaps() async throws {
        guard current.catalog.hasCaps, nodesOfTable != max(1, nodesSeen) else { return }
        try await publishTable(current.catalog, current.revision)
    }

    /// How many balancers the workers' table divides caps by.
    private var nodesOfTable = 1

    private func publishTable(_ catalog: Catalog, _ revision: Int) async throws {
        if let prober { health = await prober.watch(ProbeTarget.all(of: catalog)) }
        nodesOfTable = max(1, nodesSeen)
        let table = RoutingTable(catalog, revision: revision, health: health, nodes: nodesOfTable, geography: geography)
        await recordTraffic(try await edge.publish(table, sequences: book.set(for: table)))
        self.table = table
        for panic in table.panics where !wasPanicking.contains(panic) {
            logger.error("too little of the weight works: health is ignored, see failover.panicThreshold", metadata: ["policy": "\(panic)"])
        }
        wasPanicking = Set(table.panics)
        for warning in table.blindRules where !wasBlind.contains(warning) {
            logger.warning("\(warning); see --geoip-country and --geoip-asn")
        }
        wasBlind = table.blindRules
    }

    /// Policies that ignore health; told once in the log.
    private var wasPanicking: Set<String> = []
    /// Rules that ask for a database that is not there; told once in the log.
    private var wasBlind: [String] = []

    private func publish(_ revision: Revision, databaseID: String) async throws {
        try await publishTable(revision.catalog, revision.id)
        current = Published(databaseID: databaseID, revision: revision.id, checksum: revision.checksum, catalog: revision.catalog)
        newestRevision = revision.id
        applied = SystemClock.now()
        logger.notice(
            "catalog applied",
            metadata: ["revision": "\(revision.id)", "author": "\(revision.author)", "comment": "\(revision.comment)"])
    }

    /// Notes that the database failed; told once in the log, not at every poll.
    func databaseFailed(_ reason: String) {
        if trouble != reason {
            logger.error(
                "the database does not answer; redirects go on with revision \(current.revision)", metadata: ["error": "\(reason)"])
        }
        trouble = reason
    }

    func databaseAnswered() {
        if trouble != nil { logger.notice("the database answers again") }
        trouble = nil
    }

    func startDraining() { isDraining = true }

    /// What the state file keeps of the node with this id.
    func savedState(of node: String) -> SavedState {
        SavedState(
            databaseID: current.databaseID, revision: current.revision, catalog: current.catalog,
            sequences: book.snapshot.map { SavedSequence(name: $0.name, redirects: $0.redirects, cdnBound: $0.cdnBound) }, node: node)
    }
}
