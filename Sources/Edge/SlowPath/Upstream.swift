import NIOCore

/// Fetches what an answer is made of.
protocol Upstream {
    /// Called on the loop; must not block it. Who asked waits for `Limits.upstreamSeconds`.
    ///
    /// - Parameter target: of the client's request: path and query.
    func fetch(_ target: [UInt8], on loop: any EventLoop) -> EventLoopFuture<EdgePage>
}
