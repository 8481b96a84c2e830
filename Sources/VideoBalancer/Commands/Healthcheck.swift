import ArgumentParser
import Edge

/// `video-balancer healthcheck`: for containers and scripts.
struct Healthcheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Asks the running balancer whether it is ready.", discussion: "Exit code 0 when /readyz of the data plane answers 200.")

    @Option(help: .init(of: .listen)) var listen: String?

    func run() async throws {
        try await Exit.reporting {
            let address = try Settings(await SettingsSource([(.listen, listen)])).listen
            let status = try await EdgeProbe.status(of: "/readyz", at: address, seconds: 3)
            print("\(address) /readyz \(status)")
            if status != 200 { throw Exit.failure }
        }
    }
}
