import Control
import Edge
import Logging
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
    /// Why the database does not answer; nil when it does.
    private(set) var trouble: String?
    private(set) var isDraining = false
    /// Balancers that the database has heard of lately, as of the last poll.
    private(set) var nodesSeen = 0
    /// Told what was counted with each table that is replaced.
    private var recordTraffic: @Sendable ([TrafficCounts]) async -> Void = { _ in }

    /// What the workers answer from.
    struct Published: Sendable, Equatable {
        let databaseID: String
        let revision: Int
        let checksum: String
        let catalog: Catalog
    }

    init(edge: EdgeServer, access: Access, book: SequenceBook, current: Published, trouble: String?, logger: Logger) {
        self.edge = edge
        self.access = access
        self.book = book
        self.current = current
        self.trouble = trouble
        self.logger = logger
    }

    func record(_ recordTraffic: @escaping @Sendable ([TrafficCounts]) async -> Void) { self.recordTraffic = recordTraffic }

    /// Applies what the database holds, keys and catalog, if it is not what this node runs. Also backwards: a restored database wins.
    ///
    /// - Parameter now: milliseconds since 1970, UTC.
    func follow(_ store: any CatalogStore & FleetStore, now: Int64) async throws {
        try await turnstile.pass { [self] in
            guard let polled = try await store.poll(nodesSeenSince: now - FleetNode.silentAfter) else { throw NoCatalog() }
            await apply(polled)
            let head = polled.head
            if await runs(head) { return }
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
    }

    /// The database answers but holds no revision.
    struct NoCatalog: Error, CustomStringConvertible {
        let description = "the database holds no catalog any more; restore it or import one"
    }

    private func runs(_ head: Head) -> Bool {
        current.databaseID == head.databaseID && current.revision == head.revision && current.checksum == head.checksum
    }

    private func publish(_ revision: Revision, databaseID: String) async throws {
        let table = RoutingTable(revision.catalog, revision: revision.id)
        await recordTraffic(try await edge.publish(table, sequences: book.set(for: table)))
        current = Published(databaseID: databaseID, revision: revision.id, checksum: revision.checksum, catalog: revision.catalog)
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
