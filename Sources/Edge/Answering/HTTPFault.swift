/// What is wrong with a request as HTTP, before anybody looks for a video in it.
enum HTTPFault: UInt8, Error, CaseIterable, Sendable {
    case requestLine, method, methodTooLong, unknownMethod, target, targetTooLong, version, unsupportedVersion
    case lineEnd, fieldName, fieldValue, foldedField, headTooLarge, tooManyFields
    case host, framing, transferCoding, expectation
    case body, bodyTooLarge, bodiesTooLarge, headTimeout, bodyTimeout
    case methodNotAllowed, tooManyRequests
    case withoutTLS

    /// Status, the stable name, and what to send instead.
    var table: (status: Int, name: String, detail: String) {
        switch self {
        case .requestLine: (400, "bad-request-line", "A request line is METHOD SP TARGET SP HTTP/1.1, with single spaces.")
        case .method: (400, "bad-method", "The method has a byte that no token may have.")
        case .methodTooLong: (501, "method-too-long", "No method is longer than 16 letters here.")
        case .unknownMethod: (501, "unknown-method", "This method is not known here.")
        case .target: (400, "bad-target", "The target must be /path?query in visible ASCII without a #; percent-encode the rest.")
        case .targetTooLong: (414, "target-too-long", "The target is longer than this server accepts.")
        case .version: (400, "bad-version", "The request line must end in HTTP/1.1 or HTTP/1.0.")
        case .unsupportedVersion: (505, "unsupported-version", "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
        case .lineEnd: (400, "bad-line-end", "Lines end in CR LF; a CR or LF alone is refused.")
        case .fieldName: (400, "bad-field-name", "A header field is a name, a colon at once, and a value.")
        case .fieldValue: (400, "bad-field-value", "A header field's value has a control character.")
        case .foldedField: (400, "folded-field", "Header fields may not be folded over lines or begin with a space.")
        case .headTooLarge: (431, "head-too-large", "The header fields are larger than this server accepts.")
        case .tooManyFields: (431, "too-many-fields", "There are more header fields than this server accepts.")
        case .host: (400, "bad-host", "There must be exactly one Host field, a host name or address with an optional port.")
        case .framing: (400, "bad-framing", "Content-Length and Transfer-Encoding contradict each other or are malformed.")
        case .transferCoding: (501, "unknown-transfer-coding", "Only the transfer coding \"chunked\" is known here.")
        case .expectation: (417, "unknown-expectation", "Only the expectation 100-continue is known here.")
        case .body: (400, "bad-body", "The body must be JSON: {\"video\": \"URL\"} or \"URL\".")
        case .bodyTooLarge: (413, "body-too-large", "The body is larger than this server accepts.")
        case .bodiesTooLarge: (503, "too-many-bodies", "Too many request bodies are under way here; try again in a second.")
        case .headTimeout: (408, "head-timeout", "The request's head did not arrive in time.")
        case .bodyTimeout: (408, "body-timeout", "The request's body did not arrive in time.")
        case .methodNotAllowed: (405, "method-not-allowed", "This path does not take this method; see Allow.")
        case .tooManyRequests: (429, "too-many-requests", "Your network sends more requests than this server accepts; wait a second.")
        case .withoutTLS: (400, "https-only", "This port speaks TLS: ask it by https://.")
        }
    }
}
