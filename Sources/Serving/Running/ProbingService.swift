import Logging
import Probing
import ServiceLifecycle
import Storage

/// The health checks' life: they begin with the first catalog and end with the process. Certificates that are ending are told meanwhile.
struct ProbingService: Service {
    /// Between two looks at the certificates that probes were shown.
    private static let interval = Duration.seconds(60)

    let prober: Prober
    let publisher: Publisher
    let logger: Logger

    func run() async throws {
        await publisher.probe(with: prober)
        try? await cancelWhenGracefulShutdown {
            var reminder = CertificateReminder<ProbeTarget.Subject>()
            while true {
                try await Task.sleep(for: ProbingService.interval)
                ProbeReports.remind(of: await prober.reports, by: &reminder, at: SystemClock.now(), logger)
            }
        }
        await prober.stop()
    }
}
