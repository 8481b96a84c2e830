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

    init(_ table: RoutingTable) {
        self.table = table
        let targets = (table.catalog.cdns.count + 1) * table.statuses.count
        let servers = table.catalog.origin.labels.count
        let keepsServers = targets * servers <= TrafficCounts.maximumCells
        stride = keepsServers ? targets : 0
        redirects = [UInt64](repeating: 0, count: keepsServers ? targets * servers : targets)
    }

    mutating func countRedirect(_ target: Decision.Target, status: Int, server: Int) {
        var index = 0
        if case .cdn(let cdn) = target { index = cdn + 1 }
        let statuses = table.statuses
        let kind = statuses.count == 1 ? 0 : statuses.firstIndex(of: status) ?? 0
        redirects[server * stride + index * statuses.count + kind] += 1
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

    /// Adds the redirects by target to counters.
    func addRedirects(to counters: inout Counters) {
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
        for (index, requests) in refusals.enumerated() where requests > 0 {
            entries.append(Entry(target: nil, cdn: "", server: "", status: 400 + index, requests: requests))
        }
        return entries
    }
}
