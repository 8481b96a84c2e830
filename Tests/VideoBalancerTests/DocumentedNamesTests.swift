import Foundation
import Testing

/// What documentation and examples name, the program knows; what the program knows, help and documentation name.
@Suite(.onThreads)
struct DocumentedNamesTests {
    private static let package = URL(fileURLWithPath: #filePath).appending(path: "../../..").standardizedFileURL.path

    /// Flags of other programs that the pages show. One that is neither here nor ours is a mistake.
    private static let foreign: Set<String> = [
        // swift
        "build", "disable-default-traits", "filter", "product", "static-swift-stdlib",
        // scripts of this repository
        "experimental-dump-help", "fault", "faults", "forms", "players", "rebuild", "seconds", "soak", "streams", "time",
        // docker, kubectl, systemd, Debian
        "cap-drop", "from-literal", "gid", "home-dir", "interval", "mount", "network-timeout", "no-install-recommends", "now", "read-only",
        "retries", "security-opt", "shell", "since", "start-period", "system", "timeout", "uid",
        // gcloud
        "data-file", "public-key",
        // curl, certbot, lego
        "accept-tos", "cacert", "days", "dns", "domains", "dry-run", "email", "insecure", "path", "standalone", "webroot",
        // Players, and scripts/players
        "gnutls-dir-trust", "http-no-ssl-verify", "ignore-certificate-errors-spki-list", "runs", "tls-ca-file", "tls-verify",
        // MariaDB and its clients
        "connect", "event", "innodb", "single-transaction", "wsrep-new-cluster", "wsrep-recover",
    ]

    /// Variables that are none of the program's: one of the tests, and service links of Kubernetes that it passes over.
    private static let otherVariables: Set<String> = ["BALANCER_BINARY", "BALANCER_PORT", "BALANCER_SERVICE_HOST"]

    private static func files() throws -> [String] {
        let names =
            try FileManager.default.subpathsOfDirectory(atPath: package + "/docs").map { "docs/" + $0 }
            + FileManager.default.subpathsOfDirectory(atPath: package + "/deploy").map { "deploy/" + $0 }
            + FileManager.default.subpathsOfDirectory(atPath: package + "/Sources").map { "Sources/" + $0 }
        let text = names.filter { name in
            [
                ".md", ".env", ".example", ".yml", ".yaml", ".json", ".service", ".socket", ".js", ".html", ".swift", "Dockerfile",
                "postinst",
            ]
            .contains { name.hasSuffix($0) }
        }
        return text + ["README.md", "README.ru.md", "CONTRIBUTING.md", "SECURITY.md", "scripts/make-man"]
    }

    /// The flags of every command that help shows.
    private func flags() throws -> [String: Set<String>] {
        let help = try Command.run([Command.binary, "--experimental-dump-help"], in: Folder())
        let root = try #require(try JSONSerialization.jsonObject(with: Data(help.output.utf8)) as? [String: Any])
        var flags: [String: Set<String>] = [:]
        func add(_ command: [String: Any], _ path: String) {
            for argument in command["arguments"] as? [[String: Any]] ?? [] where argument["shouldDisplay"] as? Bool == true {
                let names = (argument["names"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
                flags[path, default: []].formUnion(names)
            }
            for child in command["subcommands"] as? [[String: Any]] ?? [] { add(child, child["commandName"] as? String ?? "") }
        }
        add(try #require(root["command"] as? [String: Any]), "")
        return flags
    }

    /// The rows of the page of settings: flag, which secrets have not, and variable.
    private func settings() throws -> [(flag: Substring?, variable: Substring)] {
        try Command.run([Command.binary, "settings"], in: Folder()).output
            .matches(of: /(?m)^\| (?:`--([a-z0-9-]+)`)? ?\| `(BALANCER_[A-Z0-9_]+)` \|/).map { ($0.1, $0.2) }
    }

    @Test func `no page and no example names a flag or a variable that the program does not know`() throws {
        let flags = try flags().values.reduce(into: DocumentedNamesTests.foreign) { $0.formUnion($1) }
        let settings = try settings()
        let variables = Set(settings.map { String($0.variable) }).union(DocumentedNamesTests.otherVariables)
            .union(settings.filter { $0.flag == nil }.map { $0.variable + "_FILE" })
        #expect(settings.count > 30)
        for name in try DocumentedNamesTests.files() {
            let text = try String(contentsOfFile: "\(DocumentedNamesTests.package)/\(name)", encoding: .utf8)
            for match in text.matches(of: /(?:^|[^\w-])--([a-z][a-z0-9-]+)/) where !name.hasSuffix(".js") && !name.hasSuffix(".html") {
                #expect(flags.contains(String(match.1)), "\(name) names --\(match.1)")
            }
            for match in text.matches(of: /\bBALANCER_[A-Z0-9_]*[A-Z0-9]/) {
                #expect(variables.contains(String(match.0)), "\(name) names \(match.0)")
            }
        }
    }

    // Regression: `--admin-names` stood in a fault and in the page of settings, and no command took it.
    @Test func `every setting but a secret is a flag of serve`() throws {
        let serve = try #require(try flags()["serve"])
        for setting in try settings() { if let flag = setting.flag { #expect(serve.contains(String(flag)), "--\(flag)") } }
    }
}
