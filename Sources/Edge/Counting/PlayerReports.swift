import Steering

/// Which client networks were sent to each CDN in a window, and which have left it by themselves.
///
/// A network is a bit that its hash chooses: it counts once, however often it asks, and memory is bounded. The hash differs from process to
/// process, so that nobody can choose networks by their bits.
public struct PlayerReports: Sendable {
    /// Networks of one CDN, estimated.
    public struct Networks: Sendable, Equatable {
        /// Those that were sent there, or have left.
        public let seen: Int
        public let left: Int

        public init(seen: Int, left: Int) {
            self.seen = seen
            self.left = left
        }
    }

    /// 16 KiB for a CDN would not miss one in a hundred of a million networks; this does well up to ten thousand a window.
    static let bits = 2048
    private static let words = bits / 64
    private static let salt = UInt64.random(in: .min ... .max)

    private var cdns: [String]
    /// By CDN.
    private var seen: [UInt64]
    private var left: [UInt64]

    init(_ table: RoutingTable) {
        cdns = table.catalog.failover.passive ? table.catalog.cdns.map(\.name) : []
        seen = [UInt64](repeating: 0, count: cdns.count * PlayerReports.words)
        left = seen
    }

    /// Whether anything is noted.
    var isOn: Bool { !seen.isEmpty }

    /// Notes one answer.
    ///
    /// - Parameters:
    ///   - target: where the player is sent.
    ///   - leaves: index of the CDN that it has left.
    mutating func note(_ target: Decision.Target, left leaves: Int?, by client: ClientAddress) {
        // The smallest that a registry gives a provider: whoever has one has all that is smaller in it.
        let network = client.prefix(client.isIPv4 ? 120 : 32)
        let hash = Rendezvous.mixed(network.high ^ Rendezvous.mixed(network.low ^ PlayerReports.salt))
        let word = Int(hash >> 6 % UInt64(PlayerReports.words))
        let bit = UInt64(1) << (hash & 63)
        if case .cdn(let cdn) = target { seen[cdn * PlayerReports.words + word] |= bit }
        if let leaves {
            seen[leaves * PlayerReports.words + word] |= bit
            left[leaves * PlayerReports.words + word] |= bit
        }
    }

    /// Goes on by a new table; what was noted is kept where the CDNs are the same.
    mutating func begin(_ table: RoutingTable) {
        let next = PlayerReports(table)
        if next.cdns != cdns { self = next }
    }

    /// What was noted, and nothing in its place.
    mutating func take() -> PlayerReports {
        let taken = self
        for index in seen.indices { (seen[index], left[index]) = (0, 0) }
        return taken
    }

    /// Networks by the CDN's name, over all workers.
    public static func networks(_ reports: [PlayerReports]) -> [String: Networks] {
        var sums: [String: (seen: [UInt64], left: [UInt64])] = [:]
        for report in reports {
            for (cdn, name) in report.cdns.enumerated() {
                let range = cdn * words..<(cdn + 1) * words
                let known = sums[name] ?? ([UInt64](repeating: 0, count: words), [UInt64](repeating: 0, count: words))
                sums[name] = (
                    zip(known.seen, report.seen[range]).map { $0 | $1 }, zip(known.left, report.left[range]).map { $0 | $1 }
                )
            }
        }
        return sums.mapValues { Networks(seen: estimate($0.seen), left: estimate($0.left)) }
    }

    /// How many networks it takes until so many bits are set: several may share one (the coupon collector's sum).
    private static func estimate(_ words: [UInt64]) -> Int {
        let set = words.reduce(0) { $0 + $1.nonzeroBitCount }
        return Int((0..<set).reduce(0.0) { $0 + Double(bits) / Double(bits - $1) }.rounded())
    }
}
