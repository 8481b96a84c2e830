import ArgumentParser
import Edge
import Serving

/// `video-balancer healthcheck`: for containers and scripts.
struct Healthcheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Asks the running balancer whether it is ready.",
        discussion: """
            Exit code 0 when /readyz of the data plane answers 200. With --proxy-protocol on and --trusted-proxies, this machine's address \
            must be among them.
            """)

    @Option(help: .init(of: .listen)) var listen: String?

    func run() async throws {
        try await Exit.reporting {
            let settings = try Settings(await SettingsSource([(.listen, listen)]))
            let address = settings.listen
            let status = try await EdgeProbe.status(
                of: "/readyz", at: address, seconds: 3, sendsProxyHeader: settings.clientSource.readsProxyHeader)
            print("\(address) /readyz \(status)")
            if status != 200 { throw Exit.failure }
        }
    }
}
