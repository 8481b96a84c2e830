public import Control

/// One metric, declared once: the exposition and docs/metrics.md come from here. Units are base units; labels hold names of the catalog and
/// of this program, never anything that a client sent.
public struct Metric: Sendable {
    public let name: String
    public let kind: MetricFamily.Kind
    /// What the samples are told apart by.
    public private(set) var labels: [String] = []
    public let help: String

    /// A metric without labels.
    func family(_ value: Double) -> MetricFamily { MetricFamily(name, kind, help, [.init(value)]) }

    /// - Parameter samples: values of the labels, in their order, and the value.
    func family(_ samples: [(labels: [String], value: Double)]) -> MetricFamily {
        MetricFamily(name, kind, help, samples.map { .init($0.value, labels: Array(zip(labels, $0.labels))) })
    }

    static let redirects = Metric(
        name: "balancer_redirects_total", kind: .counter, labels: ["target", "cdn"],
        help: "Redirects by target, which is origin or cdn, and by CDN.")
    static let reasons = Metric(
        name: "balancer_redirect_reasons_total", kind: .counter, labels: ["reason"], help: "Redirects by the reason for their target.")
    static let refusals = Metric(
        name: "balancer_refusals_total", kind: .counter, labels: ["status", "reason"],
        help: "Requests refused, by status and reason; docs/http.md lists the reasons.")
    static let answers = Metric(name: "balancer_answers_total", kind: .counter, labels: ["status"], help: "All answers by HTTP status.")
    static let steering = Metric(
        name: "balancer_steering_answers_total", kind: .counter, labels: ["target", "cdn"],
        help: "Steering documents by their first pathway: its target, which is origin or cdn, and the CDN.")
    static let steeringMoves = Metric(
        name: "balancer_steering_moves_total", kind: .counter, labels: ["reason"],
        help: "Steering documents whose first pathway is another than the player said it used, by why; docs/steering.md lists the reasons.")
    static let playersLeft = Metric(
        name: "balancer_players_left_total", kind: .counter, labels: ["cdn", "report"],
        help: "Players that left a CDN by themselves: they asked to avoid it, or used another pathway than they were told.")
    static let cdnLeft = Metric(
        name: "balancer_cdn_left", kind: .gauge, labels: ["cdn"],
        help: "1 while a CDN counts as down because its players leave it; missing without failover.passive.")
    static let steeringIgnored = Metric(
        name: "balancer_steering_parameters_ignored_total", kind: .counter,
        help: "Parameters of steering requests that were ignored because they did not parse.")
    static let manifests = Metric(
        name: "balancer_manifests_total", kind: .counter, labels: ["target", "cdn"],
        help: "Manifests served by their first pathway: its target, which is origin or cdn, and the CDN.")
    static let mediaPlaylists = Metric(
        name: "balancer_media_playlists_total", kind: .counter,
        help: "Media playlists of sessions that were served with a token on each segment, since their target's tokens are not inherited.")
    static let manifestRefusals = Metric(
        name: "balancer_manifests_redirected_total", kind: .counter, labels: ["reason"],
        help: "Requests for manifests that were redirected although delivery says otherwise, by reason; docs/steering.md lists the reasons."
    )
    static let manifestFetches = Metric(
        name: "balancer_manifest_fetches_total", kind: .counter, labels: ["result"],
        help: "Requests for manifests that were sent to targets, by what became of them: ok, or a reason as above.")
    static let manifestReuses = Metric(
        name: "balancer_manifest_reuses_total", kind: .counter, labels: ["kind"],
        help:
            "Manifests that were not fetched for the request: hit, from memory; joined, with the fetch of another; stale, since no target answered."
    )
    static let manifestBytes = Metric(
        name: "balancer_manifest_cache_bytes", kind: .gauge, help: "Bytes of manifests that are kept in memory.")
    static let otherAnswers = Metric(
        name: "balancer_other_answers_total", kind: .counter, help: "Answers to health pages, documentation and OPTIONS.")
    static let accepted = Metric(
        name: "balancer_connections_accepted_total", kind: .counter, help: "Connections accepted by the data plane.")
    static let open = Metric(name: "balancer_connections_open", kind: .gauge, help: "Connections open on the data plane.")
    static let maximumOpen = Metric(
        name: "balancer_connections_limit", kind: .gauge,
        help: "Most connections that the data plane opens; the other descriptors are kept for databases, probes, logs and the admin port.")
    static let acceptPauses = Metric(
        name: "balancer_accept_pauses_total", kind: .counter, labels: ["reason"],
        help:
            "Times that a worker stopped accepting for 10 ms while clients waited: at the limit of connections, or exhausted, when the system "
            + "had no descriptor or memory.")
    static let idleEnded = Metric(
        name: "balancer_idle_connections_ended_total", kind: .counter,
        help: "Idle connections ended before --idle-timeout, so that new clients got in at the limit of connections.")
    static let handOvers = Metric(
        name: "balancer_hand_overs_total", kind: .counter, labels: ["reason"],
        help: "Connections that left the fast path, by reason; docs/fast-path.md lists the reasons.")
    static let received = Metric(name: "balancer_received_bytes_total", kind: .counter, help: "Bytes read from clients.")
    static let sent = Metric(name: "balancer_sent_bytes_total", kind: .counter, help: "Bytes given to the kernel for clients.")
    static let proxyHeaders = Metric(
        name: "balancer_proxy_headers_refused_total", kind: .counter, help: "Connections closed at their PROXY header.")
    static let handshakes = Metric(
        name: "balancer_tls_handshakes_total", kind: .counter, labels: ["version", "resumed"],
        help: "TLS handshakes that came to their end, by version and whether they resumed a session.")
    static let handshakeFailures = Metric(
        name: "balancer_tls_handshake_failures_total", kind: .counter, labels: ["reason"],
        help: "TLS handshakes that did not, by reason; docs/https.md lists the reasons.")
    static let http2Connections = Metric(
        name: "balancer_http2_connections_total", kind: .counter, help: "Connections that began to speak HTTP/2.")
    static let http2Answers = Metric(
        name: "balancer_http2_answers_total", kind: .counter, help: "Answers by HTTP/2; they are among all other counts, too.")
    static let http2Refusals = Metric(
        name: "balancer_http2_refusals_total", kind: .counter, labels: ["reason"],
        help: "Streams and connections of HTTP/2 that were ended for what the client did, by reason; docs/http.md lists the reasons.")
    static let certificateExpiry = Metric(
        name: "balancer_tls_certificate_expiry_timestamp_seconds", kind: .gauge, labels: ["name"],
        help:
            "When a certificate of this balancer's own expires, by its first name, since 1970-01-01 UTC; the admin port's too. Missing without TLS."
    )
    static let certificateTroubles = Metric(
        name: "balancer_tls_certificate_troubles", kind: .gauge, labels: ["port"],
        help:
            "Files of certificates, and of authorities for clients, that cannot be used as they are now; what was loaded before stays in use."
    )
    static let ocspShown = Metric(
        name: "balancer_tls_ocsp_shown", kind: .gauge, labels: ["name"],
        help: "1 while the OCSP response beside a certificate is shown with it, 0 while it is left out; missing where there is none.")
    static let ocspProduced = Metric(
        name: "balancer_tls_ocsp_produced_timestamp_seconds", kind: .gauge, labels: ["name"],
        help: "When the OCSP response that is shown was produced, since 1970-01-01 UTC.")
    static let ocspExpiry = Metric(
        name: "balancer_tls_ocsp_expiry_timestamp_seconds", kind: .gauge, labels: ["name"],
        help: "When the OCSP response that is shown expires, since 1970-01-01 UTC; it is left out from then on.")
    static let ticketKeysLoaded = Metric(
        name: "balancer_tls_ticket_keys_loaded_timestamp_seconds", kind: .gauge,
        help: "When the keys of session tickets in use were loaded or made, since 1970-01-01 UTC. Missing without TLS.")
    static let ticketKeysTrouble = Metric(
        name: "balancer_tls_ticket_keys_trouble", kind: .gauge,
        help: "1 while the file of ticket keys as it is now cannot be used; those loaded before stay.")
    static let ticketKeyInfo = Metric(
        name: "balancer_tls_ticket_key_info", kind: .gauge, labels: ["generation"],
        help: "1, with what tells the fleet's key that encrypts tickets from others; it is no secret. Missing without --tls-ticket-keys.")
    static let loopTurns = Metric(
        name: "balancer_loop_turn_seconds", kind: .histogram, labels: ["le"],
        help: "Time from one wait for events to the next on the fast loops.")
    static let longestTurn = Metric(
        name: "balancer_loop_turn_longest_seconds", kind: .gauge, help: "The longest turn of a fast loop since the start.")
    static let accessLines = Metric(
        name: "balancer_access_log_lines_total", kind: .counter, help: "Lines written to the access log; missing without one.")
    static let accessLinesDropped = Metric(
        name: "balancer_access_log_dropped_lines_total", kind: .counter,
        help: "Lines that the access log lost, because its disk was too slow or full.")

