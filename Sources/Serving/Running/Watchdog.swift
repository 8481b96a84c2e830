import Edge
import ServiceLifecycle

/// Tells the service manager that the process works as long as every worker takes its turns: one that hangs is then started anew.
struct Watchdog: Service {
    let manager: ServiceManager
    let edge: EdgeServer

    func run() async throws {
        guard let interval = manager.watchdogInterval else {
            try? await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // Returns when each loop has run a task of ours.
                if (try? await edge.counters()) != nil { manager.works() }
                try? await Task.sleep(for: interval)
            }
        }
    }
}
