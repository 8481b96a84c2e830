/// Listening sockets that the service manager has opened and keeps (sd_listen_fds(3)): while the balancer restarts they go on queueing
/// connections, so that none is refused.
public struct InheritedSockets: Sendable, Equatable {
    /// At least 1.
    public let count: Int

    /// From 3 on, after the three standard ones.
    var descriptors: Range<CInt> { 3..<3 + CInt(count) }

    /// - Parameter process: the caller's id; what was meant for another process is passed over.
    /// - Returns: nil when no sockets were passed.
    /// - Throws: `EdgeError` when their count is no number.
    public init?(environment: [String: String], process: Int32) throws(EdgeError) {
        guard let text = environment["LISTEN_FDS"], text != "0", environment["LISTEN_PID"] == "\(process)" else { return nil }
        guard let count = Int(text), (1...InheritedSockets.maximum).contains(count) else {
            throw EdgeError("LISTEN_FDS must be a number from 1 to \(InheritedSockets.maximum), is \"\(text)\"")
        }
        self.count = count
    }

    private static let maximum = 256
}
