import ArgumentParser
import Glibc
import Serving

@main
struct VideoBalancer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "video-balancer",
        abstract: "Redirects video players to CDNs, and every N-th request to the origin.",
        version: Version.current,
        subcommands: [
            Serve.self, Check.self, Explain.self, Simulate.self, CatalogCommand.self, DatabaseCommand.self, KeyCommand.self,
            SigningKeyCommand.self, Migrate.self,
            Healthcheck.self,
            SettingsCommand.self, MetricsCommand.self,
        ])

    static func main() async {
        // The database, the state file and the token are for their owner alone.
        umask(0o077)
        StandardStreams.prepare()
        await main(nil)
    }
}
