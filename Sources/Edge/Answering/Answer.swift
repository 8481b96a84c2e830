import Steering

/// What a request is answered with, before a protocol writes it: indexes, and ranges in the request's bytes, so that making one allocates
/// nothing.
enum Answer: Equatable {
    case redirect(Redirect)
    /// Something is wrong with the video.
    case refusal(Refusal)
    /// Something is wrong with the request as HTTP.
    case fault(HTTPFault)
    case methodNotAllowed(Methods)
    /// - Parameter requestedFields: where the value of `Access-Control-Request-Headers` stands, when it may be repeated.
    case options(Methods, requestedFields: HeadRange?)
    case health(isWell: Bool)
    case steering(Steering)
    /// A page of the documentation, by its index.
    case page(Int)
    /// A manifest with which a session begins, or goes on.
    case manifest(Delivered)
    /// What an upstream has sent.
    case upstream
    /// No answer yet: the video is in the body.
    case needsBody
    /// No answer yet: something has to be fetched first.
    case needsUpstream
    /// No answer yet: a document takes longer than a redirect, so it is made on the slow path.
    case needsTime

    struct Redirect: Equatable {
        let decision: Decision
        let video: VideoReference
        /// Index of the CDN that the client asked to leave out.
        let avoided: Int?
        /// The request's own query, of which parameters may be passed on.
        let query: HeadRange
        /// Whether the client asked for a JSON body.
        let wantsJSON: Bool
        /// Whether it gets the decision alone, since it cannot see a redirect.
        var isDocument = false

        var status: Int { isDocument ? 200 : decision.status }
    }

    /// A manifest that was written for a session.
    struct Delivered: Equatable {
        let list: SteeringList
        let session: UInt64
        /// Index of the origin server.
        let server: Int
        let format: SteeringFormat
        /// Whether it is a media playlist, with a token on each segment, of a session that goes on.
        let isMedia: Bool
    }

    /// What a player that plays is told.
    struct Steering: Equatable {
        let list: SteeringList
        let format: SteeringFormat
        /// Parameters that did not parse.
        let ignored: Int
        /// Why the player is sent elsewhere than where it says it is.
        let move: SteeringMove?
        /// The CDN that the player has left by itself.
        let left: Int?
        /// Whether it is the one that the player asks to avoid.
        let avoids: Bool
    }

    /// The status code; 0 when there is no answer yet.
    var status: Int {
        switch self {
        case .redirect(let redirect): redirect.status
        case .options: 204
        case .health(let isWell): isWell ? 200 : 503
        case .page, .upstream, .steering, .manifest: 200
        case .needsBody, .needsUpstream, .needsTime: 0
        case .refusal, .fault, .methodNotAllowed: problem?.status ?? 0
        }
    }

    /// What a refusal says (RFC 9457); nil for other answers.
    var problem: Problem? {
        switch self {
        case .refusal(let refusal):
            let field = refusal.status == 503 ? ("Retry-After", "5") : nil
            return Problem(status: refusal.status, name: refusal.name, detail: refusal.detail, field: field)
        case .fault(let fault): return Problem(fault)
        case .methodNotAllowed(let methods):
            var problem = Problem(.methodNotAllowed)
            problem.field = ("Allow", methods.allow)
            return problem
        default: return nil
        }
    }

    /// Why: of a decision or of a refusal; empty for other answers.
    var reason: String {
        switch self {
        case .redirect(let redirect): redirect.decision.reason.name
        case .steering(let steering): steering.list.reason.name
        case .manifest(let manifest): manifest.list.reason.name
        default: problem?.name ?? ""
        }
    }
}

/// A refusal in words. Nothing of the request goes into it, but for a plain name in `detail`.
struct Problem {
    let status: Int
    /// Stable, for machines.
    let name: String
    /// What to send instead.
    var detail: String
    /// A header field that goes with it.
    var field: (name: String, value: String)?
}

extension Problem {
    init(_ fault: HTTPFault) {
        let (status, name, detail) = fault.table
        let comesBack = fault == .bodiesTooLarge || fault == .tooManyRequests
        self.init(status: status, name: name, detail: detail, field: comesBack ? ("Retry-After", "1") : nil)
    }
}

/// What an answer needs that is no index into a table; it is handed on beside the answer, which stays a plain value.
enum Supplement {
    case none
    /// What an upstream has sent.
    case content(EdgePage)
    /// A better detail than the problem's own.
    case detail(String)
}
