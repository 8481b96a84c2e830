import ArgumentParser
import Foundation
import Serving
import Steering
import Storage

/// `video-balancer simulate CATALOG`.
struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Plays traffic through a catalog and prints where it would go.",
        discussion: """
            The traffic is made up (--requests, --viewers, --films), or read from an access log: the balancer's own (--access-log), or one \
            whose lines begin with the client's address and have the request in quotes, as nginx and Apache write them. Nothing is stored \
            and the running numbers stay as they are. Whether a viewer moves and a film is filled again is what the strategy hash is judged by.

            With --sessions it plays players that are steered while they play, second by second: who asks, and whom a change of the catalog \
            (--then) or a CDN that dies (--down) moves, from the second --at on.
            """)

    @Argument(help: "A catalog in JSON, or in YAML when the name ends in .yaml or .yml; - is standard input.") var catalog: String
    @Option(help: ArgumentHelp("Play this access log; - is standard input.", valueName: "file")) var log: String?
    @Option(help: "Requests to make up, 1 to 1000000000.") var requests = 1_000_000
    @Option(help: "Different clients among them, 1 to 10000000.") var viewers = 10_000
    @Option(help: "Different films among them, 1 to 10000000; some are seen far more than others.") var films = 1000
    @Option(help: "Requests that come in one second, for caps, 1 to 100000000.") var rate = 1000
    @Option(help: "Begins the made-up choice of films and viewers; the same seed gives the same traffic.") var seed: UInt64 = 1
    @Option(help: ArgumentHelp("This CDN or origin server does not work, as often as needed.", valueName: "name")) var down: [String] = []
    @Flag(help: "The requests come by HTTPS, as from pages: prints how many of the redirects a page refuses.") var https = false
    @OptionGroup(title: "Steered players") var steered: SteeredOptions
    @OptionGroup var geoIP: GeoIPOptions

    mutating func validate() throws {
        if steered.sessions == nil, let option = steered.foreign { throw ValidationError("\(option) belongs to --sessions; give that too") }
        if steered.sessions != nil, log != nil {
            throw ValidationError("--log and --sessions exclude each other; an access log has no TTLs")
        }
        for (name, value, maximum) in [
            ("--requests", requests, 1_000_000_000), ("--viewers", viewers, 10_000_000), ("--films", films, 10_000_000),
            ("--rate", rate, 100_000_000),
        ] where !(1...maximum).contains(value) {
            throw ValidationError("\(name) must be a whole number from 1 to \(maximum), is \(value)")
        }
    }

    func run() async throws {
        try await Exit.reporting {
            let catalog = try CatalogFile.read(self.catalog)
            if let sessions = steered.sessions {
                let table = { [geography = try await geoIP.geography()] (catalog: Catalog, health: Health) in
                    RoutingTable(catalog, revision: 0, health: health, geography: geography, zones: TimeZones(of: catalog))
                }
                let after = try steered.then.map { try CatalogFile.read($0) }
                try steered.play(
                    sessions, table(catalog, .allUp), catalog: catalog,
                    then: after.map { table($0, try health($0)) } ?? table(catalog, try health(catalog)))
                return
            }
            var simulation = Simulation(
                catalog, health: try health(catalog), perSecond: rate, start: Int(Date.now.timeIntervalSince1970),
                geography: try await geoIP.geography(), zones: TimeZones(of: catalog))
            for warning in simulation.warnings { StandardError.say(warning) }
            if let log {
                try PlayedLog.play(log, &simulation)
            } else {
                play(catalog, &simulation)
            }
            try StandardOutput.print(Simulate.text(simulation.report, catalog, isByHTTPS: https), terminator: "")
        }
    }

    private func health(_ catalog: Catalog) throws -> Health {
        var health = Health()
        for name in down {
            if let cdn = catalog.cdns.first(where: { $0.name.lowercased() == name.lowercased() }) {
                health.downCDNs.insert(cdn.name)
            } else if catalog.origin.labels.contains(name.lowercased()) {
                health.downServers.insert(name.lowercased())
            } else {
                throw ConfigurationFault("--down \(name) is neither a CDN nor an origin server of this catalog")
            }
        }
        return health
    }

    /// Films by popularity: of any number of films the first half of the list gets far more than the second.
    private func play(_ catalog: Catalog, _ simulation: inout Simulation) {
        // Read once: an option is looked up behind its property wrapper, which in the loop would be a third of its time.
        let (requests, viewers, films) = (requests, viewers, films)
        let labels = catalog.origin.labels
        let paths = (0..<films).map { film in Array("/\(labels[film % labels.count])/video/\(film)/playlist.m3u8".utf8) }
        var state = seed
        for _ in 0..<requests {
            let draw = Simulate.next(&state)
            let part = Double(draw >> 40) / Double(1 << 24)
            let film = min(films - 1, Int(part * part * part * Double(films)))
            let viewer = UInt32(((draw & 0xFFFF_FFFF) * UInt64(viewers)) >> 32)
            // A network for each viewer: as networks they are told apart.
            let path = paths[film]
            simulation.play(path.span, of: ClientAddress(ipv4: 0x0100_0000 &+ (viewer << 8)))
        }
    }

    /// SplitMix64 (Steele et al., 2014).
    private static func next(_ state: inout UInt64) -> UInt64 {
        defer { state &+= 0x9E37_79B9_7F4A_7C15 }
        return Rendezvous.mixed(state)
    }

    private static func text(_ report: Simulation.Report, _ catalog: Catalog, isByHTTPS: Bool) -> String {
        let redirects = report.toOrigin + report.toCDN.reduce(0, +)
        func line(_ name: String, _ count: Int, of whole: Int) -> String {
            let share = whole == 0 ? 0 : Double(count) * 100 / Double(whole)
            return "\(name.padded(to: 24)) \(String(count).padded(to: 12)) \(String(format: "%6.2f", share)) %\n"
        }
        var text = line("requests", report.requests, of: report.requests)
        text += line("origin", report.toOrigin, of: redirects)
        for (cdn, count) in zip(catalog.cdns, report.toCDN) { text += line(cdn.name, count, of: redirects) }
        if isByHTTPS {
            let plain = Set(catalog.targetsWithoutHTTPS)
            let toCDNs = zip(catalog.cdns, report.toCDN).filter { plain.contains($0.0.name) }.reduce(0) { $0 + $1.1 }
            text += line("mixed content", toCDNs + (plain.contains("origin") ? report.toOrigin : 0), of: redirects)
        }
        if report.manifests > 0 { text += line("served manifests", report.manifests, of: report.requests) }
        if report.passedOver > 0 { text += "\("of sessions, not played".padded(to: 24)) \(report.passedOver)\n" }
        for (obstacle, count) in report.obstacles.sorted(by: { $0.key < $1.key }) {
            text += line("redirected: \(obstacle)", count, of: report.requests)
        }
        for (reason, count) in report.refused.sorted(by: { $0.key < $1.key }) {
            text += line("refused: \(reason)", count, of: report.requests)
        }
        let perFilm = report.films == 0 ? 0 : Double(report.fills) / Double(report.films)
        text += "\("films".padded(to: 24)) \(String(report.films).padded(to: 12)) on \(String(format: "%.2f", perFilm)) CDNs each\n"
        return text + line("viewers that move", report.moved, of: report.viewers)
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
