import HTTPTypes
import Hummingbird
import Steering
import Storage

/// Health, metrics, status, and the question what would be decided.
struct NodeEndpoints {
    let node: any Node

    var all: [Endpoint] {
        [
            Endpoint(.get, "/livez", nil) { _ in .text("ok\n") },
            Endpoint(.get, "/readyz", nil, readyz),
            Endpoint(.get, "/metrics", nil) { _ in .text(Exposition.text(try await node.metrics()), type: Exposition.contentType) },
            Endpoint(.get, "/api/v1/status", .viewer) { _ in .json(await node.status()) },
            Endpoint(.post, "/api/v1/explain", .viewer, explain),
        ]
    }

    @Sendable private func readyz(_ call: Call) async throws -> Response {
        switch await node.readiness() {
        case .ready: .text("ready\n")
        case .degraded(let why): .text("ready, degraded: \(why)\n")
        case .draining: .text("draining\n", status: .serviceUnavailable)
        }
    }

    @Sendable private func explain(_ call: Call) async throws -> Response {
        let question = try ExplainQuestion(try await RequestBody.document(call.request))
        let (revision, explanation) = await node.explain(question)
        return .json(NodeEndpoints.describe(explanation, revision))
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
        ])
    }
}
