package import NIOCore
package import Steering

/// Finds the addresses of a target and keeps probes away from what only the machine itself should ask: link-local addresses, behind which
/// clouds keep the machine's credentials.
///
/// Looking a name up blocks for as long as name servers hang, so each name has a thread of its own while it is looked up: a name that
/// hangs costs its own target alone. Where there are more names than threads, those that were found last time come first, and those that
/// failed may hold half of the threads at most. Addresses that were found are used for a while when a newer look-up hangs or fails.
package actor Resolver {
    private let eventLoop: any EventLoop
    private let allowsLinkLocal: Bool
    private let lookUp: @Sendable (LookUp.Question) -> LookUp.Answer
    private var names: [LookUp.Question: Name] = [:]
    /// Names that wait for a thread, in the order in which they came.
    private var queue: [LookUp.Question] = []
    private var running = 0
    private var waiters = 0

    /// The loop's thread; unowned, since the loop outlives the actor.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe eventLoop.executor.asUnownedSerialExecutor() }

    /// How long addresses are used after they were found, while nothing newer is.
    static let keeping = TimeAmount.minutes(10)
    /// More addresses of a name are not asked.
    static let addressLimit = 16

    private static let linkLocal = ["169.254.0.0/16", "fe80::/10"].compactMap { Network($0) }
    /// Addresses of cloud metadata services outside the link-local networks.
    private static let metadata = ["100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"].compactMap { ClientAddress($0) }

    private struct Name {
        var standing = Standing.new
        /// What was found last; none after the name servers have said that there are none.
        var addresses: [ClientAddress] = []
        var found = NIODeadline.uptimeNanoseconds(0)
        var asked = NIODeadline.now()
        /// Since when it is looked up, or waits for it.
        var since: NIODeadline?
        var waiting: [Int: EventLoopPromise<[ClientAddress]>] = [:]

        func isUsable(at now: NIODeadline) -> Bool { !addresses.isEmpty && now - found <= Resolver.keeping }
    }

    /// How the last look-up of a name ended.
    private enum Standing: Int, CaseIterable {
        case found, new, failed

        /// A look-up of this standing begins while fewer than this are under way.
        var threads: Int {
            switch self {
            case .found: 64
            case .new: 48
            case .failed: 32
            }
        }
    }

    /// - Parameters:
    ///   - eventLoop: outlives the resolver.
    ///   - lookUp: blocks; called on threads of its own.
    init(
        allowsLinkLocal: Bool, on eventLoop: any EventLoop,
        lookUp: @escaping @Sendable (LookUp.Question) -> LookUp.Answer = LookUp.system
    ) {
        self.allowsLinkLocal = allowsLinkLocal
        self.eventLoop = eventLoop
        self.lookUp = lookUp
    }

    /// A resolver that asks the machine.
    package static func system(allowsLinkLocal: Bool, on eventLoop: any EventLoop) -> Resolver {
        Resolver(allowsLinkLocal: allowsLinkLocal, on: eventLoop)
    }

    /// What a name could not be turned into addresses for.
    struct Failure: Error {
        let reason: String
        /// Whether it is this machine's own, so that it says nothing of the target.
        var isLocal = false
    }

    /// The addresses of a host that may be asked, families in turn (RFC 8305 §4), at most `addressLimit`.
    ///
    /// - Parameters:
    ///   - host: a name, or an address, which stands for itself.
    ///   - patience: how long a look-up may take before addresses found earlier are used instead.
    /// - Returns: a future of this resolver's loop that fails with `Failure`, at the deadline at the latest.
    package func addresses(
        of host: String, _ family: Probe.Addresses, patience: TimeAmount, until deadline: NIODeadline
    ) -> EventLoopFuture<[ClientAddress]> {
        let found =
            if let literal = ClientAddress(host) {
                eventLoop.makeSucceededFuture([literal])
            } else {
                named(LookUp.Question(name: host, family: family), patience, deadline)
            }
        let allowsLinkLocal = allowsLinkLocal
        return found.flatMapThrowing { found in
            let allowed = found.filter { allowsLinkLocal || !Resolver.isLinkLocal($0) }
            if allowed.isEmpty, let first = found.first {
                throw Failure(reason: "\(host) is at \(first), a link-local or metadata address, which probes may not ask")
            }
            return Array(Resolver.inTurn(allowed).prefix(Resolver.addressLimit))
        }
    }

    private func named(
        _ question: LookUp.Question, _ patience: TimeAmount, _ deadline: NIODeadline
    ) -> EventLoopFuture<[ClientAddress]> {
        let now = NIODeadline.now()
        forgetUnused(now)
        var name = names[question] ?? Name()
        name.asked = now
        waiters += 1
        let waiter = waiters
        let promise = eventLoop.makePromise(of: [ClientAddress].self)
        name.waiting[waiter] = promise
        let begins = name.since == nil
        let since = name.since ?? now
        name.since = since
        names[question] = name
        let timers = [since + patience, deadline].map { time in
            eventLoop.scheduleTask(deadline: min(max(time, now), deadline)) {
                self.assumeIsolated { $0.giveUp(question, waiter, isLast: time == deadline) }
            }
        }
        promise.futureResult.whenComplete { _ in timers.forEach { $0.cancel() } }
        if begins {
            queue.append(question)
            beginLookUps()
        }
        return promise.futureResult
    }

    /// Goes on with what was found earlier; without that a waiter waits on, until it cannot.
    private func giveUp(_ question: LookUp.Question, _ waiter: Int, isLast: Bool) {
        guard let name = names[question] else { return }
        if name.isUsable(at: .now()) {
            names[question]?.waiting.removeValue(forKey: waiter)?.succeed(name.addresses)
        } else if isLast {
            names[question]?.waiting.removeValue(forKey: waiter)?.fail(
                Failure(reason: "the name \(question.name) could not be looked up in time: name servers do not answer"))
        }
    }

    /// Names that nobody asks for any more, or only long after what was found has expired.
    private func forgetUnused(_ now: NIODeadline) {
        if names.count < 64 { return }
        names = names.filter { $0.value.since != nil || now - $0.value.asked <= Resolver.keeping }
    }

    private func beginLookUps() {
        while let index = nextInQueue() {
            let question = queue.remove(at: index)
            running += 1
            let hasThread = LookUp.onThread { [lookUp, eventLoop] in
                let answer = lookUp(question)
                eventLoop.execute { self.assumeIsolated { $0.heard(answer, question) } }
            }
            if !hasThread { heard(.local("no thread for looking names up"), question) }
        }
    }

    private func nextInQueue() -> Int? {
        for standing in Standing.allCases where running < standing.threads {
            if let index = queue.firstIndex(where: { names[$0]?.standing == standing }) { return index }
        }
        return nil
    }

    private func heard(_ answer: LookUp.Answer, _ question: LookUp.Question) {
        running -= 1
        defer { beginLookUps() }
        guard var name = names[question] else { return }
        let waiting = name.waiting.values
        name.waiting = [:]
        name.since = nil
        if case .local = answer {} else { name.standing = .failed }
        var failure = Failure(reason: "the name \(question.name) is not known")
        switch answer {
        case .addresses(let addresses):
            name.standing = .found
            name.addresses = addresses
            name.found = .now()
        case .none: name.addresses = []
        case .trouble(let reason): failure = Failure(reason: "the name \(question.name) could not be looked up: \(reason)")
        case .local(let reason):
            failure = Failure(reason: "the name \(question.name) could not be looked up: \(reason)", isLocal: true)
        }
        names[question] = name
        for promise in waiting {
            if name.isUsable(at: .now()) { promise.succeed(name.addresses) } else { promise.fail(failure) }
        }
    }

    private static func isLinkLocal(_ address: ClientAddress) -> Bool {
        linkLocal.contains { $0.contains(address) } || metadata.contains(address)
    }

    /// The families in turn, beginning with the one that the machine prefers.
    private static func inTurn(_ addresses: [ClientAddress]) -> [ClientAddress] {
        let first = addresses.filter { $0.isIPv4 == addresses[0].isIPv4 }
        let second = addresses.filter { $0.isIPv4 != addresses[0].isIPv4 }
        return (0..<max(first.count, second.count)).flatMap { index in
            [first, second].compactMap { $0.indices.contains(index) ? $0[index] : nil }
        }
    }
}
