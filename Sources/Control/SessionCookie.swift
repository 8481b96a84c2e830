import HTTPTypes
import HummingbirdCore

/// The cookie of the dashboard's session.
///
/// Its name has the port: browsers do not keep the cookies of one host's ports apart, and tunnels to several balancers all end on
/// localhost.
enum SessionCookie {
    /// As the browser addresses this server.
    private static func name(_ request: Request) -> String {
        let port = request.head.authority?.split(separator: ":").last.flatMap { UInt16($0) }
        return "balancer-\(port.map { "\($0)" } ?? "session")"
    }

    static func value(in request: Request) -> String? {
        let name = name(request)
        for pair in (request.headers[.cookie] ?? "").split(separator: ";") {
            let parts = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
            if parts.count == 2, parts[0] == name { return String(parts[1]) }
        }
        return nil
    }

    /// The field that sets it; an empty value takes it away.
    ///
    /// - Parameter isSecure: whether this server speaks TLS itself; behind a proxy that does, the page's origin says so.
    static func field(_ value: String, for request: Request, isSecure: Bool) -> String {
        let isSecure = isSecure || request.headers[.origin]?.lowercased().hasPrefix("https:") == true
        // The browser must not send it without TLS.
        let secure = isSecure ? "; Secure" : ""
        let seconds = value.isEmpty ? 0 : Sessions.lifetime / 1000
        return "\(name(request))=\(value); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Strict\(secure)"
    }

    /// The browser sends the cookie whoever's page asks it to, but says whose it is.
    ///
    /// - Throws: 403 unless the page came from this server.
    static func requireOwnOrigin(_ request: Request) throws(Problem) {
        let own = request.head.authority?.lowercased() ?? ""
        let origin = request.headers[.origin]?.lowercased()
        guard !own.isEmpty, origin == "http://\(own)" || origin == "https://\(own)" else {
            throw Problem(
                .forbidden, "By cookie only this server's own pages may write: Origin and Host must agree. Programs send their token.")
        }
    }
}
