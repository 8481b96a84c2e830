/// What one run of a node has counted and not stored yet: the open minute, and closed ones that wait for the database.
///
/// A batch never changes once it was handed out to be written, so a second attempt is refused by its key if the first one was stored
/// although nobody heard of it. The size is bounded: over it, waiting minutes of one hour become one.
///
/// Minutes are named after the wall clock and last by the steady one. Where the wall clock is set back its minutes come again: they are
/// counted as another run's, so that none meets the key of one that is stored.
public struct TrafficBacklog: Sendable {
    /// Closed minutes, and rows in them, that wait at most before some become one.
    public static let maximumMinutes = 120
    public static let maximumRows = 200_000
    /// Seconds of steady time after which a batch that was tried is given up: it may have been stored and folded since, and nothing may count twice.
    static let retriedFor = TrafficTable.minutesKept - 3600

    private let node: String
    private var boot: String
    /// The open minute's beginning.
    private var minute: Int64
    /// When it was opened, by the steady clock.
    private var opened: Duration
    private var open: [TrafficKey: Int64] = [:]
    private var closed: [Minute] = []
    /// Parts of the minute that is being written, cut off `closed`, and when that was opened.
    private var parts: [TrafficBatch] = []
    private var partsOpened = Duration.zero
    /// Requests in batches that were given up.
    public private(set) var lost: Int64 = 0

    private struct Minute {
        let begins: Int64
        let boot: String
        let opened: Duration
        var counts: [TrafficKey: Int64]
    }

    /// - Parameters:
    ///   - now: seconds since 1970, UTC.
    ///   - uptime: by a clock that nobody sets.
    public init(node: String, boot: String, now: Int64, uptime: Duration) {
        self.node = node
        self.boot = boot
        minute = now / 60 * 60
        opened = uptime
    }

    /// How long the open minute still lasts: to its end, and hardly longer than a minute where the wall clock stands still. Zero or less when it is over.
    ///
    /// - Parameter now: milliseconds since 1970, UTC.
    public func left(now: Int64, uptime: Duration) -> Duration {
        // Its end is a minute from now at most, unless the clock was set back meanwhile.
        guard now >= minute * 1000 else { return .zero }
        return min(.milliseconds((minute + 60) * 1000 - now), opened + .seconds(61) - uptime)
    }
    /// Whole minutes that wait.
    public var minutes: Int { closed.count + (parts.isEmpty ? 0 : 1) }

    /// Counts into the open minute.
    public mutating func add(_ key: TrafficKey, _ requests: Int64) { open[key, default: 0] &+= requests }

    /// Closes the open minute and opens the one that `now` is in, in seconds since 1970, UTC.
    public mutating func close(now: Int64, uptime: Duration) {
        if !open.isEmpty { closed.append(Minute(begins: minute, boot: boot, opened: opened, counts: open)) }
        open = [:]
        opened = uptime
        let next = now / 60 * 60
        // The name was given before.
        if next <= minute { boot = FleetNode.makeID() }
        minute = next
        join()
    }

    /// Waiting minutes of one hour become one while there are too many.
    private mutating func join() {
        while closed.count > TrafficBacklog.maximumMinutes || closed.reduce(0, { $0 + $1.counts.count }) > TrafficBacklog.maximumRows {
            guard closed.count > 1 else { return }
            let later = closed.indices.dropFirst().first { isSameHour(closed[$0], closed[$0 - 1]) } ?? 1
            closed[later - 1].counts.merge(closed[later].counts, uniquingKeysWith: &+)
            closed.remove(at: later)
        }
    }

    private func isSameHour(_ one: Minute, _ other: Minute) -> Bool { one.begins / 3600 == other.begins / 3600 && one.boot == other.boot }

    /// The next batch to write, the oldest first; nil when nothing waits. The same again until it was told `stored`.
    public mutating func next(uptime: Duration) -> TrafficBatch? {
        if let first = parts.first, uptime - partsOpened > .seconds(TrafficBacklog.retriedFor) {
            lost &+= first.rows.reduce(0) { $0 &+ $1.requests }
            parts.removeFirst()
        }
        if parts.isEmpty, !closed.isEmpty {
            let minute = closed.removeFirst()
            let rows = minute.counts.map { TrafficBatch.Row(key: $0.key, requests: $0.value) }
            partsOpened = minute.opened
            parts = stride(from: 0, to: rows.count, by: TrafficBatch.maximumRows).map { start in
                TrafficBatch(
                    node: node, boot: minute.boot, begins: minute.begins,
                    rows: Array(rows[start..<min(start + TrafficBatch.maximumRows, rows.count)]))
            }
        }
        return parts.first
    }

    /// The batch that was handed out last is in the database.
    public mutating func stored() { parts.removeFirst() }
}
