public import Steering

/// Probes targets round by round and says which are down. Verdicts flow one way: whoever listens learns of a change and nothing else.
public actor Prober {
    /// One target as `status` and metrics show it.
    public struct Report: Sendable {
        public let subject: ProbeTarget.Subject
        public let window: VerdictWindow
        /// The newest verdict; nil before the first.
        public let last: Verdict?
        /// How long the newest probe took.
        public let latency: Duration?
        /// How long the target has been what it is.
        public let unchangedFor: Duration
        public let good: UInt64
        public let bad: UInt64
    }

    private struct Watch {
        var window = VerdictWindow()
        var live = LivePlaylist()
        var last: Verdict?
        var latency: Duration?
        var changed: ContinuousClock.Instant
        var good: UInt64 = 0
        var bad: UInt64 = 0
        let task: Task<Void, Never>
    }

    private let client: ProbeClient
    private let changes: @Sendable (Snapshot, Change) async -> Void
    /// Counts the snapshots.
    private var snapshots: UInt64 = 0
    private let clock = ContinuousClock()
    private let start = ContinuousClock().now
    private var watches: [ProbeTarget: Watch] = [:]

    /// Which targets are down, with a number that tells which of two snapshots is the newer.
    public struct Snapshot: Sendable {
        public let number: UInt64
        public let health: Health
    }

    /// One target that went down or came back.
    public struct Change: Sendable {
        public let subject: ProbeTarget.Subject
        public let isUp: Bool
        public let reason: String
    }

    /// - Parameters:
    ///   - allowsLinkLocal: lets probes ask link-local and metadata addresses.
    ///   - changes: told when a target goes down or comes back, one change after the other.
    public init(allowsLinkLocal: Bool, changes: @escaping @Sendable (Snapshot, Change) async -> Void) {
        client = ProbeClient(resolver: Resolver(allowsLinkLocal: allowsLinkLocal))
        self.changes = changes
    }

    /// Probes these targets from now on. What is known of a target that stays as it is, is kept.
    ///
    /// - Returns: which are down, as far as is known.
    @discardableResult
    public func watch(_ targets: [ProbeTarget]) -> Snapshot {
        let wanted = Set(targets)
        for (target, watch) in watches where !wanted.contains(target) {
            watch.task.cancel()
            watches[target] = nil
        }
        for target in targets where watches[target] == nil {
            watches[target] = Watch(changed: clock.now, task: Task { [weak self] in await Prober.rounds(of: target) { self } })
        }
        return snapshot()
    }

    private func snapshot() -> Snapshot {
        snapshots += 1
        return Snapshot(number: snapshots, health: health)
    }

    /// Stops all probes.
    public func stop() async {
        watch([])
        try? await client.resolver.shutdown()
    }

    public var health: Health {
        var health = Health()
        for (target, watch) in watches where !watch.window.isUp {
            switch target.subject {
            case .cdn(let name): health.downCDNs.insert(name)
            case .server(let label): health.downServers.insert(label)
            }
        }
        return health
    }

    /// All targets, by name.
    public var reports: [Report] {
        watches.map { target, watch in
            Report(
                subject: target.subject, window: watch.window, last: watch.last, latency: watch.latency,
                unchangedFor: clock.now - watch.changed, good: watch.good, bad: watch.bad)
        }.sorted { $0.subject < $1.subject }
    }

    /// Rounds begin an interval apart, less up to a tenth, so that the probes of many nodes and targets do not fall together; a verdict is
    /// thus never later than the interval promises.
    private static func rounds(of target: ProbeTarget, _ prober: () -> Prober?) async {
        let interval = Duration.seconds(target.probe.interval)
        let clock = ContinuousClock()
        try? await Task.sleep(for: min(interval, .seconds(1)) * Double.random(in: 0...1))
        while !Task.isCancelled {
            let began = clock.now
            guard await prober()?.round(target) == true else { return }
            let next = began + interval * Double.random(in: 0.9...1)
            guard (try? await Task.sleep(until: next, clock: clock)) != nil else { return }
        }
    }

    /// - Returns: false when the target is no longer watched.
    private func round(_ target: ProbeTarget) async -> Bool {
        let began = clock.now
        let answer = await client.ask(target)
        let now = clock.now
        guard !Task.isCancelled, watches[target] != nil else { return false }
        let verdict = judge(answer, target, at: now - start)
        watches[target]?.last = verdict
        watches[target]?.latency = now - began
        if verdict.isGood { watches[target]?.good += 1 } else { watches[target]?.bad += 1 }
        let probe = target.probe
        if watches[target]?.window.record(verdict.isGood, rise: probe.rise, fall: probe.fall) == true {
            watches[target]?.changed = now
            await changes(snapshot(), Change(subject: target.subject, isUp: verdict.isGood, reason: verdict.reason))
        }
        return true
    }

    private func judge(_ answer: ProbeClient.Answer, _ target: ProbeTarget, at now: Duration) -> Verdict {
        switch answer {
        case .verdict(let verdict): return verdict
        case .body(let status, let text):
            guard case .http(let http) = target.probe.check, let kind = http.playlist else { return .good("\(status)") }
            guard let playlist = Playlist(text) else { return .bad("\(status), but no playlist: it does not begin with #EXTM3U") }
            if kind == .live, let fault = watches[target]?.live.verdict(on: playlist, at: now) { return fault }
            return .good("\(status), playlist")
        }
    }
}
