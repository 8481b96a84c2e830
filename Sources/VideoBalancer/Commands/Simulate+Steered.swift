import ArgumentParser
import Foundation
import Serving
import Steering

/// `video-balancer simulate CATALOG --sessions N`: steered players over time.
struct SteeredOptions: ParsableArguments {
    @Option(help: "Players that are steered, 1 to 10000000.") var sessions: Int?
    @Option(name: .customLong("begin-over"), help: ArgumentHelp("Seconds over which they begin evenly.", valueName: "seconds"))
    var beginOver: Int?
    @Option(name: .customLong("for"), help: ArgumentHelp("Seconds to play; 1800 when not given.", valueName: "seconds"))
    var duration: Int?
    @Option(help: ArgumentHelp("The second of the change; in the middle when not given.", valueName: "second")) var at: Int?
    @Option(help: ArgumentHelp("The catalog from then on, of the same CDNs in the same order.", valueName: "catalog")) var then: String?
    @Option(help: ArgumentHelp("A line for so many seconds; 60 when not given.", valueName: "seconds")) var every: Int?
    @Option(help: ArgumentHelp("The film's path, for rules; /SERVER/film/master.m3u8 when not given.", valueName: "path")) var path: String?

    private static let longest = 86_400

    /// An option that was given and has no meaning alone.
    var foreign: String? {
        let given: [(String, Bool)] = [
            ("--begin-over", beginOver != nil), ("--for", duration != nil), ("--at", at != nil), ("--then", then != nil),
            ("--every", every != nil), ("--path", path != nil),
        ]
        return given.first { $0.1 }?.0
    }

    mutating func validate() throws {
        for (name, value, most) in [
            ("--sessions", sessions, 10_000_000), ("--begin-over", beginOver, SteeredOptions.longest),
            ("--for", duration, SteeredOptions.longest), ("--at", at, SteeredOptions.longest), ("--every", every, SteeredOptions.longest),
        ] {
            if let value, !(1...most).contains(value) {
                throw ValidationError("\(name) must be a whole number from 1 to \(most), is \(value)")
            }
        }
    }

    /// Plays and prints.
    ///
    /// - Parameter changed: the table from `--at` on.
    func play(_ sessions: Int, _ table: RoutingTable, catalog: Catalog, then changed: RoutingTable) throws {
        guard table.steers else { throw ConfigurationFault("the catalog steers nobody: steering.enabled is false, in its rules too") }
        guard changed.catalog.cdns.map(\.name) == catalog.cdns.map(\.name) else {
            throw ConfigurationFault("--then must have the same CDNs in the same order; set enabled to false or weight to 0 instead")
        }
        let duration = duration ?? 1800
        let (beginOver, at) = (min(beginOver ?? 600, duration), at ?? duration / 2)
        var simulation = SessionSimulation(
            table, path: path ?? "/\(catalog.origin.labels[0])/film/master.m3u8", sessions: sessions, beginOver: beginOver,
            start: Int(Date.now.timeIntervalSince1970))
        var report = SteeredReport(catalog, every: every ?? 60)
        try StandardOutput.print(report.heading)
        for second in 0..<duration {
            if second == at { simulation.change(to: changed) }
            let played: SessionSimulation.Second
            do throws(Refusal) { played = try simulation.step() } catch {
                throw ConfigurationFault("--path is refused: \(error.name): \(error.detail)")
            }
            if let line = report.line(second, played, simulation.viewers, isLast: second + 1 == duration) { try StandardOutput.print(line) }
        }
        try StandardOutput.print(report.summary(sessions, beginOver: beginOver, at: at, ttl: catalog.steering.ttl), terminator: "")
    }
}

/// What the simulation of steered players prints.
private struct SteeredReport {
    /// Targets that have a column: a line has a bound.
    private static let maximumTargets = 8

    private let names: [String]
    private let every: Int
    private var asks: [Int] = []
    private var moves: [Int] = []
    private var refused = 0
    private var sinceLine = 0

    init(_ catalog: Catalog, every: Int) {
        names = ["origin"] + catalog.cdns.map(\.name)
        self.every = every
    }

    var heading: String {
        row(["second", "asks/s", "busiest", "moves"] + names.prefix(SteeredReport.maximumTargets).map { "\($0) %" })
    }

    /// - Returns: nil between two lines.
    mutating func line(_ second: Int, _ played: SessionSimulation.Second, _ viewers: [Int], isLast: Bool) -> String? {
        asks.append(played.asks)
        moves.append(played.moves)
        refused += played.refused
        guard isLast || (second + 1) % every == 0 else { return nil }
        let part = asks[sinceLine...]
        let moved = moves[sinceLine...].reduce(0, +)
        let (begin, all) = (sinceLine, viewers.reduce(0, +))
        sinceLine = asks.count
        let shares = viewers.prefix(SteeredReport.maximumTargets).map {
            String(format: "%.2f", all == 0 ? 0 : 100 * Double($0) / Double(all))
        }
        let mean = Double(part.reduce(0, +)) / Double(part.count)
        return row(["\(begin)", String(format: "%.1f", mean), "\(part.max() ?? 0)", "\(moved)"] + shares)
    }

    /// - Parameters:
    ///   - at: the second of the change.
    ///   - ttl: of the catalog, in seconds.
    func summary(_ sessions: Int, beginOver: Int, at: Int, ttl: Int) -> String {
        var text = ""
        if at < moves.count {
            let after = moves[at...]
            let moved = after.reduce(0, +)
            let last = after.lastIndex { $0 > 0 }.map { $0 - at + 1 } ?? 0
            text += String(
                format: "moved by the change: %d of %d (%.2f %%), the last after %d s\n", moved, sessions, percent(moved, sessions), last)
        }
        text += busiest("asks a second before the change", 0..<min(at, asks.count), mean: Double(sessions) / Double(ttl))
        let settled = max(beginOver, at) + 3 * ttl..<asks.count
        if !settled.isEmpty {
            let mean = Double(asks[settled].reduce(0, +)) / Double(settled.count)
            text += busiest("asks a second three TTLs after it", settled, mean: mean)
        }
        return refused == 0 ? text : text + "refused: \(refused)\n"
    }

    /// - Parameter mean: of a second in which all go on asking.
    private func busiest(_ what: String, _ seconds: Range<Int>, mean: Double) -> String {
        guard let most = asks[seconds].max() else { return "" }
        return String(format: "%@: busiest %d, %.2f x the mean of %.1f\n", what, most, Double(most) / mean, mean)
    }

    private func percent(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : 100 * Double(part) / Double(whole) }

    private func row(_ cells: [String]) -> String {
        cells.map { String(repeating: " ", count: max(0, 10 - $0.count)) + $0 }.joined(separator: " ")
    }
}
