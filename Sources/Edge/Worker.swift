import NIOCore

/// What belongs to one event loop: the responder with its table, and the limits. Touched on that loop alone.
final class Worker {
    var responder: Responder
    let limits: Limits
    /// Answers end the connection: the node is stopping.
    var closesConnections = false

    init(responder: Responder, limits: Limits) {
        self.responder = responder
        self.limits = limits
    }
}
