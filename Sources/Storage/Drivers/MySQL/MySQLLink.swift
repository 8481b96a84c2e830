#if MySQL
import Foundation

/// What a thread keeps of the servers: a session on one of them, made anew when it is lost. Used by one thread.
final class MySQLLink {
    private let address: MySQLAddress
    private let limits: MySQLLimits
    private let servers: MySQLServers
    private var session: MySQLSession?
    private var opened = ContinuousClock.now
    /// How many demotions were known when the session was made.
    private var demotions = 0

    init(address: MySQLAddress, limits: MySQLLimits, servers: MySQLServers) {
        self.address = address
        self.limits = limits
        self.servers = servers
    }

    /// Runs a statement that changes something, again where that is right, and finds out what became of it.
    func execute(_ sql: String, _ arguments: [SQLValue], proof: SQLQuery?, _ ticket: CallTicket) throws(StorageError) -> Int {
        var attempts = attempts(ticket)
        var doubt: MySQLFault?
        while true {
            do throws(MySQLFault) {
                let session = try connected(since: ticket.queued, isResolving: doubt != nil)
                if doubt != nil, let proof, try isProven(proof, session) { return 1 }
                let matched: Int
                ticket.note(.sent)
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
                leave(after: error)
                if error.leavesDoubt { doubt = error } else if doubt == nil { ticket.note(.running) }
                let isWorthIt =
                    error.losesSession || error.wasRolledBack || error.isReadOnly || doubt != nil && error.code != MySQLFault.duplicate
                if isWorthIt, attempts.pause(after: error) { continue }
                throw failure(error, doubt)
            }
        }
    }

    /// Asks, again where that is right. A server that cannot be reached is told at once: whoever asks will ask again.
    func query(_ sql: String, _ arguments: [SQLValue], _ ticket: CallTicket) throws(StorageError) -> [[SQLValue]] {
        var attempts = attempts(ticket)
        while true {
            do throws(MySQLFault) {
                return try connected(since: ticket.queued, isResolving: false).run(sql, arguments).rows
            } catch {
                leave(after: error)
                if error.losesSession || error.wasRolledBack, attempts.pause(after: error) { continue }
                throw failure(error, nil)
            }
        }
    }

    /// Runs statements as one transaction, the whole of it again where that is right. A failed one ends with its session, which undoes it.
    func transaction(_ statements: [SQLStatement], _ ticket: CallTicket) throws(StorageError) {
        var attempts = attempts(ticket)
        while true {
            do throws(MySQLFault) {
                let session = try connected(since: ticket.queued, isResolving: false)
                ticket.note(.sent)
                try session.transaction(statements)
                return
            } catch {
                leave(after: error)
                session = nil
                if error.losesSession || error.wasRolledBack || error.isReadOnly, attempts.pause(after: error) { continue }
                throw failure(error, nil)
            }
        }
    }

    private func attempts(_ ticket: CallTicket) -> MySQLAttempts {
        MySQLAttempts(
            end: min(.now + limits.patience, ticket.deadline), isKnownReadOnly: servers.writes.trouble?.kind == .serverReadOnly)
    }

    /// Gives the session up where it is of no use any more, and lets the other threads know of a demoted server.
    private func leave(after fault: MySQLFault) {
        if fault.isReadOnly, let session, !session.isReadOnly { servers.noteDemotion(of: session.host) }
        if fault.losesSession || fault.isReadOnly || fault.code == MySQLFault.notReady { session = nil }
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
        if let session, isStillRight(session) { return session }
        session = nil
        // What waited while another thread found no server would only find the same, one connect timeout later.
        if !isResolving, let known = servers.outage(since: since) { throw known }
        let demotions = servers.demotions
        let fresh: MySQLSession
        do throws(MySQLFault) {
            fresh = try connect()
        } catch {
            servers.noteOutage(error)
            throw error
        }
        session = fresh
        opened = .now
        self.demotions = demotions
        servers.endOutage()
        return fresh
    }

    private func isStillRight(_ session: MySQLSession) -> Bool {
        let age = ContinuousClock.now - opened
        if demotions != servers.demotions { return false }
        if session.isReadOnly, servers.writes.trouble != nil, age >= limits.recheck { return false }
        return session.host == address.hosts.first || age < limits.fallback
    }

    /// A session on the first host that takes changes; when none does, on the first that answers: it can still be read.
    private func connect() throws(MySQLFault) -> MySQLSession {
        var faults: [(host: MySQLAddress.Host, fault: MySQLFault)] = []
        var readOnly: MySQLSession?
        for host in servers.order(address.hosts) {
            do throws(MySQLFault) {
                let session = try MySQLSession.open(host, address, limits)
                if !session.isReadOnly { return session }
                readOnly = readOnly ?? session
            } catch {
                faults.append((host, error))
            }
        }
        if let readOnly { return readOnly }
        throw MySQLLink.summary(faults)
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
    let end: ContinuousClock.Instant
    /// Whoever waits for a server that has been read-only for a while waits in vain: one new connection shows whether it still is.
    let isKnownReadOnly: Bool
    private var next = Duration.milliseconds(10)
    private var count = 0

    init(end: ContinuousClock.Instant, isKnownReadOnly: Bool) {
        self.end = end
        self.isKnownReadOnly = isKnownReadOnly
    }

    /// Waits before the next attempt; false when there shall be none.
    mutating func pause(after fault: MySQLFault) -> Bool {
        count += 1
        if fault.isReadOnly, isKnownReadOnly, count > 1 { return false }
        // Two that collided must not collide again.
        let wait = next * Double.random(in: 0.5...1)
        guard ContinuousClock.now + wait < end else { return false }
        Thread.sleep(forTimeInterval: wait / .seconds(1))
        next = min(next * 2, .milliseconds(400))
        return true
    }
}
#endif
