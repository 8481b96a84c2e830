import NIOCore
import Steering
import TLS

/// A connection on its way from the fast path to the slow one, with everything that is known of it.
struct HandOver: ~Copyable, Sendable {
    let descriptor: Descriptor
    /// The peer, or the client that a PROXY header has named.
    let client: ClientAddress
    let content: Content

    struct Content: Sendable {
        /// Read, not yet answered; of a session decrypted, unless a PROXY header is awaited.
        var input = ByteBuffer()
        /// Answered, not yet sent; of a session encrypted.
        var output = ByteBuffer()
        /// The connection ends when `output` is sent.
        var closes = false
        /// The input begins with a PROXY header that is not whole yet.
        var awaitsProxyHeader = false
        /// Nil without TLS.
        var session: TLSSession?
        /// Nil for HTTP/1, and before the client has said what it speaks.
        var http2: HTTP2Connection?
    }

    /// Why a connection left the fast path.
    enum Reason: Int, CaseIterable {
        /// The fast path is switched off.
        case fastPathOff
        /// The PROXY header was not whole at accept.
        case proxyHeader
        /// A request is not whole in one read, or not plain.
        case notPlain
        /// The answer did not fit the socket's buffer.
        case sendBlocked
        /// The client may have sent more than its last request.
        case unreadInput

        var name: String {
            switch self {
            case .fastPathOff: "fast-path-off"
            case .proxyHeader: "proxy-header"
            case .notPlain: "not-plain"
            case .sendBlocked: "send-blocked"
            case .unreadInput: "unread-input"
            }
        }
    }
}
