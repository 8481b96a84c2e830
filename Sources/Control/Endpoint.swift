import Foundation
import HTTPTypes
import Hummingbird
import Storage

/// One operation of the control plane.
struct Endpoint: Sendable {
    let method: HTTPRequest.Method
    /// Segments; one that begins with `:` takes any value.
    let path: [Substring]
    /// The least role that may call it; nil for everybody.
    let role: Role?
    let handle: @Sendable (Call) async throws -> Response

    init(
        _ method: HTTPRequest.Method, _ path: String, _ role: Role?, _ handle: @escaping @Sendable (Call) async throws -> Response
    ) {
        self.method = method
        self.path = path.split(separator: "/")
        self.role = role
        self.handle = handle
    }

    /// The value of the `:` segment ("" when there is none) if this path matches.
    func match(_ segments: [Substring]) -> String? {
        guard segments.count == path.count else { return nil }
        var parameter = ""
        for (pattern, segment) in zip(path, segments) {
            if pattern.hasPrefix(":") {
                guard let decoded = segment.removingPercentEncoding else { return nil }
                parameter = decoded
            } else if pattern != segment {
                return nil
            }
        }
        return parameter
    }
}

/// One request to an endpoint.
struct Call: Sendable {
    let request: Request
    /// The path's variable segment.
    let parameter: String
    /// The caller's key name; empty where none is needed.
    let author: String

    /// A query parameter; nil when it is absent.
    func query(_ name: String) -> String? { request.uri.queryParameters[Substring(name)].map { String($0) } }
}
