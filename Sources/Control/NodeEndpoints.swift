import HTTPTypes
import HummingbirdCore
import Steering
import Storage

/// Health, metrics, status, and the question what would be decided.
struct NodeEndpoints {
    let node: any Node
    let feed: StatusFeed
    /// Whether others than this machine can reach the port: they scrape it by any name, without a token.
    let isExposed: Bool

    var all: [Endpoint] {
        [
            Endpoint(.get, "/livez", nil, answersAnyName: true) { _ in .text("ok\n") },
            Endpoint(.get, "/readyz", nil, answersAnyName: true, readyz),
            Endpoint(.get, "/metrics", nil, answersAnyName: isExposed) { _ in
                .text(Exposition.text(try await node.metrics()), type: Exposition.contentType)
            },
            Endpoint(.get, "/api/v1/status", .viewer) { call in
                let status = await feed.document()
                return try await call.compute { .json(status) }
            },
            Endpoint(.post, "/api/v1/explain", .viewer, explain),
        ]
    }

    @Sendable private func readyz(_ call: Call) async throws -> Response {
        switch await node.readiness() {
        case .ready: .text("ready\n")
        // The reason has the database's host and user, which are no other site's business.
        case .degraded where call.isForeign: .text("ready, degraded\n")
        case .degraded(let why): .text("ready, degraded: \(why)\n")
        case .draining: .text("draining\n", status: .serviceUnavailable)
        }
    }

    @Sendable private func explain(_ call: Call) async throws -> Response {
        let bytes = try await RequestBody.bytes(call)
        let explain = await node.explainer()
        return try await call.compute {
            let (revision, explanation) = explain(try ExplainQuestion(try RequestBody.parsed(bytes)))
            return .json(NodeEndpoints.describe(explanation, revision))
        }
    }

    private static func describe(_ explanation: Explanation, _ revision: Int) -> Document {
        let steps = explanation.steps.map { Document.object([.init("about", .string($0.about)), .init("text", .string($0.text))]) }
        let refusal = explanation.refusal.map { refusal in
            Document.object([
                .init("status", .integer(refusal.status)), .init("reason", .string(refusal.name)), .init("detail", .string(refusal.detail)),
            ])
        }
        return .object([
            .init("revision", .integer(revision)),
            .init("steps", .array(steps)),
            .init("location", explanation.location.map(Document.string) ?? .null),
            .init("refusal", refusal ?? .null),
            .init("steering", explanation.steering.map(describe) ?? .null),
            .init("delivery", explanation.delivery.map(describe) ?? .null),
        ])
    }

    private static func describe(_ told: Explanation.Delivery) -> Document {
        .object([
            .init("way", .string(told.way.rawValue)),
            .init("obstacle", told.obstacle.map(Document.string) ?? .null),
            .init("session", told.session.flatMap { Int(exactly: $0) }.map(Document.integer) ?? .null),
            .init("pathways", .array(told.pathways.map(Document.string))),
        ])
    }

    private static func describe(_ told: Explanation.Steering) -> Document {
        .object([
            .init("ttl", .integer(told.ttl)),
            .init("pathways", .array(told.pathways.map(Document.string))),
            .init("usable", .integer(told.usable)),
            .init("reason", .string(told.reason.name)),
        ])
    }
}
