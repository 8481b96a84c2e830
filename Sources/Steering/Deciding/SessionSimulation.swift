/// Steered viewers over time, second by second, by the same `steer` as the answers on the wire: what a change moves, how fast, and how
/// evenly players ask.
///
/// A viewer asks when it begins and then whenever its TTL has passed, and goes at once where it is sent. Nobody leaves.
public struct SessionSimulation {
    /// What happened in one second.
    public struct Second: Sendable, Equatable {
        public fileprivate(set) var asks = 0
        /// Viewers that were sent elsewhere than where they were.
        public fileprivate(set) var moves = 0
        /// Askers that were refused, by a rule or for want of any target.
        public fileprivate(set) var refused = 0
    }

    private let source: [UInt8]
    private let sessions: Int
    private let beginOver: Int
    private let start: Int
    private var table: RoutingTable
    private var sequences: SequenceSet
    /// Viewers by the second in which they ask next, in a ring that is longer than any TTL.
    private var due: [[UInt32]]
    /// By viewer: its target, the origin 0, a CDN its index and one.
    private var places: [UInt16]
    private var begun = 0
    private var ranking: [Decision.Target] = []
    /// Seconds that have passed.
    public private(set) var second = 0
    /// Viewers by target: the origin, then each CDN.
    public private(set) var viewers: [Int]

    private static let nowhere = UInt16.max

    /// - Parameters:
    ///   - path: `/{server}/…`, of the film that all see.
    ///   - sessions: 1…10,000,000; their numbers are 1, 2, 3, ….
    ///   - beginOver: seconds over which they begin evenly, at least 1.
    ///   - start: the first second, since 1970-01-01 UTC.
    public init(_ table: RoutingTable, path: String, sessions: Int, beginOver: Int, start: Int) {
        source = Array(path.utf8)
        self.sessions = sessions
        self.beginOver = max(1, beginOver)
        self.start = start
        self.table = table
        sequences = SequenceBook().set(for: table)
        due = Array(repeating: [], count: 8192)
        places = Array(repeating: SessionSimulation.nowhere, count: sessions)
        viewers = Array(repeating: 0, count: table.catalog.cdns.count + 1)
    }

    /// From now on another table answers. Its CDNs are those of the first in the same order; weights, health and all else may differ.
    public mutating func change(to table: RoutingTable) {
        self.table = table
        sequences = SequenceBook().set(for: table)
    }

    /// Plays one second.
    ///
    /// - Throws: what is wrong with the path.
    public mutating func step() throws(Refusal) -> Second {
        var result = Second()
        let video = try table.video(atPath: 0..<source.count, of: source.span)
        let slot = second % due.count
        var askers: [UInt32] = []
        swap(&askers, &due[slot])
        let all = min(sessions, Int((Double(sessions) * Double(second + 1) / Double(beginOver)).rounded()))
        for session in begun..<max(begun, all) { askers.append(UInt32(session)) }
        begun = max(begun, all)
        for session in askers { ask(session, video, &result) }
        second += 1
        return result
    }

    private mutating func ask(_ session: UInt32, _ video: VideoReference, _ result: inout Second) {
        result.asks += 1
        let place = places[Int(session)]
        let playing: Decision.Target? = place == SessionSimulation.nowhere ? nil : place == 0 ? .origin : .cdn(Int(place) - 1)
        let asker = Asker(client: .unknown, second: start + second, playing: playing)
        // A copy: the table is lent it while the ranking is written.
        let (source, nothing) = (source, [UInt8]())
        let list = try? table.steer(
            video, of: source.span, asker, head: nothing.span, session: UInt64(session) + 1, sequences: sequences, ranking: &ranking)
        guard let list else {
            result.refused += 1
            // hls.js asks again after its last TTL; the usual one comes near it.
            due[(second + table.catalog.steering.ttl) % due.count].append(session)
            return
        }
        due[(second + list.ttl) % due.count].append(session)
        move(session, from: playing, to: list[0], &result)
    }

    private mutating func move(
        _ session: UInt32, from playing: Decision.Target?, to target: Decision.Target, _ result: inout Second
    ) {
        guard playing != target else { return }
        func index(_ target: Decision.Target) -> Int { if case .cdn(let cdn) = target { cdn + 1 } else { 0 } }
        if let playing {
            result.moves += 1
            viewers[index(playing)] -= 1
        }
        viewers[index(target)] += 1
        places[Int(session)] = UInt16(index(target))
    }
}
