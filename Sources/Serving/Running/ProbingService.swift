import Probing
import ServiceLifecycle

/// The health checks' life: they begin with the first catalog and end with the process.
struct ProbingService: Service {
    let prober: Prober
    let publisher: Publisher

    func run() async throws {
        await publisher.probe(with: prober)
        try? await gracefulShutdown()
        await prober.stop()
    }
}
