/// Why a request for a video gets no redirect. None of these takes a number of any sequence.
public enum Refusal: UInt8, Error, Sendable, CaseIterable {
    case missingVideo
    case repeatedVideo
    case repeatedAvoid
    case notHTTP
    case invalidEscape
    case forbiddenCharacter
    case userinfo
    case dotSegment
    case unknownHost
    case unknownServer
    case denied
    case noTarget
    case signingBusy

    /// The HTTP status (RFC 9110 §15.5, §15.6).
    public var status: Int {
        switch self {
        case .unknownHost, .denied: 403
        case .unknownServer: 404
        case .noTarget, .signingBusy: 503
        default: 400
        }
    }

    /// A stable name for metrics and for programs that read the problem document.
    public var name: String {
        switch self {
        case .missingVideo: "missing-video"
        case .repeatedVideo: "repeated-video"
        case .repeatedAvoid: "repeated-avoid"
        case .notHTTP: "not-http"
        case .invalidEscape: "invalid-escape"
        case .forbiddenCharacter: "forbidden-character"
        case .userinfo: "userinfo"
        case .dotSegment: "dot-segment"
        case .unknownHost: "unknown-host"
        case .unknownServer: "unknown-server"
        case .denied: "denied"
        case .noTarget: "no-target"
        case .signingBusy: "signing-busy"
        }
    }

    /// What is wrong and what to send instead.
    public var detail: String {
        switch self {
        case .missingVideo: "Name the video: /?video=http://SERVER.DOMAIN/PATH"
        case .repeatedVideo:
            "There are two \"video\" parameters; send one. Percent-encode the whole URL when it has an & of its own."
        case .repeatedAvoid: "There are two \"avoid\" parameters; send one."
        case .notHTTP: "The video must be an absolute URL that begins with http:// or https://, raw or percent-encoded once."
        case .invalidEscape: "The video's URL has a % that is not followed by two hexadecimal digits."
        case .forbiddenCharacter: "The video's URL has a control character, a space, a backslash or a #; percent-encode it."
        case .userinfo: "The video's URL has a user name or password; leave it out."
        case .dotSegment: "The video's path has a \".\" or \"..\" segment; send the resolved path."
        case .unknownHost: "The video's host is not an origin server or CDN of this service."
        case .unknownServer: "There is nothing here, and no origin server of this name."
        case .denied: "A rule of this service refuses this video to this client."
        case .noTarget: "No CDN is left for this request and the origin is not allowed; try again."
        case .signingBusy: "Links to the CDNs have to be signed, and too many others are being signed; try again."
        }
    }
}
