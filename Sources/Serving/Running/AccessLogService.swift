import Edge
import ServiceLifecycle

/// The access log's life: workers that have little to log are asked for it now and then, and the last lines are written at the end.
struct AccessLogService: Service {
    /// Nil when none is kept.
    let log: AccessLog?
    let edge: EdgeServer

    func run() async throws {
        guard let log else {
            try? await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await edge.flushLog()
                try? await Task.sleep(for: .milliseconds(250))
            }
        }
        await log.close()
    }
}
