import NIOCore
import Steering

/// What a prober knows of one target.
struct Watch {
    var window = VerdictWindow()
    /// By address: the servers of a name need not be equally far in a live stream.
    var live: [ClientAddress: LivePlaylist] = [:]
    /// The address that was judged last: one that is new goes on from what it had.
    var newest: ClientAddress?
    var last: Verdict?
    var addresses: [Prober.Report.Address] = []
    var latency: TimeAmount?
    /// Of what the addresses have shown in the newest probe that was shown any, the one that ends first.
    var certificate: ProbeCertificate?
    var changed = NIODeadline.now()
    /// When a probe last said something of the target.
    var judged = NIODeadline.now()
    var good: UInt64 = 0
    var bad: UInt64 = 0
    var unknown: UInt64 = 0
    /// Whether this probe has ever been good: one that never was is more likely wrong itself.
    var hasBeenGood = false
    /// Until when a side taken over from an earlier watch holds without a verdict of its own; set when the first probe could not be made.
    var inheritedUntil: NIODeadline?
    /// The round that is awaited; an answer to another is dropped.
    var round: UInt64 = 0
    /// The next round; nil while one is under way.
    var next: Scheduled<Void>?
    /// What the newest round has left open.
    var connections: [any Channel] = []
    /// Whether the round that is awaited was brought forward, since such a connection was closed.
    var isHastened = false
    /// For so many rounds a closed connection says nothing: the target has closed one and was well.
    var deafRounds = 0

    mutating func inherit(_ old: Watch, isSameProbe: Bool) {
        window = VerdictWindow(isUp: old.window.isUp)
        last = old.last
        certificate = old.certificate
        changed = old.changed
        judged = old.judged
        hasBeenGood = old.hasBeenGood && isSameProbe
    }

    mutating func inherit(_ known: Remembered) {
        window = VerdictWindow(isUp: false)
        last = .bad(known.reason)
        hasBeenGood = known.hasBeenGood
        changed = .now() - TimeAmount(known.age)
        judged = changed
    }

    /// - Returns: whether the target has changed sides.
    mutating func record(_ verdict: Verdict, _ probe: Probe, at now: NIODeadline) -> Bool {
        last = verdict
        let hasChanged: Bool
        switch verdict.outcome {
        case .good, .bad:
            verdict.isGood ? (good += 1) : (bad += 1)
            if verdict.isGood { hasBeenGood = true }
            judged = now
            hasChanged = window.record(verdict.isGood, rise: probe.rise, fall: probe.fall)
        case .unknown:
            unknown += 1
            hasChanged = forgetInherited(probe, at: now)
        }
        if hasChanged { changed = now }
        return hasChanged
    }

    /// A side that no probe of its own bears out holds for `fall` × `interval`, not for ever.
    private mutating func forgetInherited(_ probe: Probe, at now: NIODeadline) -> Bool {
        guard window.count == 0, !window.isUp else { return false }
        let end = inheritedUntil ?? now + probe.intervalAmount.times(Double(probe.fall))
        inheritedUntil = end
        if now < end { return false }
        window = VerdictWindow()
        return true
    }
}

// MARK: - Connections that are closed

extension Watch {
    /// Who closes connections from habit, or was only reloaded, is asked once more in so many rounds.
    private static let deafness = 8

    /// - Returns: whether a connection that was closed brings the next round forward.
    mutating func hasten() -> Bool {
        guard next != nil, window.isUp, !isHastened, deafRounds == 0 else { return false }
        isHastened = true
        return true
    }

    /// How long after the beginning of a round the next one begins, in intervals. A target that has closed a connection and fails is asked
    /// again soon, until it is down.
    mutating func pause(after verdict: Verdict) -> ClosedRange<Double> {
        deafRounds = max(0, deafRounds - 1)
        if isHastened, verdict.outcome == .bad, window.isUp { return 0.2...0.25 }
        if isHastened, verdict.isGood { deafRounds = Watch.deafness }
        isHastened = false
        return 0.9...1
    }
}

// MARK: - Judging

extension Watch {
    /// One verdict of what all addresses answered: players try one after the other (RFC 8305), so it is good when one is.
    mutating func judge(
        _ result: Result<[ProbeClient.Found], any Error>, _ target: ProbeTarget, at now: NIODeadline, since began: NIODeadline
    ) -> Verdict {
        switch result {
        case .failure(let error):
            latency = now - began
            addresses = []
            return (error as? Resolver.Failure)?.verdict ?? .bad("\(error)")
        case .success(let found):
            addresses = found.map { .init(address: $0.address, verdict: judge($0, target, at: now)) }
            forgetStreams(besides: found.map(\.address))
            certificate = found.compactMap(\.certificate).min { $0.validUntil < $1.validUntil } ?? certificate
            let good = zip(found, addresses).filter { $0.1.verdict.isGood }
            // What a player waits for is the quickest that works.
            latency = good.map(\.0.took).min() ?? now - began
            return Watch.verdict(of: addresses)
        }
    }

    private mutating func judge(_ found: ProbeClient.Found, _ target: ProbeTarget, at now: NIODeadline) -> Verdict {
        switch found.answer {
        case .verdict(let verdict): return verdict
        case .playlist(let status, let playlist):
            guard let playlist else { return .bad("\(status), but no playlist: it does not begin with #EXTM3U") }
            guard case .http(let http) = target.probe.check, http.playlist == .live else { return .good("\(status), playlist") }
            var stream = live[found.address] ?? newest.flatMap { live[$0] } ?? LivePlaylist()
            let fault = stream.verdict(on: playlist, at: .nanoseconds(Int64(clamping: now.uptimeNanoseconds)))
            live[found.address] = stream
            newest = found.address
            return fault ?? .good("\(status), playlist")
        }
    }

    /// A name may have other addresses each time; those of the last round are enough to go on from.
    private mutating func forgetStreams(besides addresses: [ClientAddress]) {
        if live.count > 4 * Resolver.addressLimit { live = live.filter { addresses.contains($0.key) } }
    }

    private static func verdict(of addresses: [Prober.Report.Address]) -> Verdict {
        if let good = addresses.first(where: { $0.verdict.isGood }) { return good.verdict }
        let bad = addresses.filter { $0.verdict.outcome == .bad }
        guard let first = bad.first ?? addresses.first else { return .bad("the name has no address to ask") }
        let all = bad.isEmpty ? addresses : bad
        if all.allSatisfy({ $0.verdict == first.verdict }) { return first.verdict }
        let reasons = all.prefix(4).map { "\($0.address): \($0.verdict.reason)" }.joined(separator: "; ")
        return Verdict(outcome: first.verdict.outcome, reason: all.count > 4 ? reasons + "; …" : reasons)
    }
}
