import Control
import Edge
import Foundation
import Logging
import ServiceLifecycle
import Storage

/// This balancer's place in its fleet: writes itself down in the database, and when keys were used, and does its share of tidying up.
actor FleetMember: Service {
    /// Milliseconds between two looks at what is due.
    private static let pace: Int64 = 6000
    /// Milliseconds after which it writes itself down again; earlier, at the next look, when its revision has changed.
    private static let renewal: Int64 = 12_000
    private static let minute: Int64 = 60_000
    private static let hour: Int64 = 3_600_000

    private let identity: Identity
    private let store: any FleetStore & KeyStore
    private let publisher: Publisher
    private let condition: NodeCondition
    private let access: Access
    private let logger: Logger
    private let now: @Sendable () -> Int64
    private var written: FleetNode?
    private var usesWritten: Int64
    /// The first time soon after the start, for balancers that never run for an hour.
    private var tidied: Int64
    private var trouble: String?

    /// What of a balancer does not change while it runs.
    struct Identity: Sendable {
        let id: String
        let name: String
        let address: String
        let boot: String
        /// Milliseconds since 1970, UTC.
        let started: Int64
    }

    init(
        identity: Identity, store: any FleetStore & KeyStore, publisher: Publisher, condition: NodeCondition, access: Access,
        logger: Logger,
        now: @escaping @Sendable () -> Int64
    ) {
        self.identity = identity
        self.store = store
        self.publisher = publisher
        self.condition = condition
        self.access = access
        self.logger = logger
        self.now = now
        usesWritten = now()
        tidied = now() - FleetMember.hour + FleetMember.minute
    }

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                await self.look()
                try await Task.sleep(for: .milliseconds(FleetMember.pace))
            }
        }
        // Not worth waiting for a database that is away: the list forgets, and a last use is news to nobody then.
        guard condition.trouble == nil else { return }
        try? await writeUses()
        try? await store.deregister(identity.id)
    }

    /// Does what is due. What fails is tried again at the next look.
    private func look() async {
        do {
            try await register()
            if now() - usesWritten >= FleetMember.minute { try await writeUses() }
            if now() - tidied >= FleetMember.hour {
                try await store.tidy(now: now())
                try await store.foldTraffic(of: identity.id, now: now() / 1000)
                tidied = now()
            }
            trouble = nil
        } catch {
            // The watcher tells that the database does not answer; this tells what else is wrong with it.
            if trouble != "\(error)" { logger.warning("this node cannot be written down in its fleet", metadata: ["error": "\(error)"]) }
            trouble = "\(error)"
        }
    }

    private func register() async throws {
        let current = publisher.view.current
        if let written, written.revision == current.revision, written.checksum == current.checksum,
            now() - written.seen < FleetMember.renewal
        {
            return
        }
        let node = FleetNode(
            id: identity.id, name: identity.name, address: identity.address, version: Version.current, boot: identity.boot,
            started: identity.started, revision: current.revision, checksum: current.checksum, seen: now())
        try await store.register(node)
        written = node
    }

    private func writeUses() async throws {
        let uses = access.takeUses()
        usesWritten = now()
        do {
            try await store.noteUses(uses)
        } catch {
            access.putBack(uses)
            throw error
        }
    }
}
