import HTTPTypes
import HummingbirdCore
public import NIOCore

/// A file that is served as it is: of the documentation, of the dashboard.
public struct Page: Sendable {
    public let path: String
    public let type: String
    public let body: ByteBuffer
    /// The page's own Content-Security-Policy; nil for the strictest.
    public let policy: String?

    public init(path: String, type: String, body: ByteBuffer, policy: String?) {
        self.path = path
        self.type = type
        self.body = body
        self.policy = policy
    }

    var endpoint: Endpoint {
        Endpoint(.get, path, nil) { _ in
            var response = Response(status: .ok, headers: [.contentType: type], body: .init(byteBuffer: body))
            response.headers[.contentSecurityPolicy] = policy
            return response
        }
    }
}
