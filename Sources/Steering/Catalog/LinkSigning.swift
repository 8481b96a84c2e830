/// How links to a target are signed, for CDNs that answer none without a token. docs/signing.md has the strings that are signed.
///
/// The catalog knows a key's name alone. The key itself is in a file of each balancer: a catalog is exported, compared and stored.
public struct LinkSigning: Sendable, Hashable {
    public internal(set) var scheme = Scheme.nginx
    /// Name of a file in the folder of `--signing-keys`.
    public internal(set) var key = ""
    /// Seconds that a link is good for, 60…31,536,000.
    public internal(set) var life = 21_600
    public internal(set) var covers = Coverage.directory
    public internal(set) var placement = Placement.query
    /// Whether the token is good for the client's address alone.
    public internal(set) var bindsAddress = false
    /// What is signed, where the verifier has it configured.
    public internal(set) var expression = SigningExpression()
    /// The token's parameter; nil for the scheme's usual one.
    public internal(set) var parameter: String?
    /// The parameter of the time when it expires.
    public internal(set) var expiresParameter = "expires"
    public internal(set) var encoding = Encoding.base64url

    public enum Scheme: String, Sendable, CaseIterable {
        /// nginx's `secure_link` with `secure_link_md5`.
        case nginx
        /// nginx's `secure_link_secret`, whose links never expire.
        case nginxSecret = "nginx-secret"
        /// EdgeAuth 2.0.
        case akamai
        /// Advanced token authentication, HS256.
        case bunny
        case gcore
        /// HMAC-SHA256 of an expression.
        case hmac
        /// Amazon CloudFront's policies, signed by a private key.
        case cloudFront = "cloudfront"
        /// Google Media CDN's signatures by a private key.
        case mediaCDN = "media-cdn"
        /// Google Media CDN's tokens, HMAC-SHA256.
        case mediaCDNToken = "media-cdn-token"
    }

    /// What a token lets in.
    public enum Coverage: String, Sendable, CaseIterable {
        case file
        /// The file's directory and all that is in it.
        case directory
        /// All below the target's URL.
        case prefix
    }

    public enum Placement: String, Sendable, CaseIterable {
        case query
        /// Before the path, so that relative names in a playlist inherit it.
        case path
    }

    public enum Encoding: String, Sendable, CaseIterable { case base64url, hex }

    /// The name that stands before the token.
    public var tokenName: String {
        switch scheme {
        case .nginx, .gcore: parameter ?? "md5"
        case .nginxSecret: ""
        case .akamai: parameter ?? (placement == .path ? "hdntl" : "hdnts")
        case .bunny: placement == .path ? "bcdn_token" : "token"
        case .hmac: parameter ?? "token"
        case .cloudFront: "Signature"
        case .mediaCDN: placement == .path ? "edge-cache-token" : "Signature"
        case .mediaCDNToken: parameter ?? "edge-cache-token"
        }
    }

    /// Parameters that a signed link has, the token's first.
    var tokenParameters: [String] {
        switch scheme {
        case .nginx, .hmac: [tokenName, expiresParameter]
        case .gcore: [tokenName, "expires"]
        case .akamai, .mediaCDNToken: [tokenName]
        case .bunny: [tokenName, "token_ignore_params", "token_path", "expires"]
        case .cloudFront: [tokenName, "Policy", "Expires", "Key-Pair-Id", "Hash-Algorithm"]
        case .mediaCDN: [tokenName, "URLPrefix", "Expires", "KeyName"]
        case .nginxSecret: []
        }
    }

    /// Whether the token stands in the path.
    public var isInPath: Bool { scheme == .nginxSecret || placement == .path }

    /// Whether its token may stand in the middle of the path, behind what it covers.
    var isInMiddle: Bool { scheme == .mediaCDN && placement == .path }

    /// Whether a private key signs, which takes a thousand times as long as a MAC.
    var isByPrivateKey: Bool { scheme == .cloudFront || scheme == .mediaCDN }

    /// Whether its links expire.
    public var expires: Bool { scheme != .nginxSecret }

    /// Whether its expression says what is covered, instead of `covers` and `bindAddress`.
    var hasExpression: Bool { scheme == .nginx || scheme == .hmac }

    /// What a token lets in, wherever that is said.
    public var coverage: Coverage {
        guard hasExpression else { return scheme == .nginxSecret ? .file : covers }
        if expression.pieces.contains(where: { $0 == .uri || $0 == .path }) { return .file }
        return expression.pieces.contains(.directory) ? .directory : .prefix
    }

    /// Whether one token is good for all names in a folder: neither a name nor a parameter is part of what is signed.
    var isShared: Bool {
        coverage != .file && !expression.pieces.contains { if case .argument = $0 { true } else { false } }
    }

    /// Whether what a playlist names relative to itself inherits its token.
    var isInherited: Bool { isInPath && isShared }

    /// Whether a directory's token is good for the folders below as well: it says what it covers, or stands before it. Of others the verifier
    /// takes the directory of what it is asked for.
    var reachesBelow: Bool { isInPath || coverage == .prefix || !(hasExpression || scheme == .gcore) }

    /// Whether nobody but the viewer can use its links, not even the balancer for a viewer.
    var needsAddress: Bool { hasExpression ? expression.pieces.contains(.address) : bindsAddress }

    /// Shorter than that and a viewer who pauses, seeks or only watches is refused in the middle of a film, in seconds.
    static let film = 3 * 60 * 60
}

extension Catalog {
    /// What is signed, by the name of the target; the origin's is `origin`.
    public var signings: [(target: String, signing: LinkSigning)] {
        (origin.sign.map { [("origin", $0)] } ?? []) + cdns.compactMap { cdn in cdn.sign.map { (cdn.name, $0) } }
    }

    /// What is accepted and may still be a mistake: a sentence each.
    public var signingWarnings: [String] {
        signings.filter { $0.signing.expires && $0.signing.life < LinkSigning.film }.map {
            "links to \($0.target) are good for \($0.signing.life) seconds (sign.life), which is less than a film takes: "
                + "its viewers are refused in the middle unless their player asks again"
        } + deliveryWarnings
    }
}
