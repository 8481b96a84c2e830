import Control
import Edge
import Fetching
import Foundation
import Probing
import Steering
import Storage

/// This process as its control plane sees it.
struct BalancerNode: Node {
    let identity: FleetMember.Identity
    let edge: EdgeServer
    let publisher: Publisher
    let condition: NodeCondition
    let access: Access
    let recorder: TrafficRecorder
    let prober: Prober
    let geoIP: GeoIPFiles
    let signingKeys: SigningKeyFiles
    /// Nil without TLS.
    let certificates: CertificateFiles?
    /// Nil when the control plane speaks without TLS.
    let adminSecurity: AdminSecurity?
    let store: SQLStore
    let watcher: DatabaseWatcher
    let accessLog: AccessLog?
    let fetcher: Fetcher
    let registry: MetricsRegistry

    func readiness() async -> Readiness {
        if condition.isDraining { return .draining }
        if let trouble = condition.trouble { return .degraded(trouble.reason) }
        return .ready
    }

    func metrics() async throws -> [MetricFamily] {
        let view = publisher.view
        let fleet = [
            Metric.revision.family(Double(view.current.revision)),
            Metric.newestRevision.family(Double(view.newestRevision)),
            Metric.applied.family(Double(view.applied) / 1000),
            Metric.degraded.family(condition.trouble == nil ? 0 : 1),
            Metric.notFollowed.family(condition.trouble?.kind == .notFollowed ? 1 : 0),
            Metric.nodes.family(Double(view.nodesSeen)),
            Metric.backlog.family(Double(await recorder.waiting) * 60),
            Metric.lostRequests.family(Double(await recorder.lostRequests)),
            Metric.statements.family(Double(await store.statements)),
        ]
        return NodeMetrics.edge(try await edge.counters(), view.current.catalog) + [NodeMetrics.sequences(publisher.book)] + fleet
            + ProbeReports.metrics(await prober.reports) + GeoIPReports.metrics(await geoIP.reports)
            + [NodeMetrics.left(view.table)] + (await SigningReports.metrics(view.table, signingKeys))
            + CertificateReports.metrics(await certificateReports, await certificates?.ticketKeys)
            + NodeMetrics.fetches(fetcher.totals)
            + (accessLog.map { NodeMetrics.accessLog($0.totals) } ?? [])
            + registry.families + ProcessMetrics.families(started: identity.started)
    }

    /// By the port that shows them.
    private var certificateReports: CertificatesByPort {
        get async {
            [
                ("players", await certificates?.reports ?? []), ("admin", await adminSecurity?.files.reports ?? []),
                ("admin-clients", await adminSecurity?.clients?.reports ?? []),
            ]
        }
    }

    func status() async -> Document {
        let view = publisher.view
        let sequences = publisher.book.snapshot.map { sequence in
            Document.object([
                .init("scope", .string(sequence.name)),
                .init("redirects", .integer(Int(clamping: sequence.redirects))),
                .init("cdnBound", .integer(Int(clamping: sequence.cdnBound))),
            ])
        }
        let (state, trouble): (String, Document) =
            switch await readiness() {
            case .ready: ("ready", .null)
            case .degraded(let why): ("degraded", .string(why))
            case .draining: ("draining", .null)
            }
        let counters = try? await edge.counters()
        // Beside the counting: rates are made of both.
        let time = SystemClock.now()
        return .object([
            .init("time", .string(BalancerNode.preciseTime(time))),
            .init(
                "node",
                .object([
                    .init("id", .string(identity.id)),
                    .init("name", .string(identity.name)),
                    .init("version", .string(Version.current)),
                    .init("started", .string(BalancerNode.time(identity.started))),
                    .init("listen", .string("\(edge.address)")),
                ])),
            .init("state", .string(state)),
            .init("trouble", trouble),
            .init("revision", .integer(view.current.revision)),
            .init("checksum", .string(view.current.checksum)),
            .init("databaseID", .string(view.current.databaseID)),
            .init("answered", .array(counters.map { Answered.documents($0, view.table) } ?? [])),
            .init("steering", counters.map { Answered.steering($0, view.table) } ?? .null),
            .init("health", ProbeReports.document(await prober.reports, view.table, at: time)),
            .init("certificates", CertificateReports.document(await certificateReports, at: time)),
            .init("ticketKeys", CertificateReports.document(await certificates?.ticketKeys)),
            // Where nothing speaks HTTPS no page by HTTPS asks.
            .init("mixedContent", .array((certificates == nil ? [] : view.current.catalog.targetsWithoutHTTPS).map(Document.string))),
            .init("geoip", GeoIPReports.document(await geoIP.reports, view.table)),
            .init("signing", await SigningReports.document(signingKeys, view.table)),
            .init("sequences", .array(sequences)),
            .init("fleet", await fleet()),
        ])
    }

