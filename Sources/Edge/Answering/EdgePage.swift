public import NIOCore

/// A file that the data plane serves as it is: its documentation.
public struct EdgePage: Sendable {
    let path: String
    let type: String
    let body: ByteBuffer
    let policy: String?

    /// - Parameters:
    ///   - path: to the letter, without a query.
    ///   - type: the Content-Type.
    ///   - policy: the page's own Content-Security-Policy; nil for the strictest.
    public init(path: String, type: String, body: ByteBuffer, policy: String?) {
        self.path = path
        self.type = type
        self.body = body
        self.policy = policy
    }
}
