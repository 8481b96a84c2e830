public import Steering

/// What one responder has answered since it was last asked, by target, CDN, origin server and status: an array compiled from the
/// table, so that counting is one addition. Replaced as a whole when it is taken or the table changes.
public struct TrafficCounts: Sendable {
    /// Over this many pairs of server and target, servers are not kept apart: each worker holds two arrays, and each cell can become a
    /// row a minute of the database.
    public static let maximumCells = 30_000

    private let table: RoutingTable
    /// 0 when servers are not kept apart.
    private let stride: Int
    /// By server, then target (the origin, then each CDN), then status.
    private var redirects: [UInt64]
    /// By status, from 400.
    private var refusals = [UInt64](repeating: 0, count: 200)
    /// Manifests that were served, by server, then first pathway; empty where none are. They stand in for the redirect that a session would
    /// have begun with.
    private var manifests: [UInt64]
    /// Steering answers by first pathway: the origin, then each CDN. They are no traffic of targets, so the history has none of them.
    private var steering: [UInt64]
    /// Players that left a CDN, by CDN: those that asked to avoid it, then those that used another than they were told.
    private var left: [UInt64]

    init(_ table: RoutingTable) {
        self.table = table
        let targets = (table.catalog.cdns.count + 1) * table.statuses.count
        let servers = table.catalog.origin.labels.count
        let keepsServers = targets * servers <= TrafficCounts.maximumCells
        stride = keepsServers ? targets : 0
        redirects = [UInt64](repeating: 0, count: keepsServers ? targets * servers : targets)
        let first = table.deliversManifests ? table.catalog.cdns.count + 1 : 0
        manifests = [UInt64](repeating: 0, count: keepsServers ? first * servers : first)
        steering = [UInt64](repeating: 0, count: table.steers ? table.catalog.cdns.count + 1 : 0)
        left = [UInt64](repeating: 0, count: 2 * table.catalog.cdns.count)
    }

    mutating func countLeft(_ cdn: Int, avoids: Bool) { left[2 * cdn + (avoids ? 0 : 1)] += 1 }

    mutating func countRedirect(_ target: Decision.Target, status: Int, server: Int) {
        var index = 0
        if case .cdn(let cdn) = target { index = cdn + 1 }
        let statuses = table.statuses
        let kind = statuses.count == 1 ? 0 : statuses.firstIndex(of: status) ?? 0
        redirects[server * stride + index * statuses.count + kind] += 1
    }

    mutating func countManifest(_ first: Decision.Target, server: Int) {
        let targets = table.catalog.cdns.count + 1
        var index = stride == 0 ? 0 : server * targets
        if case .cdn(let cdn) = first { index += cdn + 1 }
        manifests[index] += 1
    }

    mutating func countSteering(_ first: Decision.Target) {
        if case .cdn(let cdn) = first { steering[cdn + 1] += 1 } else { steering[0] += 1 }
    }

    mutating func countRefusal(_ status: Int) {
        if refusals.indices.contains(status - 400) { refusals[status - 400] += 1 }
    }

    /// All counts, and zeros in their place.
    mutating func take() -> TrafficCounts {
        defer { self = TrafficCounts(table) }
        return self
    }

    /// One kind of answer and how many there were.
    public struct Entry: Sendable, Equatable {
        /// Nil for a refusal.
        public let target: Decision.Target?
        /// The CDN's name; empty unless the target is one.
        public let cdn: String
        /// The origin server's label; empty for a refusal, and where servers are not kept apart.
        public let server: String
        public let status: Int
        public let requests: UInt64
    }

    /// Adds redirects, manifests and steering answers by target to counters.
    func add(to counters: inout Counters) {
        counters.steeringToOrigin += steering.first ?? 0
        for (index, reports) in left.enumerated() where reports > 0 {
            let name = table.catalog.cdns[index / 2].name
            if index % 2 == 0 { counters.avoidedCDN[name, default: 0] += reports } else { counters.leftCDN[name, default: 0] += reports }
        }
        for (cdn, answers) in steering.dropFirst().enumerated() where answers > 0 {
            counters.steeringToCDN[table.catalog.cdns[cdn].name, default: 0] += answers
        }
        for (index, requests) in manifests.enumerated() where requests > 0 {
            let target = index % (table.catalog.cdns.count + 1)
            if target == 0 {
                counters.manifestsToOrigin += requests
            } else {
                counters.manifestsToCDN[table.catalog.cdns[target - 1].name, default: 0] += requests
            }
        }
        for (index, requests) in redirects.enumerated() where requests > 0 {
            let cell = stride == 0 ? index : index % stride
            let target = cell / table.statuses.count
            if target == 0 {
                counters.redirectsToOrigin += requests
            } else {
                counters.redirectsToCDN[table.catalog.cdns[target - 1].name, default: 0] += requests
            }
        }
    }

    /// Every kind of answer that there was.
    public var entries: [Entry] {
        let catalog = table.catalog
        var entries: [Entry] = []
        for (index, requests) in redirects.enumerated() where requests > 0 {
            let cell = stride == 0 ? index : index % stride
            let target = cell / table.statuses.count
            let server = stride == 0 ? "" : catalog.origin.labels[index / stride]
            entries.append(
                Entry(
                    target: target == 0 ? .origin : .cdn(target - 1), cdn: target == 0 ? "" : catalog.cdns[target - 1].name, server: server,
                    status: table.statuses[cell % table.statuses.count], requests: requests))
        }
        for (index, requests) in manifests.enumerated() where requests > 0 {
            let target = index % (catalog.cdns.count + 1)
            let server = stride == 0 ? "" : catalog.origin.labels[index / (catalog.cdns.count + 1)]
            entries.append(
                Entry(
                    target: target == 0 ? .origin : .cdn(target - 1), cdn: target == 0 ? "" : catalog.cdns[target - 1].name, server: server,
                    status: 200, requests: requests))
        }
        for (index, requests) in refusals.enumerated() where requests > 0 {
            entries.append(Entry(target: nil, cdn: "", server: "", status: 400 + index, requests: requests))
        }
        return entries
    }
}
