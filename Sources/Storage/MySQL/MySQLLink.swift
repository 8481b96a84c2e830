#if MySQL
import Foundation

/// What a thread keeps of the servers: a session on one of them, made anew when it is lost. Used by one thread.
final class MySQLLink {
    private let address: MySQLAddress
    private let limits: MySQLLimits
    private let outage: MySQLOutage
    private var session: MySQLSession?
    private var opened = ContinuousClock.now

    init(address: MySQLAddress, limits: MySQLLimits, outage: MySQLOutage) {
        self.address = address
        self.limits = limits
        self.outage = outage
    }

    /// Runs a statement that changes something, again where that is right, and finds out what became of it.
    func execute(_ sql: String, _ arguments: [SQLValue], proof: SQLQuery?, since: ContinuousClock.Instant) throws(StorageError) -> Int {
        var attempts = MySQLAttempts(patience: limits.patience)
        var doubt: MySQLFault?
        while true {
            do throws(MySQLFault) {
                let session = try connected(since: since, isResolving: doubt != nil)
                if doubt != nil, let proof, try isProven(proof, session) { return 1 }
                let matched: Int
                do throws(MySQLFault) {
                    matched = try session.run(sql, arguments).matched
                } catch  where error.code == MySQLFault.duplicate && doubt != nil {
                    if let proof, try isProven(proof, session) { return 1 }
                    throw error
                }
                // The first run may have been stored between the question and the second run.
                if matched == 0, doubt != nil, let proof, try isProven(proof, session) { return 1 }
                return matched
            } catch {
                if error.losesSession || error.code == MySQLFault.notReady { session = nil }
                if error.leavesDoubt { doubt = error }
                let isWorthIt = error.losesSession || error.wasRolledBack || doubt != nil && error.code != MySQLFault.duplicate
                if isWorthIt, attempts.pause() { continue }
                throw failure(error, doubt)
            }
        }
    }

    /// Asks, again where that is right. A server that cannot be reached is told at once: whoever asks will ask again.
    func query(_ sql: String, _ arguments: [SQLValue], since: ContinuousClock.Instant) throws(StorageError) -> [[SQLValue]] {
        var attempts = MySQLAttempts(patience: limits.patience)
        while true {
            do throws(MySQLFault) {
                return try connected(since: since, isResolving: false).run(sql, arguments).rows
            } catch {
                if error.losesSession || error.code == MySQLFault.notReady { session = nil }
                if error.losesSession || error.wasRolledBack, attempts.pause() { continue }
                throw failure(error, nil)
            }
        }
    }

    /// Runs statements as one transaction, the whole of it again where that is right. A failed one ends with its session, which undoes it.
    func transaction(_ statements: [SQLStatement], since: ContinuousClock.Instant) throws(StorageError) {
        var attempts = MySQLAttempts(patience: limits.patience)
        while true {
            do throws(MySQLFault) {
                try connected(since: since, isResolving: false).transaction(statements)
                return
            } catch {
                session = nil
                if error.losesSession || error.wasRolledBack, attempts.pause() { continue }
                throw failure(error, nil)
            }
        }
    }

    private func isProven(_ proof: SQLQuery, _ session: MySQLSession) throws(MySQLFault) -> Bool {
        try !session.run(proof.sql, proof.arguments).rows.isEmpty
    }

    private func failure(_ fault: MySQLFault, _ doubt: MySQLFault?) -> StorageError {
        let place = address.place(at: session.map { [$0.host] } ?? address.hosts)
        let error = StorageError(fault, at: place)
        guard doubt != nil, error.kind != .duplicate else { return error }
        return StorageError(.inDoubt, at: place, "the connection was lost before the answer; then: \(error.detail)")
    }

    /// - Parameter isResolving: true reaches for the servers even when others have just failed to.
    private func connected(since: ContinuousClock.Instant, isResolving: Bool) throws(MySQLFault) -> MySQLSession {
        if let session {
            if session.host == address.hosts.first || ContinuousClock.now - opened < limits.fallback { return session }
            self.session = nil
        }
        // What waited while another thread found no server would only find the same, one connect timeout later.
        if !isResolving, let known = outage.fault(since: since) { throw known }
        var faults: [(host: MySQLAddress.Host, fault: MySQLFault)] = []
        for host in address.hosts {
            do throws(MySQLFault) {
                let session = try MySQLSession.open(host, address, limits)
                self.session = session
                opened = .now
                outage.end()
                return session
            } catch {
                faults.append((host, error))
            }
        }
        let fault = MySQLLink.summary(faults)
        outage.note(fault)
        throw fault
    }

    /// One fault for all hosts: its number is that of the first that could be reached, since a person can do something about it.
    private static func summary(_ faults: [(host: MySQLAddress.Host, fault: MySQLFault)]) -> MySQLFault {
        let telling = faults.first { !(2000...2999).contains($0.fault.code) } ?? faults.first
        let message = faults.count == 1 ? "" : faults.map { "\($0.host): \($0.fault.message)" }.joined(separator: "; ")
        return MySQLFault(
            code: connectionCode(telling?.fault.code ?? 2002), message: message.isEmpty ? telling?.fault.message ?? "no host" : message,
            wasSent: false)
    }

    /// A connection lost while it is being made is a server that cannot be reached.
    private static func connectionCode(_ code: UInt32) -> UInt32 {
        MySQLFault(code: code, message: "", wasSent: false).losesSession ? 2002 : code
    }
}

/// How often a statement is tried: at once, then after pauses that grow, until the patience is over.
struct MySQLAttempts {
    private let end: ContinuousClock.Instant
    private var next = Duration.milliseconds(10)

    init(patience: Duration) { end = .now + patience }

    /// Waits before the next attempt; false when there shall be none.
    mutating func pause() -> Bool {
        // Two that collided must not collide again.
        let wait = next * Double.random(in: 0.5...1)
        guard ContinuousClock.now + wait < end else { return false }
        Thread.sleep(forTimeInterval: wait / .seconds(1))
        next = min(next * 2, .milliseconds(400))
        return true
    }
}
#endif
