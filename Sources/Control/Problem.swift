import HTTPTypes
import HummingbirdCore
import NIOCore
import Steering
import Storage

/// An error answer of the control plane (RFC 9457).
struct Problem: Error {
    let status: HTTPResponse.Status
    let detail: String
    var faults: [Fault] = []
    var headers: [(HTTPField.Name, String)] = []

    init(_ status: HTTPResponse.Status, _ detail: String, faults: [Fault] = [], headers: [(HTTPField.Name, String)] = []) {
        self.status = status
        self.detail = detail
        self.faults = faults
        self.headers = headers
    }

    /// A large body can have very many faults, and long ones.
    private static let maximumFaults = 100
    private static func cut(_ text: String) -> String { text.utf8.count <= 1000 ? text : String(text.prefix(300)) + "…" }

    /// The database failed: nothing was stored.
    init(_ error: StorageError) {
        self.init(.serviceUnavailable, "\(error)", headers: [(.retryAfter, "5")])
    }

    var document: Document {
        var members: [Document.Member] = [
            .init("type", .string("about:blank")), .init("title", .string(status.reasonPhrase)),
            .init("status", .integer(status.code)), .init("detail", .string(detail)),
        ]
        if !faults.isEmpty {
            let errors = faults.prefix(Problem.maximumFaults).map { fault in
                Document.object([
                    .init("pointer", .string(Problem.cut(fault.pointer))), .init("message", .string(Problem.cut(fault.message))),
                ])
            }
            members.append(.init("errors", .array(errors)))
        }
        return .object(members)
    }

    var response: Response {
        var response = Response.json(document, status: status)
        response.headers[.contentType] = "application/problem+json"
        for (name, value) in headers { response.headers[name] = value }
        return response
    }
}

extension Response {
    static func json(_ document: Document, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(string: document.prettyJSON)))
    }

    static func text(_ body: String, status: HTTPResponse.Status = .ok, type: String = "text/plain; charset=utf-8") -> Response {
        Response(status: status, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(string: body)))
    }
}
