import HTTPTypes
import HummingbirdCore
import Steering
import Storage

/// `POST /api/v1/database/settle`: says which is right after a database was emptied, replaced or moved. Until somebody does, a balancer that knows a
/// catalog goes on with it and follows nothing else.
struct DatabaseEndpoint {
    let node: any Node

    var endpoint: Endpoint { Endpoint(.post, "/api/v1/database/settle", .admin, settle) }

    @Sendable private func settle(_ call: Call) async throws -> Response {
        let body = try await RequestBody.document(call)
        guard case .object(let members) = body, members.count == 1, case .string(let text)? = body["wins"],
            let winner = DatabaseWinner(rawValue: text)
        else {
            throw Problem(
                .unprocessableContent, "The body must be {\"wins\": \"database\"} or {\"wins\": \"balancer\"}.",
                faults: [Fault("/wins", "must be database or balancer")])
        }
        try await node.settleDatabase(winner, author: call.author)
        return .json(await node.status())
    }
}
