import Steering

/// A request's head, read and checked; offsets count from the first byte given to the scanner.
struct RequestHead: Equatable {
    var method: Method = .get
    /// Path and query; empty or beginning with `?` when an absolute target had no path.
    var target = HeadRange.empty
    var form: Form = .origin
    /// The host of an absolute target, else of the Host field; empty in HTTP/1.0 without one.
    var host = HeadRange.empty
    var isHTTP10 = false
    /// Whether the connection ends after the answer.
    var closes = false
    var body: Body = .none
    /// Whether `Accept` names `application/json`.
    var wantsJSON = false
    var expectsContinue = false
    /// Whether a field names the client of a proxy: `Forwarded` or `X-Forwarded-For`.
    var isForwarded = false
    /// The field lines, without the empty line after them.
    var fields = HeadRange.empty
    /// Bytes of the head, empty lines before it and the empty line after it included.
    var length = 0

    /// Becomes a head with the same field bytes at another place.
    ///
    /// - Parameters:
    ///   - start: of the field lines.
    ///   - first: the head's first byte.
    mutating func repeats(_ method: Method, target: HeadRange, fieldsAt start: Int, from first: Int) {
        let (host, fields) = (self.host.range, self.fields.range)
        let offset = start - fields.lowerBound
        self.method = method
        self.target = target
        self.host = HeadRange(host.lowerBound + offset..<host.upperBound + offset)
        self.fields = HeadRange(start..<fields.upperBound + offset)
        length = fields.upperBound + offset + 2 - first
    }

    /// The methods of RFC 9110 §9.3 and RFC 5789; others are answered with 501.
    enum Method: String, CaseIterable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
        case connect = "CONNECT"
        case options = "OPTIONS"
        case trace = "TRACE"
        case patch = "PATCH"
        case other = ""
    }

    /// The forms of a target (RFC 9112 §3.2).
    enum Form { case origin, absolute, asterisk, authority }

    enum Body: Equatable {
        case none
        case length(Int)
        case chunked
    }
}
