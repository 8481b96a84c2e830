import NIOCore

/// What belongs to one event loop: the responder with its table, and the limits. Touched on that loop alone.
final class Worker {
    var responder: Responder
    let limits: Limits
    /// Answers end the connection: the node is stopping.
    var closesConnections = false
    /// Shared by all workers.
    let bodies: BodyMemory
    /// Connections between two requests.
    private var idle: [ObjectIdentifier: ConnectionHandler] = [:]

    init(responder: Responder, limits: Limits, bodies: BodyMemory) {
        self.responder = responder
        self.limits = limits
        self.bodies = bodies
    }

    func isIdle(_ connection: ConnectionHandler) { idle[ObjectIdentifier(connection)] = connection }
    func isBusy(_ connection: ConnectionHandler) { idle[ObjectIdentifier(connection)] = nil }

    /// Ends connections that have been idle for a second at least: those first whose time is over first.
    func endIdle(atMost count: Int) {
        let latest = NIODeadline.now() + .seconds(Int64(limits.idleSeconds) - 1)
        let candidates = idle.values.filter { $0.deadline <= latest }.sorted { $0.deadline < $1.deadline }
        for connection in candidates.prefix(count) {
            connection.endIdle()
            responder.counters.idleConnectionsEnded += 1
        }
    }
}
