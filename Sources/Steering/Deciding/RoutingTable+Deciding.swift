/// Ranking and deciding. A request's targets have an order, which its place gives; the decision is the first of them that may be used. A
/// redirect looks no further than that, and whoever names more targets (`Link`, JSON, `explain`) goes on where it stopped.
extension RoutingTable {
    /// Decides one request, taking the next numbers of its scope and its part of the caps. The same table, request and state give the same
    /// answer.
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
        try decide(video, of: source, asker, head: head, given: nil, sequences)
    }

    /// Decides for a place that was taken before, as for a session that goes on: what the same place would get now. Takes nothing, since
    /// the place was counted when it was taken.
    ///
    /// - Parameter place: its number counts in the scope of the request's rule.
    /// - Throws: as when a place is taken.
    public func decide(
        _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, head: borrowing Span<UInt8>,
        at place: Decision.Place, sequences: SequenceSet
    ) throws(Refusal) -> Decision {
        try decide(video, of: source, asker, head: head, given: place, sequences)
    }

    // Inlined, like what it calls, so that a redirect does not ask whether its place was given.
    @inline(__always)
    private func decide(
        _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, head: borrowing Span<UInt8>, given: Decision.Place?,
        _ sequences: SequenceSet
    ) throws(Refusal) -> Decision {
        let index = policyIndex(video, source, asker, head)
        return try policies.lending(index) { policy throws(Refusal) in
            if policy.denies { throw .denied }
            let scope = policy.sequence + (policy.countsByServer ? video.server : 0)
            return try sequences.sequences.lending(scope) { sequence throws(Refusal) in
                try decide(video, of: source, asker, head: head, at: given, by: policy, index, sequence, sequences)
            }
        }
    }

    @inline(__always)
    func decide(
        _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, head: borrowing Span<UInt8>, at given: Decision.Place?,
        by policy: Policy, _ index: Int, _ sequence: ScopeSequence, _ sequences: SequenceSet, order: Choice.Order? = nil
    ) throws(Refusal) -> Decision {
        let isReachable = policy.choice.hasCDN(besides: asker.avoided) && hasRoom(policy, asker, sequences)
        let originWorks = serverIsUp[video.server] || (!isReachable && originIsLastResort)
        // A number that is N's anyway is not for want of a CDN, but that is known only once it is taken.
        if !isReachable, policy.every == 0 || !originWorks || !originHasRoom(asker, sequences) { throw .noTarget }
        let number = given?.number ?? sequence.takeRedirect()
        let isNth = policy.every != 0 && number % policy.every == 0
        func decided(_ target: Decision.Target, _ reason: Decision.Reason, key: UInt64) -> Decision {
            Decision(
                target: target, place: Decision.Place(number: number, key: key), reason: reason, status: policy.status, policy: index)
        }
        if isNth, originWorks {
            return decided(.origin, .everyNth, key: key(policy, video, source, asker, head) { given?.key ?? sequence.taken.cdnBound })
        }
        if isReachable {
            let key = key(policy, video, source, asker, head) { given?.key ?? sequence.takeCDNBound() }
            if let (target, reason) = first(policy, key, video.server, asker, sequences, takes: given == nil, order) {
                return decided(target, isNth && target != .origin ? .originDown : reason, key: key)
            }
            if policy.every == 0 || !originWorks { throw .noTarget }
        }
        if !originHasRoom(asker, sequences, takes: given == nil) { throw .noTarget }
        return decided(.origin, .noCDN, key: key(policy, video, source, asker, head) { given?.key ?? sequence.taken.cdnBound })
    }

    /// All targets that the request may go to now, in order of preference, the decided one first. Takes nothing.
    ///
    /// - Parameters:
    ///   - asker: as it was decided for.
    ///   - limit: how many at most.
    ///   - targets: is emptied and filled.
    public func rank(
        _ decision: Decision, _ video: VideoReference, _ asker: Asker, sequences: SequenceSet, limit: Int = .max,
        into targets: inout [Decision.Target]
    ) {
        rank(decision, by: policies[decision.policy], video, asker, sequences: sequences, limit: limit, into: &targets)
    }

    /// - Parameters:
    ///   - policy: by which it was decided.
    ///   - order: of the decision's key, if it is known.
    @inline(__always)
    func rank(
        _ decision: Decision, by policy: Policy, _ video: VideoReference, _ asker: Asker, sequences: SequenceSet, limit: Int,
        order: Choice.Order? = nil, into targets: inout [Decision.Target]
    ) {
        targets.removeAll(keepingCapacity: true)
        // It may have taken the last of its cap, and stays the first.
        targets.append(decision.target)
        // What it took of a limit itself is no reason to name others.
        let originTakes =
            originTakesFailing(policy, video.server) && (decision.reason == .noCDN || originHasRoom(asker, sequences))
        func isUsable(_ cdn: Int) -> Bool {
            cdn != asker.avoided && !(originTakes && policy.failing[cdn]) && hasRoom(cdn, asker, sequences)
        }
        // Once all of them are there, or as many as are asked for, the rest of a ring brings nothing new.
        var left = 0
        for cdn in policy.candidates {
            if left == limit { break }
            if isUsable(cdn), decision.target != .cdn(cdn) { left += 1 }
        }
        var order = order ?? policy.choice.order(from: decision.place.key)
        while left > 0, targets.count < limit {
            guard let cdn = order.next(of: policy.choice) else {
                if order.extend(of: policy.choice, where: isUsable) { continue }
                break
            }
            if targets.contains(.cdn(cdn)) || !isUsable(cdn) { continue }
            targets.append(.cdn(cdn))
            left -= 1
        }
        let originWorks = policy.every != 0 && serverIsUp[video.server] && originHasRoom(asker, sequences)
        if originWorks, targets.count < limit, decision.target != .origin { targets.append(.origin) }
    }

    /// Whether a rule refuses the request: nothing has to be made ready for it.
    public func denies(
        _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, head: borrowing Span<UInt8>
    ) -> Bool {
        policies[policyIndex(video, source, asker, head)].denies
    }

    /// The name of the rule by which a decision of this table was made; nil when none matched.
    public func rule(of decision: Decision) -> String? { rule(ofPolicy: decision.policy) }

    func rule(ofPolicy index: Int) -> String? {
        catalog.rules.indices.contains(index - 1) ? catalog.rules[index - 1].name : nil
    }

    /// The CDN named in an `avoid` parameter; nil when no CDN has that name: a player may remember one that is gone.
    public func cdn(named range: Range<Int>, of text: borrowing Span<UInt8>) -> Int? {
        cdnNames.position(of: text, range)
    }

    func policyIndex(
        _ video: VideoReference, _ source: borrowing Span<UInt8>, _ asker: Asker, _ head: borrowing Span<UInt8>
    ) -> Int {
        rules?.first(video, of: source, asker, head).map { $0 + 1 } ?? 0
    }

    /// The first that may be used of a place's CDNs, or the origin in the place of one that fails; nil when there is none.
    ///
    /// - Parameters:
    ///   - takes: whether it counts for the caps.
    ///   - order: of the key, if it is known.
    @inline(__always)
    private func first(
        _ policy: Policy, _ key: UInt64, _ server: Int, _ asker: Asker, _ sequences: SequenceSet, takes: Bool, _ order: Choice.Order?
    ) -> (Decision.Target, Decision.Reason)? {
        guard let (cdn, reason) = firstCDN(policy, key, asker, sequences, takes: takes, order) else { return nil }
        if originTakesFailing(policy, server), policy.failing[cdn], originHasRoom(asker, sequences, takes: takes) {
            return (.origin, .noCDN)
        }
        return (.cdn(cdn), reason)
    }

    @inline(__always)
    private func firstCDN(
        _ policy: Policy, _ key: UInt64, _ asker: Asker, _ sequences: SequenceSet, takes: Bool, _ order: Choice.Order?
    ) -> (Int, Decision.Reason)? {
        var known = order
        guard let first = order == nil ? policy.choice.first(from: key) : known?.next(of: policy.choice) else { return nil }
        if first != asker.avoided, hasRoom(first, asker, sequences, takes: takes) { return (first, policy.choice.reason) }
        return otherCDN(policy, asker, sequences, takes: takes, order ?? policy.choice.order(from: key))
    }

    /// The first that may be used where the very first may not.
    private func otherCDN(
        _ policy: Policy, _ asker: Asker, _ sequences: SequenceSet, takes: Bool, _ whole: Choice.Order
    ) -> (Int, Decision.Reason)? {
        var order = whole
        while let cdn = order.next(of: policy.choice, where: { $0 != asker.avoided && hasRoom($0, asker, sequences) }) {
            // Another worker may have taken the last at this very moment.
            guard hasRoom(cdn, asker, sequences, takes: takes) else { continue }
            var others = whole
            return (cdn, others.next(of: policy.choice, where: { $0 != asker.avoided }) == cdn ? .avoided : .overCap)
        }
        return nil
    }

    /// Whether a CDN that is not avoided has room.
    @inline(__always)
    private func hasRoom(_ policy: Policy, _ asker: Asker, _ sequences: SequenceSet) -> Bool {
        caps.isEmpty || hasRoomUnderCaps(policy, asker, sequences)
    }

    private func hasRoomUnderCaps(_ policy: Policy, _ asker: Asker, _ sequences: SequenceSet) -> Bool {
        policy.candidates.contains { $0 != asker.avoided && hasRoom($0, asker, sequences) }
    }

    /// - Parameter takes: whether it takes the room.
    func hasRoom(_ cdn: Int, _ asker: Asker, _ sequences: SequenceSet, takes: Bool = false) -> Bool {
        if caps.isEmpty || asker.playing == .cdn(cdn) { return true }
        let cap = sequences.caps[cdn]
        return takes ? cap.take(second: asker.second, limit: caps[cdn]) : cap.hasRoom(second: asker.second, limit: caps[cdn])
    }

    /// Whether the origin has room for what comes for want of a CDN.
    func originHasRoom(_ asker: Asker, _ sequences: SequenceSet, takes: Bool = false) -> Bool {
        guard let originLimit, asker.playing != .origin else { return true }
        let cap = sequences.originCap
        return takes ? cap.take(second: asker.second, limit: originLimit) : cap.hasRoom(second: asker.second, limit: originLimit)
    }

    /// Whether the origin takes what a CDN that does not work would get, as far as its limit goes.
    private func originTakesFailing(_ policy: Policy, _ server: Int) -> Bool { !policy.failing.isEmpty && serverIsUp[server] }
}
