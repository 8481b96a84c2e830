import ArgumentParser
import Serving

/// `video-balancer settings`: the table of settings as Markdown, from which docs/settings.md is made.
struct SettingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings", abstract: "Prints the table of settings as Markdown.", shouldDisplay: false)

    func run() async throws { try await Exit.reporting { try printTable() } }

    private func printTable() throws {
        try StandardOutput.print(
            """
            # Settings

            A flag of `video-balancer serve` wins over the environment, the environment over a `.env` file in the working folder, and
            that over the default. An unknown flag or an unknown `BALANCER_…` name is an error. `make docs` writes this page.

            `.env` is read as docker compose reads it: one `NAME=value` a line, `export` before it or not, `#` and what follows as a comment
            on a line of its own or after a blank, LF or CR LF, with or without a byte order mark. `'…'` keeps everything but `\\'`; in `"…"`
            also `\\n`, `\\r`, `\\t`, `\\\\`, `\\"` and `\\$` are special. Variables are not filled in: a `$` before a name or `{` outside of `'…'` is refused
            with file and line, and so is a line that is none. In lists a comma at the end adds nothing.

            Service links of Kubernetes (`BALANCER_PORT=tcp://…`, `BALANCER_SERVICE_HOST`, `DB_PORT=tcp://…` and the like, from Services
            that are called `balancer` or `db`) are passed over; `enableServiceLinks: false` keeps them out of the pod.

            | flag | environment | default | meaning |
            | --- | --- | --- | --- |
            """)
        for setting in Setting.all {
            let fallback = setting.fallback.isEmpty ? "" : "`\(setting.fallback)`"
            try StandardOutput.print(
                "| \(setting.isSecret ? "" : "`--\(setting.name)`") | `\(setting.environment)` | \(fallback) | \(setting.help) |")
        }
        try StandardOutput.print(
            """

            The first start with an empty database makes the catalog from these; later starts only warn when they differ from what
            is stored. Limits and the rest of the catalog are in [catalog.md](catalog.md).

            | environment | default | meaning |
            | --- | --- | --- |
            | `CDN_HOST` | required | Hosts or URLs of the CDNs, a comma between several. |
            | `ORIGIN_DOMAINS` | `origin-cluster` | Domains of the origin cluster, a comma between several. |
            | `ORIGIN_SERVERS` | `s[1-99]` | Labels of the origin servers or ranges of labels, a comma between several. |
            | `ORIGIN_EVERY` | `10` | Every N-th redirect goes to the origin; 1 is always, 0 is never. |

            Without `BALANCER_DATABASE` these name a MySQL or MariaDB database. `DB_PASS` and `DB_PASS_FILE` also give the password of a
            `mysql://` URL that has none.

            | environment | default | meaning |
            | --- | --- | --- |
            | `DB_HOST` | | The server's name or address, or several of one cluster with a comma between; each may end in `:PORT`. |
            | `DB_PORT` | `3306` | Port of hosts that name none. |
            | `DB_NAME` | required | The database's name. |
            | `DB_USER` | required | The user. |
            | `DB_PASS` | | The password. |
            | `DB_PASS_FILE` | | A file that holds the password. |
            """)
    }
}
