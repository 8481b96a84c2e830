/// The wall clock for what cannot be undone: a leap forward is believed only once it has lasted for a day of steady time.
///
/// History is folded and dropped by age. A clock that is set years ahead would make all of it old at once.
public struct BelievedTime: Sendable {
    /// A clock may leap so far at once: seconds. Less than a day of the oldest history is at stake then.
    static let tolerance: Int64 = 86_400
    /// How long a longer leap must last.
    static let proof = Duration.seconds(86_400)

    private var last: (time: Int64, uptime: Duration)?
    private var doubtedSince: Duration?

    public init() {}

    /// - Parameters:
    ///   - wall: seconds since 1970, UTC.
    ///   - uptime: by a clock that nobody sets.
    ///   - history: when something was last stored, which the first look is compared with; nil while nothing was.
    /// - Returns: seconds since 1970, UTC; never later than `wall`.
    public mutating func now(wall: Int64, uptime: Duration, history: Int64?) -> Int64 {
        let before = last ?? (history ?? wall, uptime)
        let expected = before.time &+ (uptime - before.uptime).components.seconds
        if wall.subtractingReportingOverflow(expected).partialValue > BelievedTime.tolerance {
            let since = doubtedSince ?? uptime
            doubtedSince = since
            guard uptime - since >= BelievedTime.proof else {
                last = (expected, uptime)
                return expected
            }
        }
        doubtedSince = nil
        last = (wall, uptime)
        return wall
    }
}
