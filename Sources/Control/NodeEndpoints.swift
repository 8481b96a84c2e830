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
        let body = try await RequestBody.document(call.request)
        var faults: [Fault] = []
        guard case .object(let members) = body else {
            throw Problem(.unprocessableContent, "The body must be an object with video.", faults: [Fault("", "must be an object")])
        }
        for member in members where !["video", "avoid"].contains(member.key) {
            faults.append(Fault("/\(Fault.escaped(member.key))", "is not a known key; known here: video, avoid"))
        }
        var url = ""
        if case .string(let text)? = body["video"], text.utf8.count <= 8192 {
            url = text
        } else {
            faults.append(Fault("/video", "must be a video's URL of at most 8192 bytes"))
        }
        var avoid: String?
        switch body["avoid"] {
        case nil: break
        case .string(let name): avoid = name
        default: faults.append(Fault("/avoid", "must be the name of a CDN"))
        }
        guard faults.isEmpty else { throw Problem(.unprocessableContent, "The question has \(faults.count) faults.", faults: faults) }
        let (revision, explanation) = await node.explain(url, avoiding: avoid)
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
