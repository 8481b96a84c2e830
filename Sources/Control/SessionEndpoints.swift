import HTTPTypes
import HummingbirdCore
import Steering
import Storage

/// The dashboard's login: a token for a cookie that scripts cannot read.
struct SessionEndpoints {
    let gate: Gate

    private static let path = "/dashboard/session"

    var all: [Endpoint] {
        [
            // Open to everybody, so that a page can ask without being refused.
            Endpoint(.get, SessionEndpoints.path, nil) { call in SessionEndpoints.describe(gate.caller(of: call.request)) },
            Endpoint(.post, SessionEndpoints.path, .viewer) { call in
                guard let caller = call.caller else { return SessionEndpoints.describe(nil) }
                var response = SessionEndpoints.describe(caller)
                response.headers[.setCookie] = SessionCookie.field(gate.sessions.begin(caller.key, now: gate.now()), for: call.request)
                return response
            },
            Endpoint(.delete, SessionEndpoints.path, nil) { call in
                try SessionCookie.requireOwnOrigin(call.request)
                if let session = SessionCookie.value(in: call.request) { gate.sessions.end(session) }
                return Response(status: .noContent, headers: [.setCookie: SessionCookie.field("", for: call.request)])
            },
        ]
    }

    private static func describe(_ caller: Caller?) -> Response {
        .json(
            .object([
                .init("name", caller.map { .string($0.key.name) } ?? .null),
                .init("role", caller.map { .string($0.key.role.rawValue) } ?? .null),
            ]))
    }
}
