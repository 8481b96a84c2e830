/// To whom HTTP/2 is spoken.
public enum HTTP2Use: String, Sendable, CaseIterable {
    /// To nobody.
    case off
    /// To clients that choose it in a TLS handshake (ALPN).
    case tls
    /// Also to those that begin with it without TLS ("prior knowledge", RFC 9113 §3.3).
    case any
}
