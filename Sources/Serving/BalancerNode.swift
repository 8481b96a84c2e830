import Control
import Edge
import Foundation
import Probing
import Steering
import Storage

/// This process as its control plane sees it.
struct BalancerNode: Node {
    let identity: FleetMember.Identity
    let edge: EdgeServer
    let publisher: Publisher
    let access: Access
    let recorder: TrafficRecorder
    let prober: Prober
    let geoIP: GeoIPFiles
    let store: LazyStore
    let accessLog: AccessLog?
    let registry: MetricsRegistry

    func readiness() async -> Readiness {
        if await publisher.isDraining { return .draining }
        if let trouble = await publisher.trouble { return .degraded(trouble) }
        return .ready
    }

    func metrics() async throws -> [MetricFamily] {
        let current = await publisher.current
        let fleet = [
            Metric.revision.family(Double(current.revision)),
            Metric.newestRevision.family(Double(await publisher.newestRevision)),
            Metric.applied.family(Double(await publisher.applied) / 1000),
            Metric.degraded.family(await publisher.trouble == nil ? 0 : 1),
            Metric.nodes.family(Double(await publisher.nodesSeen)),
            Metric.backlog.family(Double(await recorder.waiting) * 60),
            Metric.lostRequests.family(Double(await recorder.lostRequests)),
            Metric.statements.family(Double(await store.statements)),
        ]
        return NodeMetrics.edge(try await edge.counters(), current.catalog) + [NodeMetrics.sequences(publisher.book)] + fleet
            + ProbeReports.metrics(await prober.reports) + GeoIPReports.metrics(await geoIP.reports)
            + (accessLog.map { NodeMetrics.accessLog($0.totals) } ?? [])
            + registry.families + ProcessMetrics.families(started: identity.started)
    }

    func status() async -> Document {
        let current = await publisher.current
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
        let table = await publisher.table
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
            .init("revision", .integer(current.revision)),
            .init("checksum", .string(current.checksum)),
            .init("databaseID", .string(current.databaseID)),
            .init("answered", .array(counters.map { Answered.documents($0, table) } ?? [])),
            .init("health", ProbeReports.document(await prober.reports, table)),
            .init("geoip", GeoIPReports.document(await geoIP.reports, table)),
            .init("sequences", .array(sequences)),
            .init("fleet", await fleet()),
        ])
    }

    /// Every balancer that shares the database; null while it does not answer.
    private func fleet() async -> Document {
        guard await publisher.trouble == nil, let nodes = try? await store.nodes(), let newest = try? await store.head() else {
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

    func newest() async throws -> Revision? { try await store.load() }

    func revision(_ id: Int) async throws -> Revision? { try await store.revision(id) }

    func revisions(before: Int?, limit: Int) async throws -> [Revision] {
        try await store.revisions(before: before, limit: limit)
    }

    func commit(_ catalog: Catalog, expecting: Int, author: String, comment: String) async throws -> Revision {
        try await publisher.commit(catalog, to: store, expecting: expecting, author: author, comment: comment)
    }

    /// A use that is not written down yet counts too.
    func keys() async throws -> [APIKey] {
        try await store.keys().map { key in
            let used = [key.lastUsed, access.lastUse(ofHash: key.hash)].compactMap { $0 }.max()
            return APIKey(name: key.name, role: key.role, hash: key.hash, created: key.created, expires: key.expires, lastUsed: used)
        }
    }

    func addKey(_ key: APIKey) async throws { try await publisher.changeKeys(store) { try await $0.addKey(key) } }

    func removeKey(named name: String) async throws -> Bool {
        try await publisher.changeKeys(store) { try await $0.removeKey(named: name) }
    }

    func traffic(_ question: TrafficQuestion) async throws -> [TrafficSum] { try await store.traffic(question) }

    func explain(_ question: ExplainQuestion) async -> (revision: Int, explanation: Explanation) {
        let table = await publisher.table
        let explanation = table.explain(
            question.video, avoiding: question.avoid, client: question.client, headers: question.headers,
            at: Int(SystemClock.now() / 1000), sequences: publisher.book.set(for: table))
        return (table.revision, explanation)
    }
}
