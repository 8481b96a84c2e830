import Steering

/// Verdicts on CDNs from what their players do, a window of time after the other: one that its players leave goes down after `fall` bad
/// windows in a row. While it is down nothing is heard of it, so it comes back after a time, which doubles each time that it goes down again.
///
/// Players can be wrong, or lie. A network of clients counts once a window; below a floor of networks nothing is decided, and half of all
/// networks that use the CDN must have left it: whoever has few networks, or many among far more, votes nobody out.
public struct PlayerVerdicts: Sendable {
    /// Seconds of a window.
    public static let window = 10
    static let leastNetworks = 20
    static let fall = 3
    /// Windows until a CDN that went down for the first time comes back: a minute.
    static let firstRise = 6

    private var states: [String: State] = [:]

    private struct State {
        var window = VerdictWindow()
        var rise = PlayerVerdicts.firstRise
    }

    /// One CDN that went down or came back.
    public struct Change: Sendable, Equatable {
        public let cdn: String
        public let isUp: Bool
        /// Networks of the last window.
        public let seen: Int
        public let left: Int
    }

    public init() {}

    /// Names of the CDNs that are down.
    public var down: Set<String> { Set(states.filter { !$0.value.window.isUp }.keys) }

    /// Takes one window in.
    ///
    /// - Parameter networks: by CDN; one that is not named any more is forgotten.
    public mutating func judge(_ networks: [String: (seen: Int, left: Int)]) -> [Change] {
        states = states.filter { networks[$0.key] != nil }
        return networks.sorted { $0.key < $1.key }.compactMap { cdn, count in
            var state = states[cdn] ?? State()
            defer { states[cdn] = state }
            let isLeft = count.left >= PlayerVerdicts.leastNetworks && 2 * count.left >= count.seen
            guard state.window.record(!isLeft, rise: state.rise, fall: PlayerVerdicts.fall) else {
                // All of the last 64 windows were good: what was is forgotten.
                if state.window.isUp, state.window.bits == .max { state.rise = PlayerVerdicts.firstRise }
                return nil
            }
            if state.window.isUp { state.rise = min(64, 2 * state.rise) }
            return Change(cdn: cdn, isUp: state.window.isUp, seen: count.seen, left: count.left)
        }
    }
}
