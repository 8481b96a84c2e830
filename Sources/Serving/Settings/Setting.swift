/// One process setting, declared once: flag, environment name, default and help all come from here, and so does docs/settings.md.
public struct Setting: Sendable {
    /// The flag without its dashes; `listen` is `--listen`, `BALANCER_LISTEN`, and the key `balancer.listen`.
    public let name: String
    public let fallback: String
    public let help: String
    /// Never a flag, since everybody sees those in the process list; can be read from a file named by `…_FILE`.
    public var isSecret = false

    public var environment: String { "BALANCER_" + name.uppercased().replacing("-", with: "_") }

    public static let listen = Setting(
        name: "listen", fallback: "[::]:8000", help: "Address of the data plane; [::] takes IPv4 too. Port 0 lets the system choose.")
    public static let listenTLS = Setting(
        name: "listen-tls", fallback: "",
        help:
            "Addresses of the data plane by HTTPS, parted by commas or given again and again: [::]:8443. Empty is none; HTTP stays beside.")
    public static let tlsCertificate = Setting(
        name: "tls-certificate", fallback: "",
        help: "Certificates for --listen-tls, parted by commas or given again and again: PEM files, each with its chain, or folders of "
            + "NAME.pem (or .crt) beside NAME.key, or of fullchain.pem beside privkey.pem. The first is for clients that ask for no name "
            + "that there is. Read again at SIGHUP and when they change. self-signed makes one for a first try.")
    public static let tlsKey = Setting(
        name: "tls-key", fallback: "",
        help: "Private keys (PEM, ECDSA or RSA) of the certificate files, in their order; not needed where these hold the keys too.")
    public static let admin = Setting(
        name: "admin", fallback: "127.0.0.1:8001", help: "Address of the control plane: API, metrics, health.")
    public static let adminNames = Setting(
        name: "admin-names", fallback: "",
        help: "Names that the control plane is asked by, without port and parted by commas, at most 64: balancer.example.com. Addresses, "
            + "localhost, this machine's own name, names without a dot and those of Kubernetes services need not be listed; others are 421."
    )
    public static let database = Setting(
        name: "database", fallback: "sqlite:video-balancer.db",
        help: "Where the catalog is kept: sqlite:PATH, or mysql://USER:PASSWORD@HOST:PORT/NAME with a comma between several hosts and "
            + "?tls=disabled, required, verify-ca or verify-identity, &tls-ca=FILE. Everybody on the machine sees flags: leave the "
            + "password out and give it as DB_PASS or DB_PASS_FILE.")
    public static let state = Setting(
        name: "state", fallback: "",
        help: "File with the last good catalog and the sequences: the balancer starts from it when the database is down. "
            + "Empty is the database's path with .state at its end; with a server, video-balancer.state in the working folder.")
    public static let assets = Setting(
        name: "assets", fallback: "/usr/share/video-balancer", help: "Folder that holds swagger-ui, as scripts/fetch-assets makes it.")
    public static let adminToken = Setting(
        name: "admin-token", fallback: "",
        help: "A token with the role admin, 32 to 256 visible ASCII characters; set in the environment, or its file's path in "
            + "BALANCER_ADMIN_TOKEN_FILE.",
        isSecret: true)
    public static let nodeName = Setting(
        name: "node-name", fallback: "",
        help: "What this balancer is called in its fleet, at most 255 characters; empty is the machine's name.")
    public static let workers = Setting(name: "workers", fallback: "0", help: "Threads of the data plane, 1 to 256; 0 is one per core.")
    public static let fastPath = Setting(
        name: "fast-path", fallback: "on", help: "off gives every connection to the slow path; the answers are the same, only slower.")
    public static let proxyProtocol = Setting(
        name: "proxy-protocol", fallback: "off",
        help: "on: each connection begins with a PROXY protocol header, version 1 or 2, as a load balancer in front sends it.")
    public static let trustedProxies = Setting(
        name: "trusted-proxies", fallback: "",
        help: "Proxies that may say who the client is, as addresses and networks parted by commas: 10.0.0.0/8,2001:db8::/32. At most 256.")
    public static let forwardedField = Setting(
        name: "forwarded-field", fallback: "x-forwarded-for",
        help: "The field that trusted proxies write: x-forwarded-for or forwarded (RFC 7239). The other is not read.")
    public static let corsCredentialsOrigins = Setting(
        name: "cors-credentials-origins", fallback: "",
        help: "Origins whose pages may send cookies or other credentials along, parted by commas: https://player.example.com. At most 64; "
            + "pages of all others read answers without.")
    public static let geoipCountry = Setting(
        name: "geoip-country", fallback: "",
        help: "GeoIP database (MaxMind's format) of countries, for rules by countries; read again when the file changes.")
    public static let geoipASN = Setting(
        name: "geoip-asn", fallback: "",
        help: "GeoIP database (MaxMind's format) of autonomous systems, for rules by asns; read again when the file changes.")
    public static let probeLinkLocal = Setting(
        name: "probe-link-local", fallback: "off",
        help: "on: health checks may ask link-local addresses, where clouds keep their metadata; off refuses them.")
    public static let targetBytes = Setting(
        name: "target-bytes", fallback: "8192", help: "Longest request target, 64 to 65536 bytes; more is 414.")
    public static let headBytes = Setting(
        name: "head-bytes", fallback: "16384", help: "Largest header section, 256 to 262144 bytes; more is 431.")
    public static let headFields = Setting(name: "head-fields", fallback: "100", help: "Most header fields, 1 to 1000; more is 431.")
    public static let bodyBytes = Setting(name: "body-bytes", fallback: "65536", help: "Largest body, 64 to 1048576 bytes; more is 413.")
    public static let headTimeout = Setting(name: "head-timeout", fallback: "5", help: "Seconds for a whole head, 1 to 300; then 408.")
    public static let bodyTimeout = Setting(name: "body-timeout", fallback: "10", help: "Seconds for a whole body, 1 to 300; then 408.")
    public static let idleTimeout = Setting(
        name: "idle-timeout", fallback: "60", help: "Seconds a connection may be idle between requests, 1 to 3600.")
    public static let clientRate = Setting(
        name: "client-rate", fallback: "0",
        help:
            "Requests a second that a client may send, 1 to 10000; more is 429. A client is an IPv4 address or an IPv6 /56. 0 is no limit.")
    public static let clientBurst = Setting(
        name: "client-burst", fallback: "100", help: "Requests that such a client may send at once before the rate holds, 1 to 100000.")
    public static let accessLog = Setting(
        name: "access-log", fallback: "",
        help: "File to which a line of JSON is appended for each answer, or - for the standard output; SIGHUP opens it anew. Empty is none."
    )
    public static let accessLogEvery = Setting(
        name: "access-log-every", fallback: "1", help: "100 logs every 100th answer of each worker, 1 to 1000000.")
    public static let accessLogMask = Setting(
        name: "access-log-mask", fallback: "off", help: "on: clients are logged as networks, /24 of IPv4 and /48 of IPv6.")
    public static let lameDuck = Setting(
        name: "lame-duck", fallback: "5", help: "Seconds between SIGTERM, from which /readyz is 503, and the end of accepting, 0 to 300.")
    public static let drainTimeout = Setting(
        name: "drain-timeout", fallback: "30", help: "Seconds open connections get to finish after that, 0 to 3600.")
    public static let logFormat = Setting(name: "log-format", fallback: "auto", help: "json, text, or auto: text on a terminal.")
    public static let logLevel = Setting(
        name: "log-level", fallback: "info", help: "trace, debug, info, notice, warning, error or critical.")

    public static let all = [
        listen, listenTLS, tlsCertificate, tlsKey, admin, adminNames, database, state, assets, adminToken, nodeName, workers, fastPath,
        proxyProtocol, trustedProxies,
        forwardedField, corsCredentialsOrigins,
        geoipCountry, geoipASN, probeLinkLocal, targetBytes, headBytes, headFields, bodyBytes, headTimeout,
        bodyTimeout, idleTimeout, clientRate, clientBurst, accessLog, accessLogEvery, accessLogMask,
        lameDuck, drainTimeout, logFormat, logLevel,
    ]
}
