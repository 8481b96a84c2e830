/// Which CDN a player has left by itself, as far as a request can tell without anything being kept of the session.
extension RoutingTable {
    /// The CDN that a steered player has left: the one that it asks to avoid, or the one that it was told to use when it uses another.
    ///
    /// What it was told is not kept, but it is known where the same question had the same answer before: the table has been live for
    /// longer than any TTL, nothing in the answer depends on the second, and the session asks at its moment, so that it has asked before.
    /// A player that has just begun uses what its manifest says, and asks at any second.
    ///
    /// - Parameters:
    ///   - list: what it is told now.
    ///   - since: the second from which on this table has been live.
    public func left(by asker: Asker, _ list: SteeringList, since: Int) -> Int? {
        if let avoided = asker.avoided { return avoided }
        guard case .cdn(let cdn) = list[0], let playing = asker.playing, playing != list[0] else { return nil }
        guard list.isAwaited, list.usable > 0, !changesByTheSecond(cdn) else { return nil }
        return 2 * (asker.second - since) > 3 * sessionPolicies[list.policy].asking.ttl ? cdn : nil
    }

    /// Why a player is sent elsewhere than where it says it is; nil when it is not, or does not say.
    public func move(of asker: Asker, to list: SteeringList) -> SteeringMove? {
        guard let playing = asker.playing, playing != list[0] else { return nil }
        guard case .cdn(let cdn) = playing else { return .place }
        if cdn == asker.avoided { return .avoided }
        let policy = sessionPolicies[list.policy]
        if (!policy.excluded.isEmpty && policy.excluded[cdn]) || (!policy.failing.isEmpty && policy.failing[cdn]) { return .down }
        return policy.candidates.contains(cdn) ? .place : .drained
    }

    /// Whether a session may be told another CDN in the next second, by the same table.
    private func changesByTheSecond(_ cdn: Int) -> Bool {
        if originLimit != nil, policies.contains(where: { !$0.failing.isEmpty }) { return true }
        return compiled.hasHours || (!caps.isEmpty && caps[cdn] != .max)
    }
}
