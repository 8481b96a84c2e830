import ArgumentParser

/// `video-balancer settings`: the table of settings as Markdown, from which docs/settings.md is made.
struct SettingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings", abstract: "Prints the table of settings as Markdown.", shouldDisplay: false)

    func run() async throws {
        print(
            """
            # Settings

            A flag of `video-balancer serve` wins over the environment, the environment over a `.env` file in the working folder, and
            that over the default. An unknown flag or an unknown `BALANCER_…` name is an error. `make docs` writes this page.

            | flag | environment | default | meaning |
            | --- | --- | --- | --- |
            """)
        for setting in Setting.all {
            let fallback = setting.fallback.isEmpty ? "" : "`\(setting.fallback)`"
            print("| \(setting.isSecret ? "" : "`--\(setting.name)`") | `\(setting.environment)` | \(fallback) | \(setting.help) |")
        }
        print(
            """

            The first start with an empty database makes the catalog from these; later starts only warn when they differ from what
            is stored. Limits and the rest of the catalog are in [catalog.md](catalog.md).

            | environment | default | meaning |
            | --- | --- | --- |
            | `CDN_HOST` | required | Hosts or URLs of the CDNs, a comma between several. |
            | `ORIGIN_DOMAINS` | `origin-cluster` | Domains of the origin cluster, a comma between several. |
            | `ORIGIN_SERVERS` | `s[1-99]` | Labels of the origin servers or ranges of labels, a comma between several. |
            | `ORIGIN_EVERY` | `10` | Every N-th redirect goes to the origin; 1 is always, 0 is never. |
            """)
    }
}
