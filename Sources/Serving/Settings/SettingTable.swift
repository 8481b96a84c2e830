import Edge
import Logging

/// Every setting of the process, once, in the order in which help and documentation list them. A new one is a line here, a property of
/// `Settings` and the line that reads it; `make docs` does the rest.
public struct SettingTable: Sendable {
    private static let limits = Limits()

    public let listen = Setting(
        "listen", .text("address"), "[::]:8000", "Address of the data plane; [::] takes IPv4 too. Port 0 lets the system choose.")
    public let listenTLS = Setting(
        "listen-tls", .list("addresses"), "",
        "Addresses of the data plane by HTTPS, separated by commas: [::]:8443. Empty means none; --listen keeps working.")
    public let tlsCertificate = Setting(
        "tls-certificate", .list("files"), "",
        """
        Certificates for --listen-tls, separated by commas: PEM files, each with its chain, or folders of NAME.pem (or .crt) beside NAME.key, \
        or of fullchain.pem beside privkey.pem. The first is for clients that ask for no name that there is. Read again at SIGHUP and when \
        they change. self-signed makes one for a first try.
        """)
    public let tlsKey = Setting(
        "tls-key", .list("files"), "",
        "Private keys (PEM, ECDSA or RSA) of the certificate files, in their order; not needed where these hold the keys too.")
    public let tlsTicketKeys = Setting(
        "tls-ticket-keys", .text("file"), "",
        """
        File with the keys of session tickets that all balancers of a fleet share, so that a client resumes at any of them and after a \
        restart: a line of `openssl rand -hex 32` each. The first encrypts, all decrypt. Read again at SIGHUP and when it changes. Empty \
        means keys of this process alone, which it makes and rotates itself.
        """)
    public let http2 = Setting(
        "http2", .choice(HTTP2Use.allCases.map(\.rawValue)), "tls",
        "tls: HTTP/2 on --listen-tls for clients that ask for it (ALPN). any: also on --listen, for those that begin with it. off: HTTP/1 alone."
    )
    public let admin = Setting(
        "admin", .text("address"), "127.0.0.1:8001", "Address of the control plane: API, metrics, health.")
    public let adminTLSCertificate = Setting(
        "admin-tls-certificate", .list("files"), "",
        """
        Certificates of the control plane, which then speaks HTTPS alone, as for --tls-certificate: PEM files, folders or self-signed. They may \
        be the same files. Read again at SIGHUP and when they change.
        """)
    public let adminTLSKey = Setting(
        "admin-tls-key", .list("files"), "",
        "Private keys (PEM) of the files of --admin-tls-certificate, in their order; not needed where these hold the keys too.")
    public let adminClientCA = Setting(
        "admin-client-ca", .text("file"), "",
        """
        Authorities (PEM), one of which must have issued a certificate that every client of the control plane shows, beside its token. Read \
        again at SIGHUP and when it changes.
        """)
    public let adminPlain = Setting(
        "admin-plain", .onOff, "off",
        "on: whoever reaches the control plane from the network may do so without TLS, and no line at the start warns of it.")
    public let adminNames = Setting(
        "admin-names", .list("names"), "",
        """
        Names that the control plane is asked by, without port and separated by commas, at most 64: balancer.example.com. Addresses, \
        localhost, this machine's own name, names without a dot and those of Kubernetes services need not be listed; others are 421.
        """)
    public let database = Setting(
        "database", .text("url"), "sqlite:video-balancer.db",
        """
        Where the catalog is kept: sqlite:PATH, or mysql://USER:PASSWORD@HOST:PORT/NAME with a comma between several hosts and \
        ?tls=disabled, required, verify-ca or verify-identity, &tls-ca=FILE. Everybody on the machine sees flags: leave the password out \
        and give it as DB_PASS or DB_PASS_FILE.
        """)
    public let state = Setting(
        "state", .text("file"), "",
        """
        File with the last good catalog and the sequences: the balancer starts from it when the database is down. Empty is the \
        database's path with .state at its end; with a server, video-balancer.state in the working folder.
        """)
    public let assets = Setting(
        "assets", .text("folder"), "/usr/share/video-balancer", "Folder that holds swagger-ui, as scripts/fetch-assets makes it.")
    public let adminToken = Setting(
        "admin-token", .secret, "",
        """
        A token with the role admin, 32 to 256 visible ASCII characters; set in the environment, or its file's path in \
        BALANCER_ADMIN_TOKEN_FILE.
        """)
    public let nodeName = Setting(
        "node-name", .text("name"), "",
        "What this balancer is called in its fleet, at most 255 characters; empty is the machine's name.")
    public let workers = Setting("workers", 0...256, 0, "Threads of the data plane, {range}; 0 is one per core.")
    public let fastPath = Setting(
        "fast-path", .onOff, "on", "off gives every connection to the slow path; the answers are the same, only slower.")
    public let proxyProtocol = Setting(
        "proxy-protocol", .onOff, "off",
        "on: each connection begins with a PROXY protocol header, version 1 or 2, as a load balancer in front sends it.")
    public let trustedProxies = Setting(
        "trusted-proxies", .list("networks"), "",
        "Proxies that may say who the client is, as addresses and networks separated by commas: 10.0.0.0/8,2001:db8::/32. At most 256.")
    public let forwardedField = Setting(
        "forwarded-field", .choice(["x-forwarded-for", "forwarded"]), "x-forwarded-for",
        "The field that trusted proxies write: x-forwarded-for or forwarded (RFC 7239). The other is not read.")
    public let corsCredentialsOrigins = Setting(
        "cors-credentials-origins", .list("origins"), "",
        """
        Origins whose pages may send cookies or other credentials along, separated by commas: https://player.example.com. At most 64; pages \
        of all others read answers without.
        """)
    public let geoipCountry = Setting(
        "geoip-country", .text("file"), "",
        "GeoIP database (MaxMind's format) of countries, for rules by countries; read again when the file changes.")
    public let geoipASN = Setting(
        "geoip-asn", .text("file"), "",
        "GeoIP database (MaxMind's format) of autonomous systems, for rules by asns; read again when the file changes.")
    public let signingKeys = Setting(
        "signing-keys", .text("folder"), "",
        """
        Folder of keys that sign links (docs/signing.md): a file for each, which has its name. Read again at SIGHUP and when a file changes.
        """)
    public let probeLinkLocal = Setting(
        "probe-link-local", .onOff, "off",
        "on: health checks may ask link-local addresses, where clouds keep their metadata; off refuses them.")
    public let targetBytes = Setting("target-bytes", 64...65536, limits.target, "Longest request target, {range} bytes; more is 414.")
    public let headBytes = Setting("head-bytes", 256...262_144, limits.head, "Largest header section, {range} bytes; more is 431.")
    public let headFields = Setting("head-fields", 1...1000, limits.fields, "Most header fields, {range}; more is 431.")
    public let bodyBytes = Setting("body-bytes", 64...1_048_576, limits.body, "Largest body, {range} bytes; more is 413.")
    public let headTimeout = Setting("head-timeout", 1...300, limits.headSeconds, "Seconds for a whole head, {range}; then 408.")
    public let bodyTimeout = Setting("body-timeout", 1...300, limits.bodySeconds, "Seconds for a whole body, {range}; then 408.")
    public let idleTimeout = Setting(
        "idle-timeout", 1...3600, limits.idleSeconds, "Seconds a connection may be idle between requests, {range}.")
    public let clientRate = Setting(
        "client-rate", 0...10_000, 0,
        """
        Requests a second that a client may send, {range}; more is 429. A client is an IPv4 address or an IPv6 /56. A TLS handshake counts as the \
        first request of its connection, and is refused with an alert before it costs anything. 0 is no limit.
        """)
    public let clientBurst = Setting(
        "client-burst", 1...100_000, 100, "Requests that such a client may send at once before the rate holds, {range}.")
    public let accessLog = Setting(
        "access-log", .text("file"), "",
        "File to which a line of JSON is appended for each answer, or - for the standard output; SIGHUP opens it anew. Empty is none.")
    public let accessLogEvery = Setting("access-log-every", 1...1_000_000, 1, "100 logs every 100th answer of each worker, {range}.")
    public let accessLogMask = Setting(
        "access-log-mask", .onOff, "off", "on: clients are logged as networks, /24 of IPv4 and /48 of IPv6.")
    public let lameDuck = Setting(
        "lame-duck", 0...300, 5, "Seconds between SIGTERM, from which /readyz is 503, and the end of accepting, {range}.")
    public let drainTimeout = Setting("drain-timeout", 0...3600, 30, "Seconds open connections get to finish after that, {range}.")
    public let logFormat = Setting("log-format", .choice(["json", "text", "auto"]), "auto", "json, text, or auto: text on a terminal.")
    public let logLevel = Setting(
        "log-level", .choice(Logger.Level.allCases.map(\.rawValue)), "info", "trace, debug, info, notice, warning, error or critical.")

    init() {}
}
