import ArgumentParser
import Foundation
import Serving
import Steering
import Storage

/// `video-balancer explain URL`.
struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tells step by step what a request for a video would be answered, without taking a number.",
        discussion:
            "It reads the stored catalog and, from the state file of a balancer that runs here, its sequences and which targets its probes have found down, at most a second old. Exit code 1 for a refusal."
    )

    @Argument(
        help:
            "The video's URL as the video parameter carries it, a path /SERVER/…, or a steering question /steering/hls/SERVER/…?session=17."
    ) var url: String
    @Option(help: "Leave out this CDN, as the avoid parameter does.") var avoid: String?
    @Flag(help: "The request comes by HTTPS: targets are named by HTTPS where the catalog has them so.") var https = false
    @Option(help: ArgumentHelp("The client's address, for rules and viewers.", valueName: "address")) var from: String?
    @Option(name: .customLong("header"), help: ArgumentHelp("A field of the request, as often as needed.", valueName: "name: value"))
    var fields: [String] = []
    @Flag(help: "Show the token of a signed link, with which anybody gets the video; *** stands for it otherwise.") var showToken = false
    @OptionGroup var geoIP: GeoIPOptions
    @OptionGroup var signingKeys: SigningKeyOptions
    @OptionGroup var options: DatabaseOptions

    func run() async throws {
        try await Exit.reporting {
            let revision = try await options.newest()
            let (saved, now) = (StateFile(path: try options.settings().statePath).load().state, SystemClock.now())
            let health = saved?.health(of: revision.catalog, now: now) ?? .allUp
            let table = RoutingTable(
                revision.catalog, revision: revision.id, health: health, geography: try await geoIP.geography(),
                zones: TimeZones(of: revision.catalog), signers: try signingKeys.signers(revision.catalog))
            let book = SequenceBook(saved: saved?.sequences.map { ($0.name, $0.redirects, $0.cdnBound) } ?? [])
            let explanation = table.explain(
                url, avoiding: avoid, isByHTTPS: https, client: try client(), headers: try fields.map(header),
                at: Int(now / 1000), sequences: book.set(for: table), showsToken: showToken)
            try StandardOutput.print("revision  \(revision.id)")
            for line in health.down(saved?.verdicts ?? [], now: now) { try StandardOutput.print("down      \(line)") }
            for step in explanation.steps { try StandardOutput.print("\(step.about.padded(to: 8))  \(step.text)") }
            if explanation.refusal != nil { throw Exit.failure }
        }
    }

    private func client() throws -> ClientAddress {
        guard let from else { return .unknown }
        guard let client = ClientAddress(from) else { throw ValidationError("--from must be an IPv4 or IPv6 address, is \(from)") }
        return client
    }

    private func header(_ text: String) throws -> (name: String, value: String) {
        let parts = text.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
        guard parts.count == 2, let header = Explanation.header(parts[0], parts[1]) else {
            throw ValidationError("--header must be \"Name: value\", is \"\(text)\"")
        }
        return header
    }
}

extension Health {
    /// Why targets are down, and since when nobody has asked them: a balancer that has stopped leaves what it knew last.
    fileprivate func down(_ verdicts: [SavedVerdict], now: Int64) -> [String] {
        verdicts.filter { $0.kind == "cdn" ? downCDNs.contains($0.name) : downServers.contains($0.name) }.prefix(8).map {
            "\($0.kind) \($0.name), probed \(max(0, Int(now) / 1000 - $0.judged / 1000)) s ago: \($0.reason)"
        }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