    static let revision = Metric(name: "balancer_catalog_revision", kind: .gauge, help: "Revision of the catalog in use.")
    static let newestRevision = Metric(
        name: "balancer_catalog_newest_revision", kind: .gauge,
        help: "Newest revision in the database, as of the last answer from there; more than the one in use is a lag.")
    static let applied = Metric(
        name: "balancer_catalog_applied_timestamp_seconds", kind: .gauge,
        help: "When this balancer took the catalog in use over, since 1970-01-01 UTC.")
    static let sequences = Metric(
        name: "balancer_sequence_redirects_total", kind: .counter, labels: ["scope"],
        help:
            "Redirects counted for every N-th by scope: all, a server, or a rule, and sessions of each; the first hundred by name, kept over restarts."
    )
    static let degraded = Metric(
        name: "balancer_degraded", kind: .gauge,
        help:
            "1 while the database does not answer, takes no changes, is not followed or has a catalog that cannot be read here, and the last good catalog is used."
    )
    static let notFollowed = Metric(
        name: "balancer_database_not_followed", kind: .gauge,
        help: "1 while the database is empty or another one, and nobody has said which is right; see docs/operations.md.")
    static let nodes = Metric(
        name: "balancer_fleet_nodes", kind: .gauge,
        help: "Balancers that have registered in the database within the last minute.")
    static let backlog = Metric(
        name: "balancer_traffic_backlog_seconds", kind: .gauge, help: "Time whose traffic is not in the database yet, in whole minutes.")
    static let lostRequests = Metric(
        name: "balancer_traffic_lost_requests_total", kind: .counter,
        help: "Requests missing in the history of traffic: the database was away for hours, and nobody knows whether it has them.")
    static let statements = Metric(
        name: "balancer_database_statements_total", kind: .counter, help: "Statements sent to the database.")

