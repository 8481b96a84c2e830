/// Steering: the ranking that a redirect would have, for a session that goes on. docs/steering.md has the rules.
extension RoutingTable {
    /// The pathways of a session. Takes neither a number nor anything of a cap: a session was counted when it began. The same table,
    /// session and second give the same list.
    ///
    /// - Parameters:
    ///   - source: what the video's offsets count in.
    ///   - head: what the asker's offsets count in.
    ///   - session: its number; nil: the viewer is the place.
    ///   - isHurried: whether the client asks too often; it is told to wait longer.
    ///   - ranking: room to work in, which is kept so that nothing is allocated.
    /// - Returns: nil where the policy of the request steers nobody.
    /// - Throws: `denied` by a rule; `noTarget` when there is nothing to name, not even something that does not work.
    public func steer(
        _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, head: borrowing Span<UInt8>, session: UInt64?,
        isHurried: Bool = false, sequences: SequenceSet, ranking: inout [Decision.Target]
    ) throws(Refusal) -> SteeringList? {
        guard steers else { return nil }
        let index = policyIndex(video, source, asker, head)
        let policy = sessionPolicies[index]
        if !policy.asking.steers { return nil }
        if policy.denies { throw .denied }
        let number = session ?? viewerPlace(policy, asker, head)
        let place = Decision.Place(number: number, key: key(policy, video, source, asker, head) { number })
        var list = SteeringList(policy: index)
        do throws(Refusal) {
            let sequence = sequences.sequences[policy.sequence + (policy.countsByServer ? video.server : 0)]
            let order = policy.choice.order(from: place.key)
            let decision = try decide(
                video, of: source, asker, head: head, at: place, by: policy, index, sequence, sequences, order: order)
            list.reason = decision.reason
            rank(
                decision, by: policy, video, asker, sequences: sequences, limit: SteeringList.maximum, order: order, into: &ranking)
            appendUsable(ranking, policy, video, asker, sequences, to: &list)
            list.usable = list.count
        } catch .noTarget {}
        if list.count < 2 { appendExcluded(policy, place.key, asker, to: &list) }
        if list.count == 0 { throw .noTarget }
        list.isUnhealthy = policy.hasFailures(near: place.key) || (policy.every != 0 && !serverIsUp[video.server])
        let moment = Moment(of: number, every: list.isUnhealthy ? policy.asking.ttlUnhealthy : policy.asking.ttl)
        list.ttl = moment.ttl(at: asker.second) + (isHurried ? policy.asking.ttl : 0)
        list.isAwaited = moment.isNow(asker.second)
        return list
    }

    /// Who asks, with what its query says.
    ///
    /// - Parameters:
    ///   - query: what `parameters` were read from.
    ///   - fields: the head's field lines.
    public func asker(
        _ parameters: SteeringQuery, in query: HeadRange, of bytes: borrowing Span<UInt8>, client: ClientAddress, second: Int,
        fields: HeadRange
    ) -> Asker {
        var (avoided, playing): (Int?, Decision.Target?)
        if let name = parameters.avoid { avoided = cdn(named: name, of: bytes) }
        if let name = parameters.pathway { playing = target(named: name, of: bytes) }
        return Asker(client: client, second: second, avoided: avoided, fields: fields, query: query, playing: playing)
    }

    /// The name of the rule by which a list of this table was made; nil when none matched.
    public func rule(of list: SteeringList) -> String? { rule(ofPolicy: list.policy) }

    /// The target of a pathway's name, letter case apart; nil when there is none.
    public func target(named range: Range<Int>, of text: borrowing Span<UInt8>) -> Decision.Target? {
        if let cdn = cdnNames.position(of: text, range) { return .cdn(cdn) }
        return text.matches(RoutingTable.originName, in: range) ? .origin : nil
    }

    private static let originName = Array("origin".utf8)

    /// Who has no session is at the place of its viewer; mixed, since N divides it.
    private func viewerPlace(_ policy: Policy, _ asker: Asker, _ head: borrowing Span<UInt8>) -> UInt64 {
        guard case .rendezvous(_, _, let viewer) = policy.choice else { return Rendezvous.mixed(viewerHash(.network, asker, head)) }
        return Rendezvous.mixed(viewerHash(viewer, asker, head))
    }

    /// The origin keeps a place, the last: it is what is left when all CDNs fail together.
    private func appendUsable(
        _ ranking: [Decision.Target], _ policy: Policy, _ video: VideoReference, _ asker: Asker, _ sequences: SequenceSet,
        to list: inout SteeringList
    ) {
        let isFull = ranking.count == SteeringList.maximum && ranking.last != .origin && ranking.first != .origin
        let originWorks = policy.every != 0 && serverIsUp[video.server] && originHasRoom(asker, sequences)
        for index in 0..<ranking.count - (isFull && originWorks ? 1 : 0) { list.append(ranking[index]) }
        if isFull, originWorks { list.append(.origin) }
    }

    /// What may not be used now, behind what may: hls.js fails over only with two pathways, and a DASH client that has none left must stop
    /// (ETSI TS 103 998 clause 7).
    private func appendExcluded(_ policy: Policy, _ key: UInt64, _ asker: Asker, to list: inout SteeringList) {
        var order = policy.sessions.wholeChoice.order(from: key)
        // The origin keeps a place here too.
        let maximum = policy.every != 0 && !list.contains(.origin) ? SteeringList.maximum - 1 : SteeringList.maximum
        while list.count < maximum, let cdn = order.next(of: policy.sessions.wholeChoice, where: { $0 != asker.avoided }) {
            list.append(.cdn(cdn))
        }
        if policy.every != 0 { list.append(.origin) }
    }

}

/// The second of each period at which a session asks: a hash of its number, so that sessions spread evenly however they began, and
/// again after all were told the same at once. A TTL leads there, at most a fifth longer or two fifteenths shorter, so that the third is
/// there for all. Rather longer than shorter: while many begin, they do not ask again as well.
struct Moment {
    let period: Int
    /// 0..<period.
    private let phase: Int

    /// - Parameter period: seconds, at least 5.
    init(of place: UInt64, every period: Int) {
        self.period = period
        // Mixed with a number of its own: the same hash chooses the CDN.
        phase = Int(Rendezvous.mixed(place ^ 0x6D6F_6D65_6E74) % UInt64(period))
    }

    /// Seconds since the session's moment, 0..<period.
    private func sincePhase(_ second: Int) -> Int { ((second - phase) % period + period) % period }

    func ttl(at second: Int) -> Int {
        let late = sincePhase(second)
        let ahead = (period - late) % period
        return period + (5 * ahead <= 3 * period ? min(ahead, (period + 4) / 5) : -min(late, (2 * period + 14) / 15))
    }

    /// Whether the second is one at which a session that goes by its TTLs asks, its timer being a little late.
    func isNow(_ second: Int) -> Bool { sincePhase(second) <= max(2, period / 20) }
}

extension Policy {
    /// Whether one of the targets that a place would have first does not work.
    fileprivate func hasFailures(near key: UInt64) -> Bool {
        if isPanicking { return true }
        if excluded.isEmpty { return false }
        var order = sessions.wholeChoice.order(from: key)
        for _ in 0..<SteeringList.maximum {
            guard let cdn = order.next(of: sessions.wholeChoice) else { return false }
            if excluded[cdn] { return true }
        }
        return false
    }
}
