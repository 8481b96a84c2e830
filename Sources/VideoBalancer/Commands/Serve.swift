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

    @OptionGroup var options: SettingOptions<EveryFlag>
    @Flag(help: ArgumentHelp("The older way to say --fast-path off.", visibility: .hidden)) var noFastPath = false

    func run() async throws {
        try await Exit.reporting {
            var texts = options.texts
            if noFastPath { texts[Setting.table.fastPath.name] = "off" }
            let source = try SettingsSource(texts)
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

enum EveryFlag: SettingChoice {
    static let settings = Setting.all.filter { !$0.isSecret }
}
