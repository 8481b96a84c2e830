/// How one kind of request is shared out: a rule's own way, or what holds without a rule.
///
/// A class, so that a request is lent it: of a struct it would copy, with a reference to each array in it.
final class Policy: Sendable {
    let denies: Bool
    /// N.
    let every: UInt64
    let status: Int
    /// The first of its sequences; one for each server follows when `countsByServer`.
    let sequence: Int
    let countsByServer: Bool
    let choice: Choice
    /// Health is ignored: too little of the weight works.
    let isPanicking: Bool
    /// CDNs of this policy that health leaves out.
    let excluded: [Int]
    /// CDNs that may be chosen now, once each.
    let candidates: [Int]

    init(_ pool: Pool, every: Int, status: Int, sequence: Int, countsByServer: Bool) {
        denies = false
        self.every = UInt64(every)
        self.status = status
        self.sequence = sequence
        self.countsByServer = countsByServer
        choice = pool.choice
        isPanicking = pool.isPanicking
        excluded = pool.excluded
        candidates = pool.candidates
    }

    private init(_ other: Policy, _ pool: Pool) {
        (denies, every, status, sequence) = (other.denies, other.every, other.status, other.sequence)
        countsByServer = other.countsByServer
        (choice, isPanicking, excluded, candidates) = (pool.choice, pool.isPanicking, pool.excluded, pool.candidates)
    }

    /// The same policy over what health leaves of its CDNs.
    func choosing(from pool: Pool) -> Policy { Policy(self, pool) }

    static func denying() -> Policy { Policy() }

    private init() {
        denies = true
        (every, status, sequence, countsByServer) = (0, 403, 0, false)
        (choice, isPanicking, excluded, candidates) = (.none, false, [], [])
    }
}

extension Policy {
    /// What CDNs a policy may choose from, by a strategy.
    struct Pool: Sendable {
        let choice: Choice
        let isPanicking: Bool
        let excluded: [Int]
        let candidates: [Int]

        /// - Parameters:
        ///   - shares: the policy's CDNs and their weights, in the order of the catalog.
        ///   - isDown: by CDN.
        init(_ catalog: Catalog, _ selection: Catalog.Selection, _ shares: [(cdn: Int, weight: Int)], isDown: [Bool]) {
            let taking = shares.filter { catalog.cdns[$0.cdn].enabled && $0.weight > 0 }
            let working = taking.filter { !isDown[$0.cdn] }
            // Weights play no part in a rotation.
            var countsWeights = true
            if case .rotate = selection { countsWeights = false }
            let sum = { (shares: [(cdn: Int, weight: Int)]) in
                shares.reduce(0) { $0 + (countsWeights ? Double($1.weight) : 1) }
            }
            isPanicking = working.count < taking.count && sum(working) < catalog.failover.panicThreshold * sum(taking)
            let chosen = isPanicking ? taking : working
            excluded = isPanicking ? [] : taking.map(\.cdn).filter { isDown[$0] }
            candidates = chosen.map(\.cdn)
            choice = Choice(selection, chosen.map { (cdn: $0.cdn, name: catalog.cdns[$0.cdn].name, weight: $0.weight) })
        }
    }
}
