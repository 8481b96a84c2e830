import Edge
import Logging
import ServiceLifecycle

/// The data plane's life: it serves until it is asked to stop, then lame duck, end of accepting, drain.
struct EdgeService: Service {
    let edge: EdgeServer
    let publisher: Publisher
    let lameDuckSeconds: Int
    let drainSeconds: Int
    let logger: Logger

    func run() async throws {
        try? await gracefulShutdown()
        logger.notice("stopping: /readyz says 503, still accepting", metadata: ["seconds": "\(lameDuckSeconds)"])
        await publisher.startDraining()
        try await edge.drain()
        try await Task.sleep(for: .seconds(lameDuckSeconds))
        try await edge.stopAccepting()
        logger.notice("stopping: no longer accepting, open connections finish", metadata: ["seconds": "\(drainSeconds)"])
        let cut = try await edge.finish(within: drainSeconds)
        logger.notice("stopped", metadata: ["connectionsCut": "\(cut)"])
    }
}
