public import TLS

/// TLS handshakes that ended, and how.
public struct HandshakeCounts: Sendable, Equatable {
    /// By version and whether they resumed a session.
    public private(set) var full12: UInt64 = 0
    public private(set) var resumed12: UInt64 = 0
    public private(set) var full13: UInt64 = 0
    public private(set) var resumed13: UInt64 = 0
    /// By the place of the reason among all.
    private var failures = [UInt64](repeating: 0, count: TLSSession.Failure.allCases.count)

    mutating func count(_ session: TLSSession) {
        switch (session.version, session.isResumed) {
        case (.tls12, false): full12 += 1
        case (.tls12, true): resumed12 += 1
        case (.tls13, false): full13 += 1
        case (.tls13, true): resumed13 += 1
        }
    }

    mutating func count(_ failure: TLSSession.Failure) { failures[failure.index] += 1 }

    public func failed(_ failure: TLSSession.Failure) -> UInt64 { failures[failure.index] }

    /// Adds another thread's.
    mutating func add(_ other: HandshakeCounts) {
        full12 += other.full12
        resumed12 += other.resumed12
        full13 += other.full13
        resumed13 += other.resumed13
        for index in failures.indices { failures[index] += other.failures[index] }
    }
}
