import Control
import Edge
import Foundation
import Steering
import Storage

/// This process as its control plane sees it.
struct BalancerNode: Node {
    let edge: EdgeServer
    let publisher: Publisher
    let store: any CatalogStore
    let started: Date

    func readiness() async -> Readiness {
        if await publisher.isDraining { return .draining }
        if let trouble = await publisher.trouble { return .degraded(trouble) }
        return .ready
    }

    func metrics() async throws -> [MetricFamily] {
        MetricTable.families(try await edge.counters(), await publisher.current, isDegraded: await publisher.trouble != nil)
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
        return .object([
            .init(
                "node",
                .object([
                    .init("version", .string(VideoBalancer.version)),
                    .init("started", .string(started.formatted(Date.ISO8601FormatStyle()))),
                    .init("listen", .string("\(edge.address)")),
                ])),
            .init("state", .string(state)),
            .init("trouble", trouble),
            .init("revision", .integer(current.revision)),
            .init("databaseID", .string(current.databaseID)),
            .init("sequences", .array(sequences)),
        ])
    }

    func newest() async throws -> Revision? { try await store.load() }

    func revision(_ id: Int) async throws -> Revision? { try await store.revision(id) }

    func revisions(before: Int?, limit: Int) async throws -> [Revision] {
        try await store.revisions(before: before, limit: limit)
    }

    func commit(_ catalog: Catalog, expecting: Int, author: String, comment: String) async throws -> Revision {
        try await publisher.commit(catalog, to: store, expecting: expecting, author: author, comment: comment)
    }

    func explain(_ url: String, avoiding name: String?) async -> (revision: Int, explanation: Explanation) {
        let current = await publisher.current
        let table = RoutingTable(current.catalog, revision: current.revision)
        return (current.revision, table.explain(url, avoiding: name, sequences: publisher.book.set(for: table)))
    }
}