    static let targetUp = Metric(
        name: "balancer_target_up", kind: .gauge, labels: ["kind", "name"], help: "1 while a probed CDN or origin server works.")
    static let probes = Metric(
        name: "balancer_probes_total", kind: .counter, labels: ["kind", "name", "verdict"],
        help: "Probes by what they found; unknown: this machine could not ask.")
    static let probeDuration = Metric(
        name: "balancer_probe_duration_seconds", kind: .gauge, labels: ["kind", "name"], help: "How long the newest probe took.")
    static let targetCertificateExpiry = Metric(
        name: "balancer_target_certificate_expiry_timestamp_seconds", kind: .gauge, labels: ["kind", "name"],
        help: "When the certificate of a target that is probed by HTTPS expires, since 1970-01-01 UTC; of several addresses the soonest.")

    static let geoIPLoads = Metric(
        name: "balancer_geoip_loads_total", kind: .counter, labels: ["database", "result"],
        help: "GeoIP databases read, by what became of them.")
    static let geoIPBuilt = Metric(
        name: "balancer_geoip_built_timestamp_seconds", kind: .gauge, labels: ["database"],
        help: "When the GeoIP database in use was built, since 1970-01-01 UTC.")

    static let targetSigns = Metric(
        name: "balancer_target_signs", kind: .gauge, labels: ["name"],
        help: "1 while links to a CDN or the origin can be signed as the catalog wants; 0: it is left out, for want of its key.")
    static let signingKeyTroubles = Metric(
        name: "balancer_signing_key_troubles", kind: .gauge,
        help: "Files of signing keys that cannot be used as they are now; a key that was loaded before stays in use.")

