import Control
import Logging
import NIOCore
import Probing
import Signing
import Steering
import Storage
import Synchronization

/// Compiles what is known into tables and hands them to the workers. The one place where a new table begins.
///
/// What must be quick never waits here for what may hang: whoever asks a database, reads a file or looks a name up does that elsewhere and hands
/// the result in. An update waits for one compile and swap at most, that of the update before it, and the actor runs on a thread of its
/// own. Updates that come meanwhile become one table.
actor Publisher {
    /// Puts a table on every worker; returns when all answer from it.
    typealias Apply = @Sendable (RoutingTable, SequenceSet) async throws -> Void

    nonisolated let book: SequenceBook
    private nonisolated let loop: any EventLoop
    // The loop is held above and outlives every job of the actor.
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.executor.asUnownedSerialExecutor() }

    private let access: Access
    private let logger: Logger
    private let apply: Apply
    private let now: @Sendable () -> Int64
    private var inputs: Inputs
    /// The catalog of the table that is live, and which one it is.
    private var compiled: (number: Int, catalog: CompiledCatalog)
    /// Counts the updates that were handed in, and those that are live.
    private var wanted: UInt64 = 0
    private var live: UInt64 = 0
    private var isPublishing = false
    private var waiting: [(update: UInt64, continuation: CheckedContinuation<Void, Never>)] = []
    private var looks = Looks()
    private var prober: Prober?
    private var probed: Head?
    private var healthNumber: UInt64 = 0
    private var told = Told()
    private nonisolated let shown: Mutex<View>

    /// What is live now, for whoever shows it: on any thread, without waiting for a compile.
    struct View: Sendable {
        fileprivate(set) var current: Published
        /// What the workers decide with.
        fileprivate(set) var table: RoutingTable
        /// The newest that the database has told of.
        fileprivate(set) var newestRevision: Int
        /// When `current` was taken over: milliseconds since 1970, UTC.
        fileprivate(set) var applied: Int64
        /// Balancers that the database has heard of lately, as of the last poll.
        fileprivate(set) var nodesSeen = 0
    }

    nonisolated var view: View { shown.withLock { $0 } }

    /// - Parameters:
    ///   - loop: runs the actor; nothing else that takes time may run on it.
    ///   - table: compiled from `inputs` and live on every worker.
    ///   - now: milliseconds since 1970, UTC.
    init(
        on loop: any EventLoop, inputs: Inputs, table: RoutingTable, book: SequenceBook, access: Access, logger: Logger,
        now: @escaping @Sendable () -> Int64, apply: @escaping Apply
    ) {
        self.loop = loop
        self.inputs = inputs
        compiled = (inputs.compilation, table.compiled)
        self.book = book
        self.access = access
        self.logger = logger
        self.apply = apply
        self.now = now
        shown = Mutex(
            View(current: inputs.published, table: table, newestRevision: inputs.published.revision, applied: now()))
        told.tell(table, logger)
    }

    // MARK: What is handed in

    /// Begins a look at the database, of which `take` is told the result: a look that began before a write was done must not undo it.
    func beginLook() -> Looks.Look { looks.begin() }

    /// Takes over what a look at the database found.
    ///
    /// - Parameter revision: the newest revision; nil when it is the one that is live.
    func take(_ polled: Polled, _ revision: Revision?, of look: Looks.Look) async {
        if looks.mayTakeKeys(of: look) { access.replaceStored(polled.keys) }
        guard looks.mayTakeCatalog(of: look) else { return }
        shown.withLock {
            $0.nodesSeen = polled.nodesSeen
            $0.newestRevision = polled.head.revision
        }
        let nodes = max(1, polled.nodesSeen)
        if let revision {
            await publish(Published(revision, databaseID: polled.head.databaseID), nodes: nodes, revision)
        } else if inputs.published.catalog.hasCaps, inputs.nodes != nodes {
            await update { $0.nodes = nodes }
        }
    }

    /// Takes a revision over that this node has stored; returns when every worker answers from it.
    func stored(_ revision: Revision) async {
        looks.catalogWritten()
        // Of two edits that were stored one after the other the first may be told last; and a look may have found this one already, whose
        // swap is still under way.
        guard revision.id > inputs.published.revision else { return await handedInIsLive() }
        await publish(Published(revision, databaseID: inputs.published.databaseID), nodes: max(1, view.nodesSeen), revision)
    }

    /// Takes over the keys as they are after this node has changed them.
    func stored(_ keys: [APIKey]) {
        looks.keysWritten()
        access.replaceStored(keys)
    }

    /// Probes what the catalog asks for from now on.
    func probe(with prober: Prober) async {
        self.prober = prober
        await update { _ in }
    }

    /// Takes a changed health over; returns when every worker goes by it.
    func healthChanged(_ snapshot: Prober.Snapshot) async {
        guard note(snapshot) else { return await handedInIsLive() }
        await update { _ in }
    }

    /// Takes over which CDNs their players leave by themselves; returns when every worker goes by it.
    func leftCDNsChanged(_ cdns: Set<String>) async {
        guard cdns != inputs.leftCDNs else { return }
        await update { $0.leftCDNs = cdns }
    }

    /// Takes newer GeoIP databases over; returns when every worker goes by them.
    func geographyChanged(_ geography: Geography) async { await update { $0.geography = geography } }

    /// Takes other signing keys over; returns when every worker signs by them.
    func signingKeysChanged(_ keys: [String: SigningKey]?) async { await update { $0.signingKeys = keys } }

    private func publish(_ published: Published, nodes: Int, _ revision: Revision) async {
        await update {
            $0.published = published
            $0.nodes = nodes
        }
        logger.notice(
            "catalog applied",
            metadata: ["revision": "\(revision.id)", "author": "\(revision.author)", "comment": "\(revision.comment)"])
    }

    /// - Returns: whether it is newer than what is known.
    private func note(_ snapshot: Prober.Snapshot) -> Bool {
        guard snapshot.number > healthNumber else { return false }
        healthNumber = snapshot.number
        inputs.health = snapshot.health
        return true
    }

    // MARK: Compile and swap

    /// Updates that stand behind the swap that is under way.
    var waitingUpdates: Int { waiting.count }

    /// Changes the inputs; returns when a table made of them is live.
    private func update(_ change: (inout Inputs) -> Void) async {
        change(&inputs)
        wanted += 1
        if isPublishing { return await handedInIsLive() }
        isPublishing = true
        while live < wanted { await publishOnce() }
        isPublishing = false
    }

    /// Returns when what was handed in so far is live.
    private func handedInIsLive() async {
        let mine = wanted
        guard live < mine else { return }
        await withCheckedContinuation { waiting.append((mine, $0)) }
    }

    private func publishOnce() async {
        if let prober, probed != inputs.published.head {
            let published = inputs.published
            probed = published.head
            _ = note(await prober.watch(ProbeTarget.all(of: published.catalog)))
        }
        let update = wanted
        let inputs = inputs
        if compiled.number != inputs.compilation { compiled = (inputs.compilation, inputs.compiled()) }
        let table = inputs.table(compiled.catalog)
        do {
            try await apply(table, book.set(for: table))
            show(inputs.published, table)
        } catch {
            // The workers have ended: what comes now is for the next start.
            logger.warning("a table came after the last worker's end", metadata: ["revision": "\(table.revision)", "error": "\(error)"])
        }
        live = update
        let done = waiting.prefix { $0.update <= update }
        waiting.removeFirst(done.count)
        for waiter in done { waiter.continuation.resume() }
    }

    private func show(_ published: Published, _ table: RoutingTable) {
        let time = now()
        shown.withLock { view in
            if view.current.head != published.head {
                view.applied = time
                view.newestRevision = max(published.revision, view.current.databaseID == published.databaseID ? view.newestRevision : 0)
            }
            view.current = published
            view.table = table
        }
        told.tell(table, logger)
    }

    /// What the log has been told of a table, so that it is told once.
    private struct Told {
        /// Policies that ignore health.
        private var panics: Set<String> = []
        /// Policies by which the origin stands in for CDNs.
        private var failovers: Set<String> = []
        /// Rules that ask for a database that is not there.
        private var blindRules: [String] = []
        /// Time zones that are not known.
        private var zones: [String] = []
        /// Targets whose links cannot be signed, and why.
        private var unsigned: [String: String] = [:]
        private var signingWarnings: [String] = []

        mutating func tell(_ table: RoutingTable, _ logger: Logger) {
            for panic in table.panics where !panics.contains(panic) {
                logger.error(
                    "too little of the weight works: health is ignored, see failover.panicThreshold", metadata: ["policy": "\(panic)"])
            }
            panics = Set(table.panics)
            for failover in table.failovers where !failovers.contains(failover) {
                logger.error(
                    "too little of the weight works: the origin takes the shares of CDNs that do not, see failover.originLimit",
                    metadata: ["policy": "\(failover)"])
            }
            failovers = Set(table.failovers)
            for warning in table.blindRules where !blindRules.contains(warning) {
                logger.warning("\(warning); see --geoip-country and --geoip-asn")
            }
            blindRules = table.blindRules
            for warning in table.zoneWarnings where !zones.contains(warning) {
                logger.warning("\(warning); upgrade the program, or name another zone or a utcOffset")
            }
            zones = table.zoneWarnings
            for (target, reason) in table.unsigned where unsigned[target] != reason {
                logger.error(
                    "links cannot be signed: the target gets no redirects from this balancer",
                    metadata: ["target": "\(target)", "reason": "\(reason)"])
            }
            unsigned = Dictionary(table.unsigned) { $1 }
            for warning in table.catalog.signingWarnings where !signingWarnings.contains(warning) { logger.warning("\(warning)") }
            signingWarnings = table.catalog.signingWarnings
        }
    }
}
