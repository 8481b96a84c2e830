import ArgumentParser
import Serving
import Storage

/// `video-balancer migrate up|down|status`.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Brings the database's tables to this program's version, or back.", subcommands: [Up.self, Down.self, Status.self])

    /// Applies what is pending.
    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Applies every pending step; `serve` does the same at its start.")
        @OptionGroup var options: DatabaseOptions

        func run() async throws {
            try await Exit.reporting { try await Migrate.show(options.store(creates: true).migrator().up()) }
        }
    }

    /// Undoes steps.
    struct Down: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Undoes the steps after a given one. Says what is lost, and does it only with --yes.")
        @Argument(help: "The step that stays the last; 0 undoes all.") var step: Int
        @Flag(help: "Do it.") var yes = false
        @OptionGroup var options: DatabaseOptions

        func run() async throws {
            try await Exit.reporting {
                let migrator = try await options.store().migrator()
                guard yes else {
                    for loss in try await migrator.losses(downTo: step) { try StandardOutput.print("would lose: \(loss)") }
                    throw ConfigurationFault("nothing was changed; back up the database, then repeat with --yes")
                }
                try await Migrate.show(migrator.down(to: step))
            }
        }
    }

    /// Lists the steps.
    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists every step and whether it is applied.")
        @OptionGroup var options: DatabaseOptions

        func run() async throws {
            try await Exit.reporting { try await Migrate.show(options.store(creates: true).migrator().status()) }
        }
    }

    private static func show(_ steps: [MigrationStatus]) throws {
        for step in steps { try StandardOutput.print("\(step.id)  \(step.state.rawValue)  \(step.name)") }
    }
}
