import Foundation
import HTTPTypes
import HummingbirdCore
import Steering
import Storage

/// Keys of the API: who has one, a new one, one less. For admins alone.
struct KeyEndpoints {
    let node: any Node
    let store: any KeyList
    let access: Access
    /// Milliseconds since 1970, UTC.
    let now: @Sendable () -> Int64

    /// Every poll of every node reads all keys.
    private static let maximumKeys = 1000

    var all: [Endpoint] {
        [
            Endpoint(.get, "/api/v1/keys", .admin) { _ in
                let keys = try await store.keys().map { key in
                    // A use that is not written down yet counts too.
                    Document.object(
                        KeyEndpoints.describe(key, used: [key.lastUsed, access.lastUse(ofHash: key.hash)].compactMap(\.self).max()))
                }
                return .json(.object([.init("keys", .array(keys))]))
            },
            Endpoint(.post, "/api/v1/keys", .admin, create),
            Endpoint(.delete, "/api/v1/keys/:name", .admin) { call in
                guard try await node.removeKey(named: call.parameter) else {
                    throw Problem(.notFound, "There is no key of this name; GET /api/v1/keys lists them.")
                }
                return Response(status: .noContent)
            },
        ]
    }

    /// The token is in this one answer and nowhere else.
    @Sendable private func create(_ call: Call) async throws -> Response {
        let token = Token.make()
        let key = try key(await RequestBody.document(call), hash: Token.hash(token))
        let known = try await store.keys()
        let taken = Problem(.conflict, "There is a key of this name; choose another or revoke it with DELETE /api/v1/keys/\(key.name).")
        if known.contains(where: { $0.name == key.name }) { throw taken }
        guard known.count < KeyEndpoints.maximumKeys else {
            throw Problem(.conflict, "There are \(known.count) keys; revoke those that nobody uses first.")
        }
        do {
            try await node.addKey(key)
        } catch let error as StorageError {
            guard error.kind == .duplicate else { throw error }
            throw taken
        }
        var response = Response.json(.object(KeyEndpoints.describe(key) + [.init("token", .string(token))]), status: .created)
        response.headers[.location] = "/api/v1/keys/\(key.name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")"
        return response
    }

    private func key(_ body: Document, hash: String) throws(Problem) -> APIKey {
        guard case .object(let members) = body else {
            throw Problem(.unprocessableContent, "The body must be an object with name and role.", faults: [Fault("", "must be an object")])
        }
        var faults: [Fault] = []
        for member in members where !["name", "role", "expires"].contains(member.key) {
            faults.append(Fault("/\(Fault.escaped(member.key))", "is not a known key; known here: name, role, expires"))
        }
        var name = ""
        if case .string(let text)? = body["name"], APIKey.isName(text) {
            name = text
        } else {
            faults.append(
                Fault("/name", "must be 1 to 64 visible ASCII characters without a space, not \"environment\", nor begin with \"cli:\""))
        }
        var role: Role?
        if case .string(let text)? = body["role"] { role = Role(rawValue: text) }
        if role == nil { faults.append(Fault("/role", "must be viewer, operator or admin")) }
        var expires: Int64?
        switch body["expires"] {
        case nil, .null?: break
        case .string(let text)?:
            expires = Call.time(text).map { $0 * 1000 }
            if expires == nil || expires ?? 0 <= now() { fallthrough }
        default: faults.append(Fault("/expires", "must be a time to come such as \"2027-01-31T00:00:00Z\", or null for never"))
        }
        guard faults.isEmpty, let role else {
            throw Problem(
                .unprocessableContent, "The key has \(faults.count == 1 ? "a fault" : "\(faults.count) faults"); nothing was stored.",
                faults: faults)
        }
        return APIKey(name: name, role: role, hash: hash, created: now(), expires: expires)
    }

    private static func describe(_ key: APIKey, used: Int64? = nil) -> [Document.Member] {
        func time(_ milliseconds: Int64?) -> Document {
            guard let milliseconds else { return .null }
            return .string(Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(Date.ISO8601FormatStyle()))
        }
        return [
            .init("name", .string(key.name)),
            .init("role", .string(key.role.rawValue)),
            .init("created", time(key.created)),
            .init("expires", time(key.expires)),
            .init("lastUsed", time(used)),
        ]
    }
}
