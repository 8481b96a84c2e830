/// Where one request is sent, and why. A fresh value; it holds no reference into the table.
public struct Decision: Sendable, Equatable {
    public let target: Target
    /// The number this redirect took, from 1, in its scope.
    public let number: UInt64
    public let reason: Reason
    /// The redirect's status.
    public let status: Int
    /// Index of the policy: 0, or the rule's position and one.
    let policy: Int
    /// What CDNs were ranked by: the CDN-bound number, from 0, or a hash.
    let place: UInt64

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
        /// The key's CDN.
        case hashed
        /// The first that works.
        case ordered
        /// The next choice after the CDN that the request asked to leave out.
        case avoided
        /// The next choice after a CDN that has its number for this second.
        case overCap
        /// The number is a multiple of N, but the origin server does not work.
        case originDown
        /// No CDN takes traffic or is left, or the one that would take it does not work.
        case noCDN

        public var name: String {
            switch self {
            case .everyNth: "every-nth"
            case .weighted: "weighted"
            case .rotated: "rotated"
            case .hashed: "hashed"
            case .ordered: "ordered"
            case .avoided: "avoided"
            case .overCap: "over-cap"
            case .originDown: "origin-down"
            case .noCDN: "no-cdn"
            }
        }
    }
}

extension RoutingTable {
    /// The name of the rule by which a decision of this table was made; nil when none matched.
    public func rule(of decision: Decision) -> String? {
        catalog.rules.indices.contains(decision.policy - 1) ? catalog.rules[decision.policy - 1].name : nil
    }

    /// Decides one request. The same table, request and state give the same answer.
    ///
    /// - Parameters:
    ///   - source: what the video's offsets count in.
    ///   - head: what the asker's offsets count in.
    ///   - sequences: the set made for this table.
    /// - Throws: `denied` by a rule; `noTarget` when no CDN is left and the origin is not allowed. No number is taken then, unless another
    ///   worker took the last of a cap at this very moment.
    public func decide(
        _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, head: borrowing Span<UInt8>, sequences: SequenceSet
    ) throws(Refusal) -> Decision {
        let index = policyIndex(video, source, asker, head)
        return try policies.lending(index) { policy throws(Refusal) in
            if policy.denies { throw .denied }
            let scope = policy.sequence + (policy.countsByServer ? video.server : 0)
            return try sequences.sequences.lending(scope) { sequence throws(Refusal) in
                try decide(video, of: source, asker, head: head, by: policy, index, sequence, sequences)
            }
        }
    }

    private func decide(
        _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, head: borrowing Span<UInt8>, by policy: Policy,
        _ index: Int, _ sequence: Sequence, _ sequences: SequenceSet
    ) throws(Refusal) -> Decision {
        let isReachable = policy.choice.hasCDN(besides: asker.avoided) && hasRoom(policy, asker, sequences)
        let originWorks = serverIsUp[video.server] || (!isReachable && catalog.failover.panicThreshold > 0)
        if !isReachable {
            if policy.every == 0 || !originWorks { throw .noTarget }
            // A number that is N's anyway is not for want of a CDN, but that is known only once it is taken.
            if let originLimit, !sequences.originCap.hasRoom(second: asker.second, limit: originLimit) { throw .noTarget }
        }
        let number = sequence.takeRedirect()
        let isNth = policy.every != 0 && number % policy.every == 0
        func decided(_ target: Decision.Target, _ reason: Decision.Reason, place: UInt64) -> Decision {
            Decision(target: target, number: number, reason: reason, status: policy.status, policy: index, place: place)
        }
        if isNth, originWorks {
            return decided(.origin, .everyNth, place: place(policy, video, source, asker, head) { sequence.taken.cdnBound })
        }
        if isReachable {
            let place = place(policy, video, source, asker, head) { sequence.takeCDNBound() }
            if let (cdn, reason) = chosenCDN(policy, place, asker, sequences) {
                if failsOver(policy, cdn, video.server, asker, sequences) { return decided(.origin, .noCDN, place: place) }
                return decided(.cdn(cdn), isNth ? .originDown : reason, place: place)
            }
            if policy.every == 0 || !originWorks { throw .noTarget }
        }
        if let originLimit, !sequences.originCap.take(second: asker.second, limit: originLimit) { throw .noTarget }
        return decided(.origin, .noCDN, place: 0)
    }

    /// The CDN named in an `avoid` parameter; nil when no CDN has that name: a player may remember one that is gone.
    public func cdn(named range: Range<Int>, of text: borrowing Span<UInt8>) -> Int? {
        cdnNames.position(of: text, range)
    }

