import Steering

/// What one of a worker's threads has done. Each writes its own; a scrape adds them up.
public struct Counters: Sendable, Equatable {
    public var redirectsToOrigin: UInt64 = 0
    /// By the CDN's name: it outlives the tables in which the CDN stood.
    public var redirectsToCDN: [String: UInt64] = [:]
    /// Redirects by the raw value of `Decision.Reason`.
    public var reasons = [UInt64](repeating: 0, count: Decision.Reason.allCases.count)
    /// By status and the refusal's stable name.
    public var refusals: [RefusalKey: UInt64] = [:]
    /// Steering answers whose first pathway is the origin.
    public var steeringToOrigin: UInt64 = 0
    /// Steering answers by the name of the CDN that is their first pathway.
    public var steeringToCDN: [String: UInt64] = [:]
    /// Steering answers whose first pathway is another than the player said it used, by `SteeringMove`.
    public var steeringMoves = [UInt64](repeating: 0, count: SteeringMove.allCases.count)
    /// By the CDN's name, requests that asked to avoid it, and steered players that had left it without a word.
    public var avoidedCDN: [String: UInt64] = [:]
    public var leftCDN: [String: UInt64] = [:]
    /// Parameters of steering requests that did not parse.
    public var steeringParametersIgnored: UInt64 = 0
    /// Manifests served whose first pathway is the origin.
    public var manifestsToOrigin: UInt64 = 0
    /// Manifests served by the name of the CDN that is their first pathway.
    public var manifestsToCDN: [String: UInt64] = [:]
    /// Manifests that were redirected although they were to be served, by the reason's stable name.
    public var manifestRefusals: [String: UInt64] = [:]
    /// Requests whose links are signed by private keys: with signatures that were kept, that waited for one, and that got none in time.
    public var signatures = Signatures()
    /// Media playlists that were served with a token on each segment.
    public var mediaPlaylists: UInt64 = 0
    /// Answers to health pages and OPTIONS.
    public var otherAnswers: UInt64 = 0
    public var connectionsAccepted: UInt64 = 0
    public var connectionsOpen: Int = 0
    /// Bytes read from clients and given to the kernel for them, heads included.
    public var bytesReceived: UInt64 = 0
    public var bytesSent: UInt64 = 0
    /// Connections closed for want of a PROXY header, or for one from a peer that is not trusted.
    public var proxyHeadersRefused: UInt64 = 0
    /// Connections that left the fast path, by why; the names are those of docs/fast-path.md.
    public var handOvers: [String: UInt64] = [:]
    public var handshakes = HandshakeCounts()
    public var http2 = HTTP2Counts()
    public var loopTurns = LoopTurns()
    /// Times that accepting rested for a moment: at the `limit` of connections, or because the system had no more (`exhausted`).
    public var acceptPauses: [String: UInt64] = [:]
    /// Idle connections that were ended before their time, so that new ones got in.
    public var idleConnectionsEnded: UInt64 = 0
    /// Most connections that may be open.
    public var connectionsLimit: Int = 0

    public struct Signatures: Sendable, Equatable {
        public var hits: UInt64 = 0
        public var misses: UInt64 = 0
        public var refused: UInt64 = 0
    }

    public struct RefusalKey: Sendable, Hashable {
        public let status: Int
        public let reason: String
    }

    /// All answers by status.
    public var answers: [Int: UInt64] = [:]

    mutating func countRefusal(_ status: Int, _ reason: String) {
        refusals[RefusalKey(status: status, reason: reason), default: 0] += 1
    }

    /// Adds another thread's.
    public mutating func add(_ other: Counters) {
        redirectsToOrigin += other.redirectsToOrigin
        redirectsToCDN.merge(other.redirectsToCDN, uniquingKeysWith: +)
        for index in reasons.indices { reasons[index] += other.reasons[index] }
        refusals.merge(other.refusals, uniquingKeysWith: +)
        steeringToOrigin += other.steeringToOrigin
        steeringToCDN.merge(other.steeringToCDN, uniquingKeysWith: +)
        for index in steeringMoves.indices { steeringMoves[index] += other.steeringMoves[index] }
        avoidedCDN.merge(other.avoidedCDN, uniquingKeysWith: +)
        leftCDN.merge(other.leftCDN, uniquingKeysWith: +)
        steeringParametersIgnored += other.steeringParametersIgnored
        manifestsToOrigin += other.manifestsToOrigin
        manifestsToCDN.merge(other.manifestsToCDN, uniquingKeysWith: +)
        mediaPlaylists += other.mediaPlaylists
        manifestRefusals.merge(other.manifestRefusals, uniquingKeysWith: +)
        signatures.hits += other.signatures.hits
        signatures.misses += other.signatures.misses
        signatures.refused += other.signatures.refused
        otherAnswers += other.otherAnswers
        connectionsAccepted += other.connectionsAccepted
        connectionsOpen += other.connectionsOpen
        bytesReceived += other.bytesReceived
        bytesSent += other.bytesSent
        proxyHeadersRefused += other.proxyHeadersRefused
        handOvers.merge(other.handOvers, uniquingKeysWith: +)
        answers.merge(other.answers, uniquingKeysWith: +)
        handshakes.add(other.handshakes)
        http2.add(other.http2)
        loopTurns.add(other.loopTurns)
        acceptPauses.merge(other.acceptPauses, uniquingKeysWith: +)
        idleConnectionsEnded += other.idleConnectionsEnded
    }
}
