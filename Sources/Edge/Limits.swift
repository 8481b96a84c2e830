/// What one client may cost (docs/settings.md). Times are absolute deadlines, not idle timers: a client that drips one byte a second gains
/// nothing.
public struct Limits: Sendable, Equatable {
    /// Bytes of the request target; more is 414.
    public var target = 8 * 1024
    /// Bytes of the header section; more is 431.
    public var head = 16 * 1024
    /// Header fields; more is 431.
    public var fields = 100
    /// Bytes of a body, framing included; more is 413.
    public var body = 64 * 1024
    /// Seconds from a head's first byte (the first head: from accept) to its end; then 408.
    public var headSeconds = 5
    /// Seconds from a head's end to the end of its body; then 408.
    public var bodySeconds = 10
    /// Seconds that a connection may stay open between two requests.
    public var idleSeconds = 60

    public init() {}

    /// Bytes and seconds that a closing connection is read on for, so that unread input does not reset the answer away
    /// (RFC 9112 §9.6).
    static let drainBytes = 64 * 1024
    static let drainSeconds = 1
    /// Seconds that an answer waits for an upstream.
    static let upstreamSeconds = 5
    /// Bytes of manifests that all clients together may have waiting for them; beyond it they are redirected.
    static let manifestBytes = 256 * 1024 * 1024
    /// Answers collected for one connection before they are sent and reading waits.
    static let pendingAnswerBytes = 64 * 1024
}
