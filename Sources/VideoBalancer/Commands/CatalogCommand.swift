import ArgumentParser
import Foundation
import Serving
import Steering
import Storage

/// `video-balancer catalog export|import`.
struct CatalogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalog", abstract: "Reads and replaces the stored catalog.", subcommands: [Export.self, Import.self])

    /// Prints the newest catalog.
    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints the newest catalog as JSON.")

        @OptionGroup var options: DatabaseOptions

        func run() async throws {
            try await Exit.reporting {
                let revision = try await options.newest()
                try StandardOutput.print(revision.catalog.document.prettyJSON, terminator: "")
            }
        }
    }

    /// Stores a file as the next revision.
    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stores a catalog file as the next revision; running balancers apply it within a second.",
            discussion: "A bad catalog is refused with all its faults and the stored one stays. Exit code 78 then.")

        @Argument(help: "A catalog in JSON, or in YAML when the name ends in .yaml or .yml; - is standard input.") var file: String
        @Option(help: "Why, for the history.") var comment = ""
        @Option(help: ArgumentHelp("Only if this is the newest revision.", valueName: "revision")) var expect: Int?
        @OptionGroup var options: DatabaseOptions

        func run() async throws {
            try await Exit.reporting {
                let catalog = try CatalogFile.read(file)
                let store = try await options.store(migrates: true)
                let newest = try await store.head()?.revision ?? 0
                // One that is damaged is repaired by this one: what it changed is not known then.
                let previous = try? await store.newest()?.read()
                let expecting = expect ?? newest
                let draft = RevisionDraft(
                    catalog, replacing: previous?.id == expecting ? previous?.catalog.document : nil, expecting: expecting,
                    author: "cli:" + NSUserName(), comment: comment)
                let revision = try await store.append(draft)
                try StandardOutput.print("revision \(revision.id)")
            }
        }
    }
}
