import NIOCore

/// A connection on its way from the fast path to the slow one, with everything that is known of it.
struct HandOver: Sendable {
    /// Owned by the receiver.
    let descriptor: CInt
    /// Read, not yet answered.
    let input: ByteBuffer
    /// Answered, not yet sent.
    let output: ByteBuffer
    /// The connection ends when `output` is sent.
    let closes: Bool
}
