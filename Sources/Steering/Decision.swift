/// Where one request is sent, and why. A fresh value; it holds no reference into the table.
public struct Decision: Sendable, Equatable {
    public let target: Target
    /// The number this redirect took, from 1, in its scope.
    public let number: UInt64
    public let reason: Reason

    public enum Target: Sendable, Equatable {
        case origin
        /// Index in the catalog's CDNs.
        case cdn(Int)
    }

    public enum Reason: UInt8, Sendable, CaseIterable {
        /// The number is a multiple of N.
        case everyNth
        /// The CDN has this slot of the ring.
        case weighted
        /// It is this CDN's turn.
        case rotated
        /// The next choice after the CDN that the request asked to leave out.
        case avoided
        /// No CDN takes traffic or is left.
        case noCDN

        public var name: String {
            switch self {
            case .everyNth: "every-nth"
            case .weighted: "weighted"
            case .rotated: "rotated"
            case .avoided: "avoided"
            case .noCDN: "no-cdn"
            }
        }
    }
}

extension RoutingTable {
    /// Decides one request. The same table, request and sequence numbers give the same answer.
    ///
    /// - Parameters:
    ///   - avoided: index of a CDN that must not be chosen.
    ///   - sequences: the set made for this table.
    /// - Throws: `noTarget` when no CDN is left and the origin is not allowed; no number is taken then.
    public func decide(server: Int, avoiding avoided: Int?, sequences: SequenceSet) throws(Refusal) -> Decision {
        let reachable = hasCDN(besides: avoided)
        if !reachable, every == 0 { throw .noTarget }
        let sequence = sequences.sequences[countsByServer ? server : 0]
        let number = sequence.takeRedirect()
        if every != 0, number % every == 0 { return Decision(target: .origin, number: number, reason: .everyNth) }
        if !reachable { return Decision(target: .origin, number: number, reason: .noCDN) }
        let (cdn, reason) = chosenCDN(sequence.takeCDNBound(), avoiding: avoided)
        return Decision(target: .cdn(cdn), number: number, reason: reason)
    }

    /// The CDN named in an `avoid` parameter; nil when no CDN has that name: a player may remember one that is gone.
    public func cdn(named range: Range<Int>, of text: borrowing Span<UInt8>) -> Int? {
        cdnNames.position(of: text, range)
    }

    private func hasCDN(besides avoided: Int?) -> Bool {
        switch choice {
        case .none: false
        case .ring(let slots), .rotation(let slots, _): avoided == nil || slots.contains { $0 != avoided }
        }
    }

    private func chosenCDN(_ number: UInt64, avoiding avoided: Int?) -> (Int, Decision.Reason) {
        switch choice {
        case .none: preconditionFailure("decide asks only when a CDN is reachable")
        case .ring(let slots): pick(slots, Int(number % UInt64(slots.count)), avoiding: avoided, otherwise: .weighted)
        case .rotation(let slots, let every):
            pick(slots, Int(number / every % UInt64(slots.count)), avoiding: avoided, otherwise: .rotated)
        }
    }

    private func pick(_ slots: [Int], _ slot: Int, avoiding avoided: Int?, otherwise reason: Decision.Reason) -> (Int, Decision.Reason) {
        guard slots[slot] == avoided else { return (slots[slot], reason) }
        var next = slot
        while slots[next] == avoided { next = next + 1 == slots.count ? 0 : next + 1 }
        return (slots[next], .avoided)
    }
}
