import NIOCore
import Playlist
import TLS

/// The slow half of a worker, what belongs to its event loop: the responder with its table, the limits, and the connections. Touched on that
/// loop alone.
final class SlowLoop {
    var responder: Responder
    let limits: Limits
    /// Shared by all workers.
    let bodies: BodyMemory
    /// Nil when no answer needs one.
    var upstream: (any Upstream)? { didSet { responder.upstream = upstream } }
    /// What sessions of the loop read from and write to.
    private(set) lazy var records = RecordBuffers()
    /// Each connection ends with its next answer: the node is stopping.
    private(set) var isDraining = false
    /// HTTP/2 without TLS is spoken too.
    var knowsHTTP2 = false
    /// What HTTP/2 connections of the loop work with.
    var http2 = HTTP2Workspace()
    private var connections: [ObjectIdentifier: any LoopConnection] = [:]

    init(responder: Responder, limits: Limits, bodies: BodyMemory) {
        self.responder = responder
        self.limits = limits
        self.bodies = bodies
    }

    /// Has fetched and signed what an answer waits for.
    ///
    /// - Returns: nil when it cannot be.
    func fetch(_ request: UpstreamRequest, on loop: any EventLoop) -> EventLoopFuture<UpstreamContent?> {
        let signed = responder.signing?.prepare(request.signatures, on: loop)
        if !request.signatures.isEmpty, request.source == nil {
            guard let signed else { return loop.makeSucceededFuture(nil) }
            return signed.map { UpstreamContent.signed as UpstreamContent? }.recover { _ in nil }
        }
        guard let upstream else { return loop.makeSucceededFuture(nil) }
        let fetched = upstream.fetch(request, on: loop).map { $0 as UpstreamContent? }.recover { _ in nil }
        guard let signed, !request.signatures.isEmpty else { return fetched }
        // Signed when it is written, on this loop, it would hold up all others.
        return signed.flatMap { fetched }.recover { _ in UpstreamContent.refused(.busy) }
    }

    func add(_ connection: any LoopConnection) { connections[ObjectIdentifier(connection)] = connection }
    func remove(_ connection: any LoopConnection) { connections[ObjectIdentifier(connection)] = nil }

    /// Tells every connection, and those to come, that the node is stopping.
    func drain() {
        isDraining = true
        for connection in connections.values { connection.drain() }
    }

    /// Ends connections that have been idle for a second at least: those first whose time is over first.
    func endIdle(atMost count: Int) {
        let latest = NIODeadline.now() + .seconds(Int64(limits.idleSeconds) - 1)
        let candidates = connections.values.compactMap { connection in connection.idleUntil.map { (connection, $0) } }.filter {
            $0.1 <= latest
        }
        for (connection, _) in candidates.sorted(by: { $0.1 < $1.1 }).prefix(count) {
            connection.makeRoom()
            responder.counters.idleConnectionsEnded += 1
        }
    }
}

/// What a loop tells its connections, whatever they speak.
protocol LoopConnection: AnyObject {
    /// When it ends unless it is asked something; nil while it is not idle.
    var idleUntil: NIODeadline? { get }
    /// The node is stopping.
    func drain()
    /// Another connection needs the place of an idle one.
    func makeRoom()
}
