#if MySQL
import Synchronization

/// What the threads of one pool tell one another about their servers: that none could be reached, and which were found demoted.
final class MySQLServers: Sendable {
    private struct State {
        var outage: (fault: MySQLFault, time: ContinuousClock.Instant)?
        /// Rises whenever a server turns out to be demoted; sessions that were made before are given up.
        var demotions = 0
        var demoted: [(host: MySQLAddress.Host, time: ContinuousClock.Instant)] = []
    }

    /// For this long a server that refused a change is asked last.
    private static let distrust = Duration.seconds(1)

    let writes = WriteHealth()
    private let state = Mutex(State())

    func noteOutage(_ fault: MySQLFault) { state.withLock { $0.outage = (fault, .now) } }
    func endOutage() { state.withLock { $0.outage = nil } }

    /// The failure that came after `since`; nil when there was none.
    func outage(since: ContinuousClock.Instant) -> MySQLFault? {
        state.withLock { state in state.outage.flatMap { $0.time > since ? $0.fault : nil } }
    }

    var demotions: Int { state.withLock { $0.demotions } }

    /// A server that was writable refuses changes.
    ///
    /// - Parameter host: nil when it is not known which one.
    func noteDemotion(of host: MySQLAddress.Host?) {
        state.withLock { state in
            state.demotions += 1
            guard let host else { return }
            state.demoted.removeAll { $0.host == host }
            state.demoted.append((host, .now))
        }
    }

    /// In the order to try them.
    func order(_ hosts: [MySQLAddress.Host]) -> [MySQLAddress.Host] {
        let distrusted = state.withLock { state in
            state.demoted.removeAll { ContinuousClock.now - $0.time > MySQLServers.distrust }
            return state.demoted.map(\.host)
        }
        return hosts.filter { !distrusted.contains($0) } + hosts.filter { distrusted.contains($0) }
    }
}
#endif