    /// All targets that the request may go to, in order of preference, the decided one first.
    ///
    /// - Parameter targets: is emptied and filled.
    public func rank(_ decision: Decision, avoiding avoided: Int?, into targets: inout [Decision.Target]) {
        targets.removeAll(keepingCapacity: true)
        targets.append(decision.target)
        let policy = policies[decision.policy]
        var order = policy.choice.order(from: decision.place)
        while targets.count <= policy.candidates.count, let cdn = order.next() {
            if cdn != avoided, !targets.contains(.cdn(cdn)) { targets.append(.cdn(cdn)) }
        }
        if policy.every != 0, decision.target != .origin { targets.append(.origin) }
    }

    func policyIndex(
        _ video: VideoReference, _ source: borrowing Span<UInt8>, _ asker: Asker, _ head: borrowing Span<UInt8>
    ) -> Int {
        rules?.first(video, of: source, asker, head).map { $0 + 1 } ?? 0
    }

    /// Whether the origin takes what a CDN that does not work would get.
    private func failsOver(_ policy: Policy, _ cdn: Int, _ server: Int, _ asker: Asker, _ sequences: SequenceSet) -> Bool {
        if policy.failing.isEmpty || !policy.failing[cdn] || !serverIsUp[server] { return false }
        guard let originLimit else { return true }
        return sequences.originCap.take(second: asker.second, limit: originLimit)
    }

    private func hasRoom(_ policy: Policy, _ asker: Asker, _ sequences: SequenceSet) -> Bool {
        if caps.isEmpty { return true }
        for cdn in policy.candidates where cdn != asker.avoided {
            if sequences.caps[cdn].hasRoom(second: asker.second, limit: caps[cdn]) { return true }
        }
        return false
    }

    private func chosenCDN(
        _ policy: Policy, _ place: UInt64, _ asker: Asker, _ sequences: SequenceSet
    ) -> (Int, Decision.Reason)? {
        var reason = policy.choice.reason
        if asker.avoided == nil, caps.isEmpty { return policy.choice.first(from: place).map { ($0, reason) } }
        var order = policy.choice.order(from: place)
        while let cdn = order.next() {
            if cdn == asker.avoided {
                if reason != .overCap { reason = .avoided }
            } else if caps.isEmpty || sequences.caps[cdn].take(second: asker.second, limit: caps[cdn]) {
                return (cdn, reason)
            } else {
                reason = .overCap
            }
        }
        return nil
    }

    private static let cookie = Array("cookie".utf8)

    /// What a policy's CDNs are ranked by.
    private func place(
        _ policy: Policy, _ video: VideoReference, _ source: borrowing Span<UInt8>, _ asker: Asker, _ head: borrowing Span<UInt8>,
        number: () -> UInt64
    ) -> UInt64 {
        guard case .rendezvous(_, let key, let viewer) = policy.choice else { return number() }
        switch key {
        case .film: return filmHash(video, source)
        case .viewer: return viewerHash(viewer, asker, head)
        case .both: return Rendezvous.mixed(filmHash(video, source)) ^ viewerHash(viewer, asker, head)
        }
    }

    /// Server and directory: all pieces of one film have the same.
    func filmHash(_ video: VideoReference, _ source: borrowing Span<UInt8>) -> UInt64 {
        var hash = serverHashes[video.server]
        var directory = hash
        for index in video.tail {
            let byte = source[index]
            if byte == UInt8(ascii: "?") { break }
            if byte == UInt8(ascii: "/") { directory = hash }
            hash = Rendezvous.hash(byte, hash)
        }
        return directory
    }

    private func viewerHash(_ viewer: Choice.ViewerName, _ asker: Asker, _ head: borrowing Span<UInt8>) -> UInt64 {
        var name: Range<Int>?
        switch viewer {
        case .network: break
        case .header(let field): name = FieldLines.value(of: field, in: asker.fields, of: head)
        case .query(let parameter): name = FieldLines.parameter(parameter, in: asker.query, of: head)
        case .cookie(let cookie):
            if let value = FieldLines.value(of: RoutingTable.cookie, in: asker.fields, of: head) {
                name = FieldLines.cookie(cookie, in: value, of: head)
            }
        }
        if let name, !name.isEmpty { return Rendezvous.hash(head, name, Rendezvous.start) }
        let network = asker.client.prefix(asker.client.isIPv4 ? 120 : 56)
        return Rendezvous.mixed(network.high) ^ network.low
    }
}
