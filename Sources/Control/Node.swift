public import Steering
public import Storage

/// What the control plane needs of the balancer it belongs to. Implemented by the executable, the only one that sees both planes.
public protocol Node: Sendable {
    func readiness() async -> Readiness
    func metrics() async throws -> [MetricFamily]
    /// This node as `GET /api/v1/status` shows it.
    func status() async -> Document

    /// Stores a catalog as the successor of the revision that it expects and puts it on every worker; returns when it is durable and
    /// live.
    ///
    /// - Throws: `StorageError` of kind `conflict` when another revision came first.
    func commit(_ draft: RevisionDraft) async throws -> Revision

    /// Stores a key; it works on this node when this returns, on every other within a second.
    ///
    /// - Throws: `StorageError` of kind `duplicate` when the name is taken.
    func addKey(_ key: APIKey) async throws

    /// - Returns: false when there is no such key.
    func removeKey(named name: String) async throws -> Bool

    /// Says which is right after the database was emptied or replaced; when this returns the node follows it.
    ///
    /// - Throws: `StorageError` when the database does not answer.
    func settleDatabase(_ winner: DatabaseWinner, author: String) async throws

    /// Decides without taking a number, with the revision that was asked. What it returns computes where it is called.
    func explainer() async -> @Sendable (ExplainQuestion) -> (revision: Int, explanation: Explanation)
}

/// Whether a node should get traffic.
public enum Readiness: Sendable, Equatable {
    case ready
    /// Redirects go on, but the database does not answer: why.
    case degraded(String)
    case draining
}

/// What is right where a database is another than the one that a balancer's catalog comes from, or has lost its catalog.
public enum DatabaseWinner: String, Sendable, CaseIterable {
    /// What the database holds.
    case database
    /// What this balancer answers from: it is stored as the newest revision.
    case balancer
}
