import Edge
import Logging
import ServiceLifecycle
import Steering
import Storage

/// Takes what the workers have counted at the end of each minute and stores it, a statement at a time; keeps it while the database is
/// away. Redirects know nothing of it.
actor TrafficRecorder: Service {
    /// At most one statement in so many seconds, so that a backlog is worked off without a burst.
    private static let pace = Duration.seconds(6)

    private let takeTraffic: @Sendable () async throws -> [TrafficCounts]
    private let store: SQLStore
    private let logger: Logger
    private let now: @Sendable () -> Int64
    private let uptime: @Sendable () -> Duration
    private var backlog: TrafficBacklog
    private var trouble: String?
    private var lost: Int64 = 0

    init(edge: EdgeServer, store: SQLStore, node: String, boot: String, logger: Logger, now: @escaping @Sendable () -> Int64) {
        self.init(takeTraffic: { try await edge.takeTraffic() }, store: store, node: node, boot: boot, logger: logger, now: now)
    }

    /// - Parameters:
    ///   - takeTraffic: takes what the workers have counted since they were last asked.
    ///   - now: milliseconds since 1970, UTC.
    ///   - uptime: by a clock that nobody sets.
    init(
        takeTraffic: @escaping @Sendable () async throws -> [TrafficCounts], store: SQLStore, node: String, boot: String,
        logger: Logger, now: @escaping @Sendable () -> Int64,
        uptime: @escaping @Sendable () -> Duration = { SystemClock.uptime() }
    ) {
        self.takeTraffic = takeTraffic
        self.store = store
        self.logger = logger
        self.now = now
        self.uptime = uptime
        backlog = TrafficBacklog(node: node, boot: boot, now: now() / 1000, uptime: uptime())
    }

    /// Closed minutes that are not in the database yet.
    var waiting: Int { backlog.minutes }
    /// Requests whose minute was given up because nobody knows whether it is stored.
    var lostRequests: Int64 { backlog.lost }

    /// Counts into the open minute what was counted with a table that is no longer used.
    func add(_ counts: [TrafficCounts]) {
        for entry in counts.lazy.flatMap(\.entries) {
            let target: TrafficKey.Target =
                switch entry.target {
                case .origin: .origin
                case .cdn(_): .cdn
                case nil: .none
                }
            backlog.add(
                TrafficKey(target: target, cdn: entry.cdn, server: entry.server, status: entry.status), Int64(clamping: entry.requests))
        }
    }

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                let rest = await self.rest
                try await Task.sleep(for: rest)
                await self.beat()
            }
        }
        await collect()
        backlog.close(now: now() / 1000, uptime: uptime())
        while await store() {}
    }

    /// To the next beat: the end of the minute, or earlier when something waits.
    private var rest: Duration {
        let end = backlog.left(now: now(), uptime: uptime())
        return max(.milliseconds(1), backlog.minutes > 0 ? min(end, TrafficRecorder.pace) : end)
    }

    func beat() async {
        if backlog.left(now: now(), uptime: uptime()) <= .zero {
            await collect()
            backlog.close(now: now() / 1000, uptime: uptime())
        }
        _ = await store()
    }

    private func collect() async {
        do {
            add(try await takeTraffic())
        } catch {
            logger.error("the workers' traffic cannot be read", metadata: ["error": "\(error)"])
        }
    }

    /// Stores one batch.
    ///
    /// - Returns: whether there was one and it is stored.
    private func store() async -> Bool {
        guard let batch = backlog.next(uptime: uptime()) else { return false }
        if backlog.lost > lost {
            logger.error("traffic was given up: nobody knows whether it is stored", metadata: ["requests": "\(backlog.lost - lost)"])
            lost = backlog.lost
        }
        do {
            try await store.write(batch)
            backlog.stored()
            if trouble != nil { logger.notice("traffic is stored again", metadata: ["minutesWaiting": "\(backlog.minutes)"]) }
            trouble = nil
            return true
        } catch {
            if trouble != "\(error)" { logger.error("traffic cannot be stored; it waits in memory", metadata: ["error": "\(error)"]) }
            trouble = "\(error)"
            return false
        }
    }
}
