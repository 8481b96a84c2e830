import ArgumentParser
import Foundation
import Serving
import Steering
import Storage

/// `video-balancer database show|adopt|refill`.
struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "database", abstract: "Says which is right after a database was moved, replaced or emptied.",
        discussion: """
            A balancer that knows a catalog does not follow an empty database by itself, nor one with another id: it goes on with what it knows and \
            says so. These commands settle it for the whole fleet; running balancers act on it within a second.
            """,
        subcommands: [Show.self, Adopt.self, Refill.self])

    /// What there is to decide between.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints what the database and the state file hold.")
        @OptionGroup var options: DatabaseOptions

        func run() async throws {
            try await Exit.reporting {
                let settings = try options.settings()
                try StandardOutput.print(
                    "state file  \(settings.statePath): \(DatabaseCommand.words(StateFile(path: settings.statePath).load().state))")
                let store = try await options.store()
                try StandardOutput.print("database    \(settings.database): \(DatabaseCommand.words(try await store.head()))")
                for id in try await store.predecessors() { try StandardOutput.print("succeeds    database \(id)") }
            }
        }
    }

    /// The database wins.
    struct Adopt: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The database is right: balancers follow it in place of the one that their state is from.",
            discussion: "The id of the database before is read from the state file, unless --successor-of gives it.")
        @Option(help: ArgumentHelp("The id of the database before, as `status` shows it.", valueName: "id")) var successorOf: String?
        @OptionGroup var options: DatabaseOptions

        func run() async throws {
            try await Exit.reporting {
                let id = if let successorOf { successorOf } else { try DatabaseCommand.saved(options.settings()).databaseID }
                let store = try await options.store()
                guard let head = try await store.head() else {
                    throw ConfigurationFault(
                        "the database holds no catalog; restore a backup, or let this balancer's win: video-balancer database refill")
                }
                try await store.adopt(predecessor: id)
                try StandardOutput.print("revision \(head.revision) of database \(head.databaseID) is followed in place of database \(id)")
            }
        }
    }

    /// The state file wins.
    struct Refill: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The state file is right: its catalog becomes the database's newest revision.")
        @Option(help: "Why, for the history.") var comment = "from the state file"
        @OptionGroup var options: DatabaseOptions

        func run() async throws {
            try await Exit.reporting {
                let saved = try DatabaseCommand.saved(options.settings())
                let store = try await options.store(migrates: true)
                let revision = try await store.append(
                    saved.catalog, expecting: try await store.head()?.revision ?? 0, author: "cli:" + NSUserName(), comment: comment)
                if !saved.databaseID.isEmpty { try await store.adopt(predecessor: saved.databaseID) }
                try StandardOutput.print("revision \(revision.id)")
            }
        }
    }

    private static func saved(_ settings: Settings) throws(ConfigurationFault) -> SavedState {
        let loaded = StateFile(path: settings.statePath).load()
        guard let state = loaded.state else {
            let reason = loaded.passedOver.first.map { "\($0)" } ?? "\(settings.statePath): there is no such file"
            throw ConfigurationFault("the state file cannot be used: \(reason); name another with --state")
        }
        return state
    }

    private static func words(_ state: SavedState?) -> String {
        state.map { "revision \($0.revision) of database \($0.databaseID)" } ?? "none that can be used"
    }

    private static func words(_ head: Head?) -> String {
        head.map { "revision \($0.revision) of database \($0.databaseID)" } ?? "no catalog"
    }
}
