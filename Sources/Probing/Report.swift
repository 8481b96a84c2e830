import NIOCore
public import Steering

extension Prober {
    /// One target as `status` and metrics show it.
    public struct Report: Sendable {
        public let subject: ProbeTarget.Subject
        public let window: VerdictWindow
        /// The newest verdict, which may be an unknown one; nil before the first.
        public let last: Verdict?
        /// What each address of the name answered in the newest probe.
        public let addresses: [Address]
        /// How long the newest probe took, at the quickest address that works.
        public let latency: Duration?
        /// The certificate that was shown last; of several addresses the one that ends first. Nil without TLS.
        public let certificate: ProbeCertificate?
        /// How long the target has been what it is.
        public let unchangedFor: Duration
        public let good: UInt64
        public let bad: UInt64
        /// Probes that failed for a reason of this machine's own.
        public let unknown: UInt64

        /// Whether a probe has said something, here or before a restart or an edit.
        public var isKnown: Bool { window.count > 0 || !window.isUp }

        public struct Address: Sendable, Equatable {
            public let address: ClientAddress
            public let verdict: Verdict
        }

        init(_ subject: ProbeTarget.Subject, _ watch: Watch, at now: NIODeadline) {
            self.subject = subject
            window = watch.window
            last = watch.last
            addresses = watch.addresses
            latency = watch.latency.map { Duration($0) }
            certificate = watch.certificate
            unchangedFor = Duration(now - watch.changed)
            (good, bad, unknown) = (watch.good, watch.bad, watch.unknown)
        }
    }
}

/// A target that was down, for the next process: it counts as down there until its probes have spoken.
public struct Remembered: Sendable, Equatable {
    public let subject: ProbeTarget.Subject
    public let reason: String
    /// Whether its probe had been good before.
    public let hasBeenGood: Bool
    /// Since a probe last found it down.
    public let age: Duration

    /// Older knowledge is not believed.
    public static let maximumAge = Duration.seconds(3600)

    /// What is down before the first probe of these targets.
    public static func health(_ all: [Remembered], of targets: [ProbeTarget]) -> Health {
        var health = Health()
        for known in all where known.isRecent && targets.contains(where: { $0.subject == known.subject }) {
            health.add(known.subject, hasBeenGood: known.hasBeenGood)
        }
        return health
    }

    var isRecent: Bool { age <= Remembered.maximumAge }

    /// - Parameter age: by wall clocks, which may be set back: less than nothing counts as nothing.
    public init(_ subject: ProbeTarget.Subject, reason: String, hasBeenGood: Bool, age: Duration) {
        self.subject = subject
        self.reason = reason
        self.hasBeenGood = hasBeenGood
        self.age = max(.zero, age)
    }

    init?(_ target: ProbeTarget, _ watch: Watch, at now: NIODeadline) {
        if watch.window.isUp { return nil }
        self.init(
            target.subject, reason: watch.last?.reason ?? "", hasBeenGood: watch.hasBeenGood, age: Duration(now - watch.judged))
    }
}

extension Health {
    mutating func add(_ down: ProbeTarget.Subject, hasBeenGood: Bool) {
        switch down {
        case .cdn(let name):
            downCDNs.insert(name)
            if !hasBeenGood { unprovenCDNs.insert(name) }
        case .server(let label): downServers.insert(label)
        }
    }
}
