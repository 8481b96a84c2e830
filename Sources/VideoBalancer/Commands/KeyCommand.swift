import ArgumentParser
import Foundation
import Serving
import Storage

/// `video-balancer key create|list|revoke`.
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Makes, lists and revokes keys of the API.", subcommands: [Create.self, List.self, Revoke.self])

    /// Makes a key and shows its token once.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a key and prints its token, which is stored nowhere. Running balancers know it within a second.")

        @Argument(help: "A name for the history: who or what uses the key.") var name: String
        @Option(help: "viewer reads, operator also changes the catalog, admin may do everything.", transform: Create.role) var role: Role
        @Option(help: "When it ends: a number of days such as 30d, or a time such as 2027-01-31T00:00:00Z. Never, unless given.")
        var expires: String?
        @OptionGroup var options: DatabaseOptions

        func run() async throws {
            try await Exit.reporting {
                guard APIKey.isName(name) else {
                    throw ConfigurationFault(
                        "a key's name has 1 to 64 visible ASCII characters and no space, and is neither \"environment\" nor begins with \"cli:\""
                    )
                }
                let token = Token.make()
                let store = try await options.store(migrates: true)
                guard try await !store.keys().contains(where: { $0.name == name }) else {
                    throw ConfigurationFault("there is a key named \(name); revoke it first or choose another name")
                }
                try await store.addKey(
                    APIKey(name: name, role: role, hash: Token.hash(token), created: SystemClock.now(), expires: try expiry()))
                try StandardOutput.print(token)
            }
        }

        private static func role(_ text: String) throws -> Role {
            guard let role = Role(rawValue: text) else { throw ValidationError("the role must be viewer, operator or admin") }
            return role
        }

        private func expiry() throws(StorageError) -> Int64? {
            guard let expires else { return nil }
            if expires.hasSuffix("d"), let days = Int64(expires.dropLast()), (1...36500).contains(days) {
                return SystemClock.now() + days * 86_400_000
            }
            guard let date = try? Date(expires, strategy: .iso8601) else {
                throw StorageError(
                    .refused, at: "--expires", "must be days such as 30d or a time such as 2027-01-31T00:00:00Z, is \"\(expires)\"")
            }
            return Int64(date.timeIntervalSince1970 * 1000)
        }
    }

    /// Lists all keys.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the keys: name, role, made, expires, last used.")
        @OptionGroup var options: DatabaseOptions

        func run() async throws {
            try await Exit.reporting {
                for key in try await options.store().keys() {
                    let times = [time(key.created), key.expires.map(time) ?? "never", key.lastUsed.map(time) ?? "never"]
                    try StandardOutput.print("\(key.name)  \(key.role.rawValue)  \(times.joined(separator: "  "))")
                }
            }
        }

        private func time(_ milliseconds: Int64) -> String {
            Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(Date.ISO8601FormatStyle())
        }
    }

    /// Takes a key away.
    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revokes a key; running balancers refuse it within a second.")
        @Argument(help: "The key's name.") var name: String
        @OptionGroup var options: DatabaseOptions

        func run() async throws {
            try await Exit.reporting {
                guard try await options.store().removeKey(named: name) else {
                    throw ConfigurationFault("there is no key named \(name); see `video-balancer key list`")
                }
            }
        }
    }
}
