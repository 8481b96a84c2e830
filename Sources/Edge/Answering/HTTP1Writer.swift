import NIOCore
import Steering

/// Writes whole answers as bytes of HTTP/1. A pure function of what is to be said: every path of the edge answers through it, so the same
/// request gets the same bytes everywhere.
struct HTTP1Writer {
    /// What has been written; the owner sends it and empties it.
    var bytes: [UInt8] = []
    /// Body bytes that follow `bytes`, shared by all who ask for the page; the owner sends and clears it.
    var attachment: ByteBuffer?
    /// Origins whose pages may send credentials.
    let credentialOrigins: [String]
    var date = DateField()
    var redirectStart = RedirectStart()
    /// Of the redirect that is written, in order of preference.
    var targets: [Decision.Target] = []
    /// Links that are looked at and not sent; kept so that none allocates.
    var scratch: [UInt8] = []
    /// The steering document that is written; kept so that none allocates.
    var document: [UInt8] = []

    init(credentialOrigins: [String] = []) { self.credentialOrigins = credentialOrigins }

    /// How the answer is framed for this request.
    struct Framing {
        /// The answer to HEAD: all fields, no body.
        var omitsBody = false
        /// Says `Connection: close`.
        var closes = false
        /// HTTP/1.0 with `Connection: keep-alive`: says so.
        var keepsAliveHTTP10 = false
        var allowedOrigin = AllowedOrigin.any

        /// Whether nothing but `Connection` depends on the request.
        var isOrdinary: Bool { !keepsAliveHTTP10 && allowedOrigin == .any }

        init(method: RequestHead.Method = .get, closes: Bool) {
            omitsBody = method == .head
            self.closes = closes
        }

        init(_ head: RequestHead, closes: Bool) {
            omitsBody = head.method == .head
            self.closes = closes
            keepsAliveHTTP10 = head.isHTTP10 && !closes
        }
    }

    /// How an answer is framed that tells origins apart, where some may send credentials.
    ///
    /// - Parameter fields: the head's field lines in `bytes`.
    func framing(_ head: RequestHead, _ fields: HeadRange, of bytes: borrowing Span<UInt8>, closes: Bool) -> Framing {
        var framing = Framing(head, closes: closes)
        if !credentialOrigins.isEmpty { framing.allowedOrigin = AllowedOrigin(fields.range, of: bytes, listed: credentialOrigins) }
        return framing
    }

    /// Begins an answer with the fields that every answer has.
    mutating func begin(_ status: Int, _ framing: Framing, date: [UInt8]) {
        append("HTTP/1.1 ")
        append(HTTP1Writer.statusLine(status))
        append("\r\nDate: ")
        bytes += date
        append("\r\nCache-Control: no-store\r\nTiming-Allow-Origin: *\r\n")
        if !framing.allowedOrigin.isListed { append("Access-Control-Allow-Origin: *\r\n") }
        if framing.closes {
            append("Connection: close\r\n")
        } else if framing.keepsAliveHTTP10 {
            append("Connection: keep-alive\r\n")
        }
    }

    mutating func field(_ name: String, _ value: String) {
        append(name)
        append(": ")
        append(value)
        append("\r\n")
    }

    /// Ends the fields and adds the body.
    mutating func end(body: [UInt8], type: String?, _ framing: Framing) {
        if let type { field("Content-Type", type) }
        append("Content-Length: ")
        append(String(body.count))
        append("\r\n\r\n")
        if !framing.omitsBody { bytes += body }
    }

    /// Ends an answer that has neither body nor length: 204 (RFC 9110 §8.6).
    mutating func endWithoutContent() { append("\r\n") }

    /// As `bytes += more`, which would take a reference to `more` and give it back.
    mutating func append(_ more: borrowing [UInt8]) {
        // The buffer is read while it is borrowed; another array is written.
        unsafe more.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    }

    mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private static func statusLine(_ status: Int) -> String {
        switch status {
        case 200: "200 OK"
        case 204: "204 No Content"
        case 301: "301 Moved Permanently"
        case 302: "302 Found"
        case 307: "307 Temporary Redirect"
        case 308: "308 Permanent Redirect"
        case 400: "400 Bad Request"
        case 403: "403 Forbidden"
        case 404: "404 Not Found"
        case 405: "405 Method Not Allowed"
        case 408: "408 Request Timeout"
        case 413: "413 Content Too Large"
        case 414: "414 URI Too Long"
        case 417: "417 Expectation Failed"
        case 429: "429 Too Many Requests"
        case 431: "431 Request Header Fields Too Large"
        case 501: "501 Not Implemented"
        case 503: "503 Service Unavailable"
        case 505: "505 HTTP Version Not Supported"
        default: "\(status) Status"
        }
    }

    /// The title of a problem document: the reason phrase.
    static func title(_ status: Int) -> String { String(statusLine(status).dropFirst(4)) }
}
