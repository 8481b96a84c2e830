/// Which targets do not work, as health checks see them. What it does not name is up.
///
/// By name and label, not by index: a verdict stays true when the catalog around it changes. Names that the catalog lacks are passed over.
public struct Health: Sendable, Equatable {
    /// Names of CDNs, as the catalog writes them.
    public var downCDNs: Set<String>
    /// Labels of origin servers.
    public var downServers: Set<String>

    public init(downCDNs: Set<String> = [], downServers: Set<String> = []) {
        self.downCDNs = downCDNs
        self.downServers = downServers
    }

    public static let allUp = Health()
}
