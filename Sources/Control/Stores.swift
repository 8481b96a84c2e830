public import Storage

/// What the control plane reads of the database, past the balancer; changes go by the balancer, which puts them on its workers.
public protocol RevisionHistory: Sendable {
    /// Which revision is the newest; nil when there is none. Works as well when its catalog is damaged.
    func head() async throws -> Head?
    /// The newest revision, not read yet; nil when there is none.
    func newest() async throws -> StoredRevision?
    func stored(_ id: Int) async throws -> StoredRevision?
    /// Newest first.
    func revisions(before: Int?, limit: Int) async throws -> [RevisionSummary]
}

public protocol KeyList: Sendable {
    /// By name.
    func keys() async throws -> [APIKey]
}

public protocol TrafficHistory: Sendable {
    /// Sums over the fleet.
    func traffic(_ question: TrafficQuestion) async throws -> [TrafficSum]
}

extension SQLStore: RevisionHistory, KeyList, TrafficHistory {}
