import ArgumentParser
import Edge
import Logging
import Serving
import Storage

/// `video-balancer serve`.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answers players until it is told to stop.",
        discussion: """
            Every option can also be set by the environment or by a .env file in the working folder, as BALANCER_ and its name in capitals. \
            The first start with an empty database makes the catalog from CDN_HOST (required), ORIGIN_DOMAINS, ORIGIN_SERVERS and ORIGIN_EVERY.
            """)

    @Option(help: .init(of: .listen)) var listen: String?
    @Option(help: .init(of: .listenTLS)) var listenTls: [String] = []
    @Option(help: .init(of: .tlsCertificate)) var tlsCertificate: [String] = []
    @Option(help: .init(of: .tlsKey)) var tlsKey: [String] = []
    @Option(help: .init(of: .admin)) var admin: String?
    @Option(help: .init(of: .database)) var database: String?
    @Option(help: .init(of: .state)) var state: String?
    @Option(help: .init(of: .assets)) var assets: String?
    @Option(help: .init(of: .nodeName)) var nodeName: String?
    @Option(help: .init(of: .workers)) var workers: String?
    @Flag(help: "The same as BALANCER_FAST_PATH=off.") var noFastPath = false
    @Option(help: .init(of: .proxyProtocol)) var proxyProtocol: String?
    @Option(help: .init(of: .trustedProxies)) var trustedProxies: String?
    @Option(help: .init(of: .forwardedField)) var forwardedField: String?
    @Option(help: .init(of: .corsCredentialsOrigins)) var corsCredentialsOrigins: String?
    @OptionGroup var geoIP: GeoIPOptions
    @Option(help: .init(of: .probeLinkLocal)) var probeLinkLocal: String?
    @Option(help: .init(of: .targetBytes)) var targetBytes: String?
    @Option(help: .init(of: .headBytes)) var headBytes: String?
    @Option(help: .init(of: .headFields)) var headFields: String?
    @Option(help: .init(of: .bodyBytes)) var bodyBytes: String?
    @Option(help: .init(of: .headTimeout)) var headTimeout: String?
    @Option(help: .init(of: .bodyTimeout)) var bodyTimeout: String?
    @Option(help: .init(of: .idleTimeout)) var idleTimeout: String?
    @Option(help: .init(of: .clientRate)) var clientRate: String?
    @Option(help: .init(of: .clientBurst)) var clientBurst: String?
    @Option(help: .init(of: .accessLog)) var accessLog: String?
    @Option(help: .init(of: .accessLogEvery)) var accessLogEvery: String?
    @Option(help: .init(of: .accessLogMask)) var accessLogMask: String?
    @Option(help: .init(of: .lameDuck)) var lameDuck: String?
    @Option(help: .init(of: .drainTimeout)) var drainTimeout: String?
    @Option(help: .init(of: .logFormat)) var logFormat: String?
    @Option(help: .init(of: .logLevel)) var logLevel: String?

    private var flags: [(Setting, String?)] {
        [
            (.listen, listen), (.listenTLS, Serve.list(listenTls)), (.tlsCertificate, Serve.list(tlsCertificate)),
            (.tlsKey, Serve.list(tlsKey)), (.admin, admin), (.database, database), (.state, state), (.assets, assets),
            (.nodeName, nodeName),
            (.workers, workers), (.fastPath, noFastPath ? "off" : nil), (.proxyProtocol, proxyProtocol),
            (.trustedProxies, trustedProxies), (.forwardedField, forwardedField), (.corsCredentialsOrigins, corsCredentialsOrigins),
            (.probeLinkLocal, probeLinkLocal),
            (.targetBytes, targetBytes), (.headBytes, headBytes),
            (.headFields, headFields), (.bodyBytes, bodyBytes), (.headTimeout, headTimeout),
            (.bodyTimeout, bodyTimeout), (.idleTimeout, idleTimeout), (.clientRate, clientRate),
            (.clientBurst, clientBurst), (.accessLog, accessLog), (.accessLogEvery, accessLogEvery), (.accessLogMask, accessLogMask),
            (.lameDuck, lameDuck), (.drainTimeout, drainTimeout),
            (.logFormat, logFormat), (.logLevel, logLevel),
        ] + geoIP.flags
    }

    private static func list(_ values: [String]) -> String? { values.isEmpty ? nil : values.joined(separator: ",") }

    func run() async throws {
        try await Exit.reporting {
            let source = try SettingsSource(flags)
            try LineLogHandler.bootstrap(source)
            do {
                let settings = try Settings(source)
                try await Server(settings: settings, first: FirstCatalog(source), logger: Logger(label: "video-balancer")).run()
                await ProcessLog.finish()
            } catch {
                await ProcessLog.finish()
                throw error
            }
        }
    }
}

extension ArgumentHelp {
    /// A setting's help, with its environment name and default.
    init(of setting: Setting) {
        let fallback = setting.fallback.isEmpty ? "" : "; default \(setting.fallback)"
        self.init("\(setting.help) (\(setting.environment)\(fallback))", valueName: "value")
    }
}
