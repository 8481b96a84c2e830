import Synchronization

/// Passes lines for the operator on, each kind once a minute: what happens with every connection must not drown the log.
final class QuietReport: Sendable {
    private let report: @Sendable (String) -> Void
    private let clock: @Sendable () -> Int
    private let seen = Mutex<[Kind: (second: Int, withheld: Int)]>([:])

    enum Kind { case exhausted, limit, proxyHeader, untrustedProxy, accessLog }

    /// - Parameter clock: seconds.
    init(clock: @escaping @Sendable () -> Int = DateField.now, to report: @escaping @Sendable (String) -> Void) {
        self.report = report
        self.clock = clock
    }

    /// Passes `line` on unless one of its kind was within the last minute; any thread.
    func callAsFunction(_ kind: Kind, _ line: String) {
        let now = clock()
        let withheld: Int? = seen.withLock { seen in
            if let last = seen[kind], now >= last.second, now - last.second < 60 {
                seen[kind] = (last.second, last.withheld + 1)
                return nil
            }
            defer { seen[kind] = (now, 0) }
            return seen[kind]?.withheld ?? 0
        }
        guard let withheld else { return }
        report(withheld == 0 ? line : "\(line) (\(withheld) more like this since the last one logged)")
    }
}
