import NIOCore
import TLS

/// The slow half of a worker, what belongs to its event loop: the responder with its table, the limits, and the connections. Touched on that
/// loop alone.
final class SlowLoop {
    var responder: Responder
    let limits: Limits
    /// Shared by all workers.
    let bodies: BodyMemory
    /// Nil when no answer needs one.
    var upstream: (any Upstream)? { didSet { responder.fetchesManifests = upstream != nil } }
    /// What sessions of the loop read from and write to.
    private(set) lazy var records = RecordBuffers()
    /// Each connection ends with its next answer: the node is stopping.
    private(set) var isDraining = false
    private var connections: [ObjectIdentifier: ConnectionHandler] = [:]

    init(responder: Responder, limits: Limits, bodies: BodyMemory) {
        self.responder = responder
        self.limits = limits
        self.bodies = bodies
    }

    func add(_ connection: ConnectionHandler) { connections[ObjectIdentifier(connection)] = connection }
    func remove(_ connection: ConnectionHandler) { connections[ObjectIdentifier(connection)] = nil }

    /// Tells every connection, and those to come, that the node is stopping.
    func drain() {
        isDraining = true
        for connection in connections.values { connection.handle(.drain) }
    }

    /// Ends connections that have been idle for a second at least: those first whose time is over first.
    func endIdle(atMost count: Int) {
        let latest = NIODeadline.now() + .seconds(Int64(limits.idleSeconds) - 1)
        let candidates = connections.values.filter { $0.connection.phase == .idle && $0.connection.deadline <= latest }
        for handler in candidates.sorted(by: { $0.connection.deadline < $1.connection.deadline }).prefix(count) {
            handler.handle(.makeRoom)
            responder.counters.idleConnectionsEnded += 1
        }
    }
}
