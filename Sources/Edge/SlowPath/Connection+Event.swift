import NIOCore

/// What happens to a connection, what is to be done then, and where it stands.
extension Connection {
    enum Event {
        /// It begins, with answers that the fast path has not sent.
        ///
        /// - Parameter closes: it ends with them.
        case opened(unsent: ByteBuffer, closes: Bool)
        case bytes(ByteBuffer)
        /// The client has said all it will.
        case inputEnded
        /// The client speaks without TLS where it is due.
        case withoutTLS
        /// The transport has taken so many bytes of what was sent; the connection is writable again when few are left.
        case sent(Int)
        /// The time that `resumeLater` asked for.
        case resumed
        /// Perhaps the deadline has come.
        case deadline
        /// What was fetched; nil when it could not be.
        ///
        /// - Parameter number: of the `fetch`. An answer that comes after its deadline is nobody's.
        case upstream(UpstreamContent?, number: Int)
        /// The node is stopping: the next answer is the last one.
        case drain
        /// Another connection needs the place.
        case makeRoom
        /// The transport has failed.
        case failed
        /// The transport is gone.
        case closed
    }

    enum Action: Equatable {
        /// Send both, in this order, and tell when they are taken (`sent`).
        case send(ByteBuffer, attachment: ByteBuffer?)
        case stopReading
        case startReading
        /// Come back (`resumed`) when others have had their turn.
        case resumeLater
        /// Ask an upstream for what an answer is made of (`upstream`).
        case fetch(UpstreamRequest, number: Int)
        /// End this side; the client's is read on.
        case closeOutput
        case close
    }

    enum Phase: Equatable {
        /// Between the first byte of a head and its last, and before the first head.
        case head
        /// After an answer, before the next head's first byte.
        case idle
        case body
        /// The answer waits for an upstream; those before it are sent, and what follows waits unread.
        case upstream
        /// Everything is said; what still comes in is dropped.
        case lingering
        case closed
    }
}
