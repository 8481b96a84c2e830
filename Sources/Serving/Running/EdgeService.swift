import Edge
import Logging
import ServiceLifecycle

/// The data plane's life: it serves until it is asked to stop, then lame duck, end of accepting, drain.
struct EdgeService: Service {
    let edge: EdgeServer
    let condition: NodeCondition
    let stopClock: StopClock
    let lameDuckSeconds: Int
    let drainSeconds: Int
    let logger: Logger

    /// What everything behind the data plane has to end in.
    static let rest = Duration.milliseconds(1500)

    func run() async throws {
        try? await gracefulShutdown()
        logger.notice("stopping: /readyz says 503, still accepting", metadata: ["seconds": "\(lameDuckSeconds)"])
        condition.startDraining()
        try await edge.drain()
        try await Task.sleep(for: .seconds(lameDuckSeconds))
        try await edge.stopAccepting()
        logger.notice("stopping: no longer accepting, open connections finish", metadata: ["seconds": "\(drainSeconds)"])
        let cut = try await edge.finish(within: drainSeconds)
        logger.notice("stopped", metadata: ["connectionsCut": "\(cut)"])
        stopClock.set(EdgeService.rest)
    }
}
