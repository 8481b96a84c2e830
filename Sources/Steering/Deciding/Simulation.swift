/// Traffic played through the same `decide` as the answers on the wire, for an operator who wants to see a change before making it.
public struct Simulation {
    /// What came of it.
    public struct Report: Sendable, Equatable {
        public fileprivate(set) var requests = 0
        public fileprivate(set) var toOrigin = 0
        /// By CDN of the catalog.
        public fileprivate(set) var toCDN: [Int]
        /// Of the requests those that are answered with a manifest, if it can be rewritten; they count where their session begins.
        public fileprivate(set) var manifests = 0
        /// Manifests that are redirected although the catalog serves them, by what is in the way.
        public fileprivate(set) var obstacles: [String: Int] = [:]
        /// What sessions ask that have begun, steering questions and links: they take no number and are not played.
        public fileprivate(set) var passedOver = 0
        /// By name of the refusal.
        public fileprivate(set) var refused: [String: Int] = [:]
        /// Different films seen.
        public fileprivate(set) var films = 0
        /// Different pairs of film and CDN: each is one fill of a cache.
        public fileprivate(set) var fills = 0
        /// Different viewers seen.
        public fileprivate(set) var viewers = 0
        /// Viewers whose newest CDN would not have been the same with everything up.
        public fileprivate(set) var moved = 0
    }

    private let table: RoutingTable
    private let sequences: SequenceSet
    /// The same catalog with everything up, when something is down.
    private let whole: (table: RoutingTable, sequences: SequenceSet)?
    private let perSecond: Int
    private let start: Int
    private var decoded: [UInt8] = []
    private var ranking: [Decision.Target] = []
    private var seenFilms: Set<UInt64> = []
    private var seenFills: Set<UInt64> = []
    private var viewersByAddress: [ClientAddress: Bool] = [:]
    public private(set) var report: Report

    /// - Parameters:
    ///   - health: what is down in this game.
    ///   - perSecond: how many requests come in one second, at least 1; caps go by it.
    ///   - start: the first second, since 1970-01-01 UTC; hours of rules go by it.
    ///   - geography: what is known of clients.
    ///   - zones: what is known of the catalog's time zones.
    public init(
        _ catalog: Catalog, health: Health, perSecond: Int, start: Int, geography: Geography = Geography(), zones: TimeZones = TimeZones()
    ) {
        table = RoutingTable(catalog, revision: 0, health: health, geography: geography, zones: zones)
        sequences = SequenceBook().set(for: table)
        if health == .allUp {
            whole = nil
        } else {
            let up = RoutingTable(catalog, revision: 0, geography: geography, zones: zones)
            whole = (up, SequenceBook().set(for: up))
        }
        self.perSecond = max(1, perSecond)
        self.start = start
        report = Report(toCDN: catalog.cdns.map { _ in 0 })
    }

    /// What makes the game differ from what the catalog asks for.
    public var warnings: [String] { table.blindRules + table.zoneWarnings }

    /// Plays one request.
    ///
    /// - Parameter url: the video's, as the `video` parameter carries it, or a path `/{server}/…`.
    public mutating func play(_ url: borrowing Span<UInt8>, of client: ClientAddress) {
        if isOfSession(url) {
            report.passedOver += 1
            return
        }
        let asker = Asker(client: client, second: start + report.requests / perSecond)
        report.requests += 1
        do throws(Refusal) {
            let video: VideoReference
            if url.isEmpty || url[0] != UInt8(ascii: "/") {
                video = try table.video(in: 0..<url.count, of: url, decodedInto: &decoded)
            } else {
                video = try table.video(atPath: 0..<url.count, of: url)
            }
            if video.isDecoded {
                let decoded = decoded
                try play(video, decoded.span, asker)
            } else {
                try play(video, url, asker)
            }
        } catch {
            report.refused[error.name, default: 0] += 1
        }
    }

    private func isOfSession(_ url: borrowing Span<UInt8>) -> Bool {
        let all = 0..<url.count
        if table.steers, SteeringFormat(url, path: all) != nil { return true }
        return table.deliversManifests && url.begins(with: "/session/", in: all) && SessionLink(url, all) != nil
    }

    private mutating func play(_ video: VideoReference, _ source: borrowing Span<UInt8>, _ asker: Asker) throws(Refusal) {
        let (target, begins) = try target(of: video, source, asker, table, sequences)
        if begins { report.manifests += 1 }
        if let obstacle = obstacle(video, source, asker) { report.obstacles[obstacle, default: 0] += 1 }
        let film = Rendezvous.mixed(table.filmHash(video, source))
        if seenFilms.insert(film).inserted { report.films += 1 }
        switch target {
        case .origin: report.toOrigin += 1
        case .cdn(let cdn):
            report.toCDN[cdn] += 1
            if seenFills.insert(Rendezvous.mixed(film ^ UInt64(cdn))).inserted { report.fills += 1 }
        }
        var hasMoved = false
        if let whole {
            let before = try? self.target(of: video, source, asker, whole.table, whole.sequences)
            hasMoved = before?.target != target
        }
        let was = viewersByAddress.updateValue(hasMoved, forKey: asker.client)
        if was == nil { report.viewers += 1 }
        if (was ?? false) != hasMoved { report.moved += hasMoved ? 1 : -1 }
    }

    /// Where a request leads: a redirect, or the session that a manifest begins.
    private mutating func target(
        of video: VideoReference, _ source: borrowing Span<UInt8>, _ asker: Asker, _ table: RoutingTable, _ sequences: SequenceSet
    ) throws(Refusal) -> (target: Decision.Target, begins: Bool) {
        let nothing: [UInt8] = []
        if let format = table.manifestFormat(video, of: source) {
            let delivery = table.delivery(video, of: source, asker, head: nothing.span)
            if delivery.way != .redirect, delivery.obstacle(format) == nil {
                let begun = try table.beginSession(
                    video, of: source, asker, head: nothing.span, sequences: sequences, ranking: &ranking)
                return (begun.list[0], true)
            }
        }
        return (try table.decide(video, of: source, asker, head: nothing.span, sequences: sequences).target, false)
    }

    private func obstacle(_ video: VideoReference, _ source: borrowing Span<UInt8>, _ asker: Asker) -> String? {
        guard table.deliversManifests, let format = table.manifestFormat(video, of: source) else { return nil }
        let nothing: [UInt8] = []
        return table.delivery(video, of: source, asker, head: nothing.span).obstacle(format)?.name
    }
}
