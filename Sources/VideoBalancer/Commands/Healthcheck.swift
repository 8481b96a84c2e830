import ArgumentParser
import Edge
import Serving

/// `video-balancer healthcheck`: for containers and scripts.
struct Healthcheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Asks the running balancer whether it is ready.",
        discussion: """
            Exit code 0 when /readyz answers 200. It asks the data plane; with --proxy-protocol on and --trusted-proxies, which need not \
            trust this machine, the control plane, whose /readyz says the same.
            """)

    enum Flags: SettingChoice {
        static let settings = [Setting.table.listen, Setting.table.admin]
    }

    @OptionGroup var options: SettingOptions<Flags>

    func run() async throws {
        try await Exit.reporting {
            let settings = try Settings(SettingsSource(options.texts))
            let expectsHeader = settings.expectsProxyHeader
            let asksAdmin = expectsHeader && !settings.clientSource.trustedProxies.isEmpty
            let address = asksAdmin ? settings.admin : settings.listen
            let status = try await EdgeProbe.status(
                of: "/readyz", at: address, seconds: 3, sendsProxyHeader: expectsHeader && !asksAdmin)
            try StandardOutput.print("\(address) /readyz \(status)")
            if status != 200 { throw Exit.failure }
        }
    }
}
