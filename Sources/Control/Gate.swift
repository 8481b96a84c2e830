import HTTPTypes
import HummingbirdCore
import Storage

/// Finds out who calls: by the token sent (RFC 6750), or by the dashboard's session.
struct Gate: Sendable {
    let access: Access
    /// Whether clients speak TLS to this server itself.
    var isSecure = false
    let sessions = Sessions()
    let failures = FailureLimit()
    /// Milliseconds by a clock that nobody sets: an hour forward must not end sessions, an hour back not make them last.
    let now: @Sendable () -> Int64

    /// Milliseconds from now on.
    static func monotonic() -> @Sendable () -> Int64 {
        let begin = ContinuousClock.now
        return { Int64((.now - begin) / .milliseconds(1)) }
    }

    /// - Throws: 401 or 429 without a good token or session, 403 when the role does not suffice or another site's page made the browser
    ///   send its cookie.
    func authorise(_ request: Request, from address: String, _ role: Role) throws(Problem) -> Caller {
        guard let caller = caller(of: request) else {
            guard failures.allowsFailure(from: address, now: now()) else {
                throw Problem(.tooManyRequests, "Too many bad tokens came from this address; wait.", headers: [(.retryAfter, "10")])
            }
            let detail =
                request.headers[.authorization] != nil
                ? "This token is not known, has expired or was revoked."
                : SessionCookie.value(in: request) != nil ? "The session has ended; log in again." : "Send Authorization: Bearer TOKEN."
            throw Problem(.unauthorized, detail, headers: [(.wwwAuthenticate, "Bearer realm=\"video-balancer\"")])
        }
        if caller.session != nil, request.method != .get, request.method != .head { try SessionCookie.requireOwnOrigin(request) }
        guard caller.key.role >= role else {
            throw Problem(
                .forbidden, "This needs the role \(role.rawValue); the key \(caller.key.name) has the role \(caller.key.role.rawValue).")
        }
        return caller
    }

    /// Nil without a good token or session. A token that is sent decides alone.
    func caller(of request: Request) -> Caller? {
        if let field = request.headers[.authorization] {
            let parts = field.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
            return access.key(of: String(parts[1])).map { Caller(key: $0, session: nil) }
        }
        guard let session = SessionCookie.value(in: request), let hash = sessions.keyHash(of: session, now: now()) else { return nil }
        return access.key(withHash: hash).map { Caller(key: $0, session: session) }
    }

    /// Whether a caller of before would still get in.
    func admits(_ caller: Caller) -> Bool {
        if let session = caller.session, sessions.keyHash(of: session, now: now()) == nil { return false }
        return access.key(withHash: caller.key.hash) != nil
    }
}
