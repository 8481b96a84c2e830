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
    /// Too little of the weight works: those that do would be crushed by the shares of the others, so all CDNs keep their shares.
    let isPanicking: Bool
    /// By CDN: whether the origin takes its share first, as far as its limit goes. Empty when there is none.
    let failing: [Bool]
    /// By CDN: whether this policy would choose it if health did not leave it out. Empty when there is none.
    let excluded: [Bool]
    /// CDNs that may be chosen now, once each.
    let candidates: [Int]
    let sessions: Sessions
    let asking: Asking

    /// Whether players of this policy are steered, and after how many seconds they ask again.
    struct Asking: Sendable {
        let steers: Bool
        let ttl: Int
        let ttlUnhealthy: Int

        init(_ steering: Catalog.ContentSteering) {
            (steers, ttl, ttlUnhealthy) = (steering.enabled, steering.ttl, steering.ttlUnhealthy)
        }
    }

    /// How sessions find their CDN; of nothing where no session is steered.
    struct Sessions: Sendable {
        var choice = Choice.none
        /// The same as if health left none out.
        var wholeChoice = Choice.none
    }

    /// - Parameter originWorks: whether at least one of the origin's servers does.
    init(
        _ pool: Pool, every: Int, status: Int, sequence: Int, countsByServer: Bool, originWorks: Bool, asking: Asking
    ) {
        denies = false
        self.every = UInt64(every)
        self.status = status
        self.sequence = sequence
        self.countsByServer = countsByServer
        choice = pool.choice
        isPanicking = pool.isPanicking
        failing = every > 0 && originWorks ? pool.failing : []
        excluded = pool.excluded
        candidates = pool.candidates
        sessions = pool.sessions
        self.asking = asking
    }

    /// The same policy for sessions, which take no turns.
    var forSessions: Policy { Policy(self, choice: sessions.choice) }

    private init(_ other: Policy, choice: Choice) {
        (denies, every, status) = (other.denies, other.every, other.status)
        (sequence, countsByServer) = (other.sequence, other.countsByServer)
        self.choice = choice
        (isPanicking, failing, excluded) = (other.isPanicking, other.failing, other.excluded)
        (candidates, sessions, asking) = (other.candidates, other.sessions, other.asking)
    }

    /// The same policy over what health leaves of its CDNs.
    func choosing(from pool: Pool, originWorks: Bool) -> Policy {
        Policy(
            pool, every: Int(every), status: status, sequence: sequence, countsByServer: countsByServer, originWorks: originWorks,
            asking: asking)
    }

    static func denying(asking: Asking) -> Policy { Policy(asking: asking) }

    private init(asking: Asking) {
        denies = true
        (every, status, sequence, countsByServer) = (0, 403, 0, false)
        (choice, isPanicking, failing, excluded, candidates) = (.none, false, [], [], [])
        sessions = Sessions()
        self.asking = asking
    }
}

extension Policy {
    /// What CDNs a policy may choose from, by a strategy.
    struct Pool: Sendable {
        let choice: Choice
        let isPanicking: Bool
        let failing: [Bool]
        let excluded: [Bool]
        let candidates: [Int]
        let sessions: Sessions

        /// - Parameters:
        ///   - shares: the policy's CDNs and their weights, in the order of the catalog.
        ///   - isDown: by CDN.
        ///   - isFailed: by CDN, those that are down and whose probe was good before. A probe that was never good is more likely wrong than
        ///     its CDN: it must not move all players to the origin.
        ///   - steers: whether sessions choose from it too.
        ///   - draws: of the catalog's CDNs.
        init(
            _ catalog: Catalog, _ selection: Catalog.Selection, _ shares: [(cdn: Int, weight: Int)], isDown: [Bool], isFailed: [Bool],
            steers: Bool, draws: Draws
        ) {
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
            let hasFailed = isPanicking && taking.contains { isFailed[$0.cdn] }
            failing = hasFailed ? isFailed : []
            var excluded: [Bool] = []
            if !isPanicking, working.count < taking.count {
                excluded = [Bool](repeating: false, count: isDown.count)
                for share in taking where isDown[share.cdn] { excluded[share.cdn] = true }
            }
            self.excluded = excluded
            candidates = chosen.map(\.cdn)
            choice = Choice(selection, chosen, draws)
            sessions =
                steers
                ? Sessions(choice: .forSessions(selection, chosen, draws), wholeChoice: .forSessions(selection, taking, draws))
                : Sessions()
        }
    }
}
