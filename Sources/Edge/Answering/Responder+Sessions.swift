import Steering
import TLS

/// What answers know of the session that carries their requests.
extension Responder {
    /// Takes the token of a client's first request when its handshake begins: a handshake costs twenty requests, and who makes one and asks
    /// nothing pays all the same. What a trusted proxy asks is its clients' affair, whom it names in each request.
    ///
    /// - Parameter first: the first byte that came.
    /// - Returns: false when there is none: nothing of the handshake may be computed.
    mutating func admitsHandshake(_ session: TLSSession, _ first: UInt8, from client: ClientAddress) -> Bool {
        guard let rate, first == TLSSession.handshakeRecord, !clientSource.trusts(client) else { return true }
        guard rate.admits(client, now: FastLoop.nanoseconds()) else {
            counters.handshakes.count(.rate)
            return false
        }
        session.isPrepaid = true
        return true
    }

    /// Answers requests of a session from now on, or without one.
    mutating func begin(over session: TLSSession?) {
        record.transport = .init(session)
        isPrepaid = session?.isPrepaid ?? false
    }

    /// Until now.
    mutating func end(over session: TLSSession?) {
        session?.isPrepaid = isPrepaid
        isPrepaid = false
        record.transport = .plain
    }
}
