import ArgumentParser
import Serving
import Steering

/// `video-balancer check FILE`.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks a catalog file and names every fault in it.", discussion: "Exit code 0 when it is good, 78 when it is not.")

    @Argument(help: "A catalog in JSON, or in YAML when the name ends in .yaml or .yml; - is standard input.") var file: String

    func run() async throws {
        try await Exit.reporting {
            let catalog = try CatalogFile.read(file)
            for warning in catalog.signingWarnings { StandardError.say("warning: \(warning)") }
            let taking = catalog.cdns.filter(\.takesTraffic).count
            let servers = catalog.origin.labels.count
            try StandardOutput.print("\(file): good; origin servers: \(servers), CDNs: \(catalog.cdns.count), taking traffic: \(taking)")
            if let warning = catalog.mixedContentWarning { StandardError.say("\(file): \(warning)") }
        }
    }
}
