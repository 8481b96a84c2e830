import ArgumentParser
import Control
import Edge
import Serving

/// `video-balancer healthcheck`: for containers and scripts.
struct Healthcheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Asks the running balancer whether it is ready.",
        discussion: """
            Exit code 0 when /readyz answers 200. It asks the data plane; with --proxy-protocol on and --trusted-proxies, which need not \
            trust this machine, the control plane, whose /readyz says the same. A control plane that asks for certificates (--admin-client-ca) \
            cannot be asked so.
            """)

    enum Flags: SettingChoice {
        static let settings = [Setting.table.listen, Setting.table.admin, Setting.table.adminTLSCertificate]
    }

    @OptionGroup var options: SettingOptions<Flags>

    func run() async throws {
        try await Exit.reporting {
            let settings = try Settings(SettingsSource(options.texts))
            let expectsHeader = settings.expectsProxyHeader
            let asksAdmin = expectsHeader && !settings.clientSource.trustedProxies.isEmpty
            let address = asksAdmin ? settings.admin : settings.listen
            let status =
                asksAdmin && settings.adminSpeaksTLS
                ? try await Healthcheck.secureStatus(settings)
                : try await EdgeProbe.status(
                    of: "/readyz", at: address, seconds: 3, sendsProxyHeader: expectsHeader && !asksAdmin)
            try StandardOutput.print("\(address) /readyz \(status)")
            if status != 200 { throw Exit.failure }
        }
    }

    private static func secureStatus(_ settings: Settings) async throws -> Int {
        let address = settings.admin
        if let status = await ControlProbe.status(of: "/readyz", host: address.host, port: Int(address.port), seconds: 3) { return status }
        throw ConfigurationFault(
            settings.adminClientCA == nil
                ? "\(address) does not answer by HTTPS; is the balancer running there?"
                : "\(address) gives no answer without a certificate of --admin-client-ca: let the health check come by the data plane")
    }
}
