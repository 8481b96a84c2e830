import Control
import Edge
import Foundation
import Logging
import ServiceLifecycle
import Storage

/// This balancer's place in its fleet: registers it in the database, stores when keys were used, and does its share of tidying up.
actor FleetMember: Service {
    /// Between two looks at what is due.
    private static let pace = Duration.seconds(6)
    /// After this it registers itself again; earlier, at the next look, when its revision has changed.
    private static let renewal = Duration.seconds(12)
    private static let minute = Duration.seconds(60)
    private static let hour = Duration.seconds(3600)

    private let identity: Identity
    private let store: SQLStore
    private let current: @Sendable () -> Head
    private let trouble: @Sendable () -> String?
    private let access: Access
    private let logger: Logger
    private let now: @Sendable () -> Int64
    private let uptime: @Sendable () -> Duration
    private var written: (node: FleetNode, at: Duration)?
    private var usesWritten: Duration
    /// The first time soon after the start, for balancers that never run for an hour.
    private var tidied: Duration
    private var believed = BelievedTime()
    private var told: String?

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
        identity: Identity, store: SQLStore, publisher: Publisher, condition: NodeCondition, access: Access,
        logger: Logger,
        now: @escaping @Sendable () -> Int64
    ) {
        self.init(
            identity: identity, store: store, access: access, logger: logger, current: { publisher.view.current.head },
            trouble: { condition.trouble?.reason }, now: now)
    }

    /// - Parameters:
    ///   - current: what the workers answer from.
    ///   - trouble: why the database does not answer; nil when it does.
    ///   - now: milliseconds since 1970, UTC; for labels.
    ///   - uptime: by a clock that nobody sets; for durations.
    init(
        identity: Identity, store: SQLStore, access: Access, logger: Logger,
        current: @escaping @Sendable () -> Head, trouble: @escaping @Sendable () -> String?,
        now: @escaping @Sendable () -> Int64, uptime: @escaping @Sendable () -> Duration = { SystemClock.uptime() }
    ) {
        self.identity = identity
        self.store = store
        self.current = current
        self.trouble = trouble
        self.access = access
        self.logger = logger
        self.now = now
        self.uptime = uptime
        usesWritten = uptime()
        tidied = uptime() - FleetMember.hour + FleetMember.minute
    }

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                await self.look()
                try await Task.sleep(for: FleetMember.pace)
            }
        }
        // Not worth waiting for a database that is away: the list forgets, and a last use is news to nobody then.
        guard trouble() == nil else { return }
        try? await writeUses()
        try? await store.deregister(identity.id)
    }

    /// Does what is due. What fails is tried again at the next look.
    func look() async {
        do {
            try await register()
            if uptime() - usesWritten >= FleetMember.minute { try await writeUses() }
            if uptime() - tidied >= FleetMember.hour {
                try await tidy()
                tidied = uptime()
            }
            told = nil
        } catch {
            // The watcher tells that the database does not answer; this tells what else is wrong with it.
            if told != "\(error)" { logger.warning("this node cannot register itself in its fleet", metadata: ["error": "\(error)"]) }
            told = "\(error)"
        }
    }

    private func tidy() async throws {
        let history = try await store.newestTraffic()
        let time = believed.now(wall: now() / 1000, uptime: uptime(), history: history)
        try await store.tidy(now: time * 1000)
        try await store.foldTraffic(of: identity.id, now: time)
    }

    private func register() async throws {
        let current = current()
        if let written, written.node.revision == current.revision, written.node.checksum == current.checksum,
            uptime() - written.at < FleetMember.renewal
        {
            return
        }
        let node = FleetNode(
            id: identity.id, name: identity.name, address: identity.address, version: Version.current, boot: identity.boot,
            started: identity.started, revision: current.revision, checksum: current.checksum, seen: now())
        try await store.register(node)
        written = (node, uptime())
    }

    private func writeUses() async throws {
        let uses = access.takeUses()
        usesWritten = uptime()
        do {
            try await store.noteUses(uses)
        } catch {
            access.putBack(uses)
            throw error
        }
    }
}
