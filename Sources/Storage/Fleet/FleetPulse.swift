import Synchronization

/// Which balancers of a fleet live, as this one sees it: by how long their rows have not changed, in its own steady time. No wall clock
/// is believed, neither theirs nor this one's, but at the first look, when there is nothing else.
final class FleetPulse: Sendable {
    private struct Sight {
        var seen: Int64
        var silence: Duration
    }

    private struct State {
        var sights: [String: Sight] = [:]
        var last: Duration?
    }

    /// Time between two looks counts up to here: while nobody could look, nobody could be seen either.
    private static let longestGap = Duration.seconds(5)
    private let state = Mutex(State())

    /// - Parameters:
    ///   - seen: when each node wrote its row, in milliseconds since 1970 by its own clock, by its id.
    ///   - now: milliseconds since 1970, by this machine's.
    ///   - uptime: of this process.
    /// - Returns: the silent ones, and for how long they have been at least.
    func observe(_ seen: [String: Int64], now: Int64, uptime: Duration) -> [String: Duration] {
        state.withLock { state in
            let gap = state.last.map { min(max(uptime - $0, .zero), FleetPulse.longestGap) }
            state.last = uptime
            let before = state.sights
            state.sights = Dictionary(
                uniqueKeysWithValues: seen.map { id, time in
                    (id, Sight(seen: time, silence: FleetPulse.silence(time, before[id], gap: gap, now: now)))
                })
            return state.sights.mapValues(\.silence).filter { $0.value >= .milliseconds(FleetNode.silentAfter) }
        }
    }

    private static func silence(_ seen: Int64, _ before: Sight?, gap: Duration?, now: Int64) -> Duration {
        // The first look at all; later a new row is one that was just written.
        guard let gap else { return .milliseconds(min(max(now.subtractingReportingOverflow(seen).partialValue, 0), FleetNode.silentAfter)) }
        guard let before, before.seen == seen else { return .zero }
        return before.silence + gap
    }
}
