import NIOCore
import NIOPosix
public import Steering

/// Probes targets round by round and says which are down. Verdicts flow one way: whoever listens learns of a change and nothing else.
///
/// It runs on a thread of its own, from the timer of a round to the verdict: neither long computations nor calls that hang elsewhere in the
/// process hold a verdict up.
public actor Prober {
    /// Lives as long as the process, so that a prober may be asked even after it has stopped.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// Most connections that are left open between rounds, so that they leave descriptors to others.
    private static let connectionLimit = 32

    private let eventLoop: any EventLoop
    private let client: ProbeClient
    private let changes: nonisolated(nonsending) @Sendable (Snapshot, Change) async -> Void
    /// Counts the snapshots.
    private var snapshots: UInt64 = 0
    private var watches: [ProbeTarget: Watch] = [:]
    private var remembered: [ProbeTarget.Subject: Remembered]
    private var rounds: UInt64 = 0
    /// Changes that the listener has not been told of.
    private var untold: [(Snapshot, Change)] = []
    private var isTelling = false

    /// The prober's own thread; unowned, since its loop lives as long as the process.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe eventLoop.executor.asUnownedSerialExecutor() }

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
    ///   - remembered: what an earlier process knew; it counts until a target's own probes have spoken.
    ///   - changes: told when a target goes down or comes back, one change after the other, on the prober's thread. While it takes its
    ///     time the probes go on.
    public init(
        allowsLinkLocal: Bool, remembering remembered: [Remembered] = [],
        changes: nonisolated(nonsending) @escaping @Sendable (Snapshot, Change) async -> Void
    ) {
        let eventLoop = Prober.group.next()
        self.init(
            client: ProbeClient(resolver: Resolver(allowsLinkLocal: allowsLinkLocal, on: eventLoop), on: eventLoop),
            remembering: remembered, changes: changes)
    }

    init(
        client: ProbeClient, remembering remembered: [Remembered] = [],
        changes: nonisolated(nonsending) @escaping @Sendable (Snapshot, Change) async -> Void
    ) {
        eventLoop = client.eventLoop
        self.client = client
        self.remembered = Dictionary(remembered.filter(\.isRecent).map { ($0.subject, $0) }) { $1 }
        self.changes = changes
    }

    /// Probes these targets from now on. What is known of a target that stays as it is, is kept; one that is renamed, or that has another
    /// probe, stays on the side where it was until its own probes have spoken.
    ///
    /// - Returns: which are down, as far as is known.
    @discardableResult
    public func watch(_ targets: [ProbeTarget]) -> Snapshot {
        let wanted = Set(targets)
        let gone = watches.filter { !wanted.contains($0.key) }
        for (target, watch) in gone {
            watch.next?.cancel()
            watches[target] = nil
            Prober.close(watch.connections)
        }
        for target in wanted where watches[target] == nil {
            watches[target] = begin(target, after: gone.first { target.follows($0.key) })
        }
        remembered = [:]
        return snapshot()
    }

    private func snapshot() -> Snapshot {
        snapshots += 1
        return Snapshot(number: snapshots, health: health)
    }

    private func begin(_ target: ProbeTarget, after old: (key: ProbeTarget, value: Watch)?) -> Watch {
        var watch = Watch()
        if let old {
            watch.inherit(old.value, isSameProbe: old.key.probe == target.probe)
        } else if let known = remembered[target.subject] {
            watch.inherit(known)
        }
        let interval = target.probe.intervalAmount
        watch.round = schedule(target, &watch, at: .now() + min(interval, .seconds(1)).times(.random(in: 0...1)))
        return watch
    }

    private func schedule(_ target: ProbeTarget, _ watch: inout Watch, at time: NIODeadline) -> UInt64 {
        rounds += 1
        let round = rounds
        watch.next = eventLoop.scheduleTask(deadline: time) { [weak self] in self?.assumeIsolated { $0.ask(target, round) } }
        return round
    }

    /// Stops all probes. What they found is remembered.
    public func stop() {
        let known = memories
        watch([])
        remembered = Dictionary(known.map { ($0.subject, $0) }) { $1 }
    }

    public var health: Health {
        var health = Health()
        for (target, watch) in watches where !watch.window.isUp {
            health.add(target.subject, hasBeenGood: watch.hasBeenGood)
        }
        return health
    }

    /// All targets, by name.
    public var reports: [Report] {
        watches.map { Report($0.key.subject, $0.value, at: .now()) }.sorted { $0.subject < $1.subject }
    }

    /// What a later process should know: the targets that are down, also after the end.
    public var memories: [Remembered] {
        (watches.compactMap { Remembered($0.key, $0.value, at: .now()) } + remembered.values).sorted { $0.subject < $1.subject }
    }

    private func ask(_ target: ProbeTarget, _ round: UInt64) {
        let began = NIODeadline.now()
        guard watches[target]?.round == round else { return }
        watches[target]?.next = nil
        client.ask(target).whenComplete { [weak self] result in
            self?.assumeIsolated { $0.heard(result, target, round, since: began) }
        }
    }

    /// Rounds begin an interval apart, less up to a tenth, so that the probes of many nodes and targets do not fall together; a verdict is
    /// thus never later than the interval promises. What a round leaves open stays so until the next: a server that is killed closes it.
    private func heard(_ result: Result<[ProbeClient.Found], any Error>, _ target: ProbeTarget, _ round: UInt64, since began: NIODeadline) {
        // A target that has gone, or was begun anew, has no use for the answer.
        let connections = (try? result.get())?.compactMap(\.connection) ?? []
        guard var watch = watches[target], watch.round == round else { return Prober.close(connections) }
        let now = NIODeadline.now()
        let verdict = watch.judge(result, target, at: now, since: began)
        let hasChanged = watch.record(verdict, target.probe, at: now)
        let pause = Double.random(in: watch.pause(after: verdict))
        watch.round = schedule(target, &watch, at: began + target.probe.intervalAmount.times(pause))
        hold(connections, &watch, target)
        if hasChanged { tell(Change(subject: target.subject, isUp: watch.window.isUp, reason: verdict.reason)) }
    }

    private func hold(_ connections: [any Channel], _ watch: inout Watch, _ target: ProbeTarget) {
        let old = watch.connections
        let others = watches.values.reduce(0) { $0 + $1.connections.count } - old.count
        watch.connections = others + connections.count <= Prober.connectionLimit ? connections : []
        watches[target] = watch
        Prober.close(watch.connections.isEmpty ? old + connections : old)
        let round = watch.round
        for connection in watch.connections {
            connection.closeFuture.whenComplete { [weak self] _ in self?.assumeIsolated { $0.closed(target, round) } }
        }
    }

    private func closed(_ target: ProbeTarget, _ round: UInt64) {
        guard var watch = watches[target], watch.round == round, watch.hasten() else { return }
        watch.next?.cancel()
        watch.round = schedule(target, &watch, at: .now())
        watches[target] = watch
    }

    private static func close(_ connections: [any Channel]) {
        for connection in connections { connection.close(promise: nil) }
    }

    private func tell(_ change: Change) {
        untold.append((snapshot(), change))
        if isTelling { return }
        isTelling = true
        Task {
            while let (snapshot, change) = untold.first {
                untold.removeFirst()
                await changes(snapshot, change)
            }
            isTelling = false
        }
    }
}

extension Probe {
    var intervalAmount: TimeAmount { .seconds(Int64(interval)) }
}

extension TimeAmount {
    /// - Parameter part: of this time, at least 0.
    func times(_ part: Double) -> TimeAmount { .nanoseconds(Int64(Double(nanoseconds) * part)) }
}

extension ProbeTarget {
    /// Whether what was known of another target holds for this one: of the same name at the same place, or the same under another name.
    fileprivate func follows(_ other: ProbeTarget) -> Bool {
        guard scheme == other.scheme, authority == other.authority else { return false }
        return subject == other.subject || (subject.kind == other.subject.kind && prefix == other.prefix && probe == other.probe)
    }
}
