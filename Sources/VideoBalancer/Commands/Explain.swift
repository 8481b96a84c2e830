import ArgumentParser
import Steering
import Storage

/// `video-balancer explain URL`.
struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tells step by step what a request for a video would be answered, without taking a number.",
        discussion: "It reads the stored catalog, and the sequences of the state file, at most a second old. Exit code 1 for a refusal.")

    @Argument(help: "The video's URL as the video parameter carries it, or a path /SERVER/….") var url: String
    @Option(help: "Leave out this CDN, as the avoid parameter does.") var avoid: String?
    @OptionGroup var options: DatabaseOptions

    func run() async throws {
        try await Exit.reporting {
            let revision = try await options.newest()
            let saved = StateFile(path: try await options.settings().statePath).load().state?.sequences ?? []
            let table = RoutingTable(revision.catalog, revision: revision.id)
            let book = SequenceBook(saved: saved.map { ($0.name, $0.redirects, $0.cdnBound) })
            let explanation = table.explain(url, avoiding: avoid, sequences: book.set(for: table))
            print("revision  \(revision.id)")
            for step in explanation.steps { print("\(step.about.padded(to: 8))  \(step.text)") }
            if explanation.refusal != nil { throw Exit.failure }
        }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
