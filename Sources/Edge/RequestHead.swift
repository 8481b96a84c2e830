/// A request's head, read and checked; offsets count from the first byte given to the scanner.
struct RequestHead: Equatable {
    var method: Method = .get
    /// Path and query; empty or beginning with `?` when an absolute target had no path.
    var target = 0..<0
    var form: Form = .origin
    /// The host of an absolute target, else of the Host field; empty in HTTP/1.0 without one.
    var host = 0..<0
    var isHTTP10 = false
    /// Whether the connection ends after the answer.
    var closes = false
    var body: Body = .none
    /// Whether `Accept` names `application/json`.
    var wantsJSON = false
    var expectsContinue = false
    /// Bytes of the head, empty lines before it and the empty line after it included.
    var length = 0

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