    static let signatures = Metric(
        name: "balancer_link_signatures_total", kind: .counter, labels: ["result"],
        help:
            "Requests whose links private keys sign: hit: the signatures were kept; miss: it waited for one; refused: too many others waited, "
            + "so it went to another target or got 503.")

    static let requests = Metric(
        name: "http_server_requests_total", kind: .counter, labels: ["route", "method", "status"],
        help: "Requests of the control plane by its route, as the API's documentation writes it.")
    static let requestDuration = Metric(
        name: "http_server_request_duration_seconds", kind: .summary, labels: ["route", "method", "status"],
        help: "How long requests of the control plane took.")

    static let logLost = Metric(
        name: "balancer_log_lost_lines_total", kind: .counter,
        help: "Lines of the process's log that were lost, because standard output was full, gone, or not read.")

    static let build = Metric(name: "balancer_build_info", kind: .gauge, labels: ["version"], help: "1, with the program's version.")
    static let cpu = Metric(name: "process_cpu_seconds_total", kind: .counter, help: "User and system time of the process.")
    static let residentMemory = Metric(name: "process_resident_memory_bytes", kind: .gauge, help: "Resident memory of the process.")
    static let virtualMemory = Metric(name: "process_virtual_memory_bytes", kind: .gauge, help: "Virtual memory of the process.")
    static let descriptors = Metric(name: "process_open_fds", kind: .gauge, help: "Descriptors that are open.")
    static let maximumDescriptors = Metric(name: "process_max_fds", kind: .gauge, help: "Descriptors that may be open.")
    static let started = Metric(
        name: "process_start_time_seconds", kind: .gauge, help: "When the process started, since 1970-01-01 UTC.")

    /// By what they are about, for docs/metrics.md.
    public static let sections: [(title: String, metrics: [Metric])] = [
        ("Redirects and refusals", [redirects, reasons, refusals, answers, otherAnswers, sequences]),
        (
            "Content steering",
            [
                steering, steeringMoves, steeringIgnored, playersLeft, cdnLeft, manifests, mediaPlaylists, manifestRefusals,
                manifestFetches, manifestReuses, manifestBytes,
            ]
        ),
        (
            "Connections and loops",
            [accepted, open, maximumOpen, acceptPauses, idleEnded, handOvers, received, sent, proxyHeaders, loopTurns, longestTurn]
        ),
        (
            "Catalog, database and fleet",
            [revision, newestRevision, applied, degraded, notFollowed, nodes, backlog, lostRequests, statements]
        ),
        (
            "TLS",
            [
                handshakes, handshakeFailures, certificateExpiry, certificateTroubles, ocspShown, ocspProduced, ocspExpiry,
                ticketKeysLoaded,
                ticketKeysTrouble, ticketKeyInfo,
            ]
        ),
        ("HTTP/2", [http2Connections, http2Answers, http2Refusals]),
        ("Health", [targetUp, probes, probeDuration, targetCertificateExpiry]),
        ("GeoIP databases", [geoIPLoads, geoIPBuilt]),
        ("Signed links", [targetSigns, signingKeyTroubles, signatures]),
        ("Control plane", [requests, requestDuration]),
        ("Logs", [accessLines, accessLinesDropped, logLost]),
        ("Process", [build, cpu, residentMemory, virtualMemory, descriptors, maximumDescriptors, started]),
    ]

    /// The help of a metric by its name; libraries have metrics that this program does not know.
    static func help(of name: String) -> String {
        sections.flatMap(\.metrics).first { $0.name == name }?.help ?? "Reported by a library."
    }
}
