import Foundation
import HTTPTypes
import HummingbirdCore
import Storage

/// One operation of the control plane.
struct Endpoint: Sendable {
    let method: HTTPRequest.Method
    /// Segments; one that begins with `:` takes any value.
    let path: [Substring]
    /// The least role that may call it; nil for everybody.
    let role: Role?
    /// Whether it answers whatever name it is asked by.
    let answersAnyName: Bool
    let handle: @Sendable (Call) async throws -> Response

    init(
        _ method: HTTPRequest.Method, _ path: String, _ role: Role?, answersAnyName: Bool = false,
        _ handle: @escaping @Sendable (Call) async throws -> Response
    ) {
        self.answersAnyName = answersAnyName
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
    /// Nil where everybody may call.
    let caller: Caller?
    /// Whether it was asked by a name that is not known: it may be another site's page that reads.
    let isForeign: Bool
    let queue: ComputeQueue
    /// What its body holds of the memory for bodies.
    let lease: BodyBudget.Lease
    /// Of the endpoint that was called: an operator's call comes before those that read.
    let urgency: ComputeQueue.Urgency
    /// The caller's key name; empty where none is needed.
    var author: String { caller?.key.name ?? "" }

    /// Computes beside the threads that serve.
    func compute<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await queue.run(for: caller?.key.hash ?? "", urgency, work)
    }

    /// A query parameter; nil when it is absent.
    ///
    /// - Throws: 400 when it stands twice or is no percent-encoded UTF-8.
    func query(_ name: String) throws(Problem) -> String? {
        let pairs = (request.uri.query ?? "").split(separator: "&").filter { $0 == name || $0.hasPrefix("\(name)=") }
        if pairs.count > 1 { throw Problem(.badRequest, "\(name) stands twice; send one.") }
        for pair in pairs {
            guard let decoded = Call.decoded(pair.dropFirst(name.count + 1)) else {
                throw Problem(.badRequest, "\(name) is not percent-encoded UTF-8.")
            }
            return decoded
        }
        return nil
    }

    /// - Throws: 400 for a parameter other than these: who mistypes `validate`, or sends it where there is none, must not have written.
    func allowQuery(_ names: [String]) throws(Problem) {
        for pair in (request.uri.query ?? "").split(separator: "&") where !names.contains(where: { pair == $0 || pair.hasPrefix("\($0)=") })
        {
            throw Problem(
                .badRequest, "This operation has no such parameter; it has \(names.joined(separator: " and ")). Nothing was changed.")
        }
    }

    /// Percent-decoded once, `+` as a space. Foundation's decoding drops a byte order mark, which a comment may begin with.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
            rest.removeFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
