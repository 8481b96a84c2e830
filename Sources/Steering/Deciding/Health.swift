/// Which targets do not work, as health checks see them. What it does not name is up.
///
/// By name and label, not by index: a verdict stays true when the catalog around it changes. Names that the catalog lacks are passed over.
public struct Health: Sendable, Equatable {
    /// Names of CDNs, as the catalog writes them.
    public var downCDNs: Set<String>
    /// Labels of origin servers.
    public var downServers: Set<String>

    /// CDNs of those that are down whose probe was never good: more likely the probe is wrong.
    public var unprovenCDNs: Set<String>

    /// CDNs that their players leave by themselves. They count as down, but are no reason for the origin to stand in: players can be wrong,
    /// or lie.
    public var leftCDNs: Set<String> = []

    public init(downCDNs: Set<String> = [], downServers: Set<String> = [], unprovenCDNs: Set<String> = []) {
        self.downCDNs = downCDNs
        self.unprovenCDNs = unprovenCDNs
        self.downServers = downServers
    }

    public static let allUp = Health()
}