    /// Every balancer that shares the database; null while it does not answer.
    private func fleet() async -> Document {
        guard condition.trouble == nil, let nodes = try? await store.nodes(), let newest = try? await store.head() else {
            return .null
        }
        return .array(
            nodes.map { node in
                let isCurrent = node.revision == newest.revision && node.checksum == newest.checksum
                let state = node.isSilent ? "silent" : isCurrent ? "current" : "lagging"
                return .object([
                    .init("id", .string(node.id)),
                    .init("name", .string(node.name)),
                    .init("address", .string(node.address)),
                    .init("version", .string(node.version)),
                    .init("boot", .string(node.boot)),
                    .init("started", .string(BalancerNode.time(node.started))),
                    .init("revision", .integer(node.revision)),
                    .init("seen", .string(BalancerNode.time(node.seen))),
                    .init("state", .string(state)),
                ])
            })
    }

    static func time(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(Date.ISO8601FormatStyle())
    }

    /// With milliseconds: rates are made of two of them.
    private static func preciseTime(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// Stores it and puts it on every worker. Nobody waits here for an edit that hangs but its own caller.
    func commit(_ draft: RevisionDraft) async throws -> Revision {
        try requireFollowedDatabase()
        let revision = try await store.append(draft)
        await publisher.stored(revision)
        return revision
    }

    /// An edit in a database that is not followed would make it the right one by the way.
    private func requireFollowedDatabase() throws {
        guard let trouble = condition.trouble, trouble.kind == .notFollowed else { return }
        throw StorageError(.otherDatabase, at: "", trouble.reason)
    }

    func addKey(_ key: APIKey) async throws {
        try requireFollowedDatabase()
        try await store.addKey(key)
        await takeKeys()
    }

    func removeKey(named name: String) async throws -> Bool {
        try requireFollowedDatabase()
        let isRemoved = try await store.removeKey(named: name)
        // Whatever becomes of the next question: who was told that it is revoked must not see it work.
        access.forget(named: name)
        await takeKeys()
        return isRemoved
    }

    /// The change is stored; when the keys cannot be read now, the next look brings them.
    private func takeKeys() async {
        if let keys = try? await store.keys() { await publisher.stored(keys) }
    }

    /// Says which is right where the database is another or empty: what it holds, or what this balancer answers from.
    func settleDatabase(_ winner: DatabaseWinner, author: String) async throws {
        let current = publisher.view.current
        switch winner {
        case .database: break
        case .balancer:
            try await store.reopen()
            let newest = try await store.head()?.revision ?? 0
            _ = try await store.append(
                current.catalog, expecting: newest, author: author, comment: "revision \(current.revision) of the database before")
        }
        if !current.databaseID.isEmpty, try await store.head()?.databaseID != current.databaseID {
            try await store.adopt(predecessor: current.databaseID)
        }
        await watcher.look()
    }

    func explainer() async -> @Sendable (ExplainQuestion) -> (revision: Int, explanation: Explanation) {
        let table = publisher.view.table
        return { [publisher] question in
            let explanation = table.explain(
                question.video, avoiding: question.avoid, isByHTTPS: question.isByHTTPS, client: question.client, headers: question.headers,
                at: Int(SystemClock.now() / 1000), sequences: publisher.book.set(for: table))
            return (table.revision, explanation)
        }
    }
}
