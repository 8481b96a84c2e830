/// What one run of a node has counted and not stored yet: the open minute, and closed ones that wait for the database.
///
/// A batch never changes once it was handed out to be written, so a second attempt is refused by its key if the first one was stored
/// although nobody heard of it. The size is bounded: over it, waiting minutes of one hour become one.
public struct TrafficBacklog: Sendable {
    /// Closed minutes, and rows in them, that wait at most before some become one.
    public static let mostMinutes = 120
    public static let mostRows = 200_000
    /// Seconds after which a batch that was tried is given up: it may have been stored and folded since, and nothing may count twice.
    static let retriedFor = TrafficTable.minutesKept - 3600

    private let node: String
    private let boot: String
    /// The open minute's beginning.
    private var minute: Int64
    private var open: [TrafficKey: Int64] = [:]
    private var closed: [(begins: Int64, counts: [TrafficKey: Int64])] = []
    /// Parts of the minute that is being written, cut off `closed`.
    private var parts: [TrafficBatch] = []
    /// Requests in batches that were given up.
    public private(set) var lost: Int64 = 0

    /// - Parameter now: seconds since 1970, UTC.
    public init(node: String, boot: String, now: Int64) {
        self.node = node
        self.boot = boot
        minute = now / 60 * 60
    }

    /// When the open minute is over: seconds since 1970, UTC.
    public var end: Int64 { minute + 60 }
    /// Whole minutes that wait.
    public var minutes: Int { closed.count + (parts.isEmpty ? 0 : 1) }

    /// Counts into the open minute.
    public mutating func add(_ key: TrafficKey, _ requests: Int64) { open[key, default: 0] &+= requests }

    /// Closes the open minute and opens the one that `now` is in. A clock that was set back repeats no minute: its key is taken.
    public mutating func close(now: Int64) {
        if !open.isEmpty { closed.append((minute, open)) }
        open = [:]
        minute = max(minute + 60, now / 60 * 60)
        while closed.count > TrafficBacklog.mostMinutes || closed.reduce(0, { $0 + $1.counts.count }) > TrafficBacklog.mostRows {
            guard closed.count > 1 else { return }
            let later = closed.indices.dropFirst().first { closed[$0].begins / 3600 == closed[$0 - 1].begins / 3600 } ?? 1
            closed[later - 1].counts.merge(closed[later].counts, uniquingKeysWith: &+)
            closed.remove(at: later)
        }
    }

    /// The next batch to write, the oldest first; nil when nothing waits. The same again until it was told `stored`.
    public mutating func next(now: Int64) -> TrafficBatch? {
        if let first = parts.first, now - first.begins > TrafficBacklog.retriedFor {
            lost &+= first.rows.reduce(0) { $0 &+ $1.requests }
            parts.removeFirst()
        }
        if parts.isEmpty, !closed.isEmpty {
            let (begins, counts) = closed.removeFirst()
            let rows = counts.map { TrafficBatch.Row(key: $0.key, requests: $0.value) }
            parts = stride(from: 0, to: rows.count, by: TrafficBatch.mostRows).map { start in
                TrafficBatch(
                    node: node, boot: boot, begins: begins, rows: Array(rows[start..<min(start + TrafficBatch.mostRows, rows.count)]))
            }
        }
        return parts.first
    }

    /// The batch that was handed out last is in the database.
    public mutating func stored() { parts.removeFirst() }
}
