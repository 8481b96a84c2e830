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
                let session = gate.sessions.begin(caller.key, now: gate.now())
                response.headers[.setCookie] = SessionCookie.field(session, for: call.request, isSecure: gate.isSecure)
                return response
            },
            Endpoint(.delete, SessionEndpoints.path, nil) { call in
                try SessionCookie.requireOwnOrigin(call.request)
                if let session = SessionCookie.value(in: call.request) { gate.sessions.end(session) }
                let field = SessionCookie.field("", for: call.request, isSecure: gate.isSecure)
                return Response(status: .noContent, headers: [.setCookie: field])
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
