import CLinux
import NIOCore
import Steering

/// HTTP/2 in the fast loop: whole frames whose requests are plain. Whoever sends others is handed over, with all that is known of it.
extension FastLoop {
    /// Answers what the current connection has sent.
    ///
    /// - Parameter bytes: decrypted.
    /// - Returns: nil when it speaks HTTP/1: no connection is current, and what it begins with is no preface.
    func answerHTTP2(_ bytes: borrowing Span<UInt8>, of client: ClientAddress, _ state: inout State) -> Intent? {
        guard let http2 = state.current ?? greet(bytes, client, state) else { return nil }
        state.current = http2
        // What is in the writer already is of others.
        let most = state.responder.writer.bytes.count + HTTP2Connection.maximumOutput
        let turn = HTTP2Connection.Turn(second: state.now, now: .uptimeNanoseconds(0), bodies: nil, maximumOutput: most)
        state.responder.record.isHTTP2 = true
        defer { state.responder.record.isHTTP2 = false }
        let hasAnswered = http2.receive(bytes, turn, by: &state.responder, in: &state.http2)
        // What follows is read before the close, or it would reset the goodbye away.
        if http2.isOver { return .leaves(.unreadInput, closes: true) }
        if http2.needsSlowPath || state.isDraining { return .leaves(.notPlain, closes: false) }
        return hasAnswered ? .stays : .waits
    }

    /// - Returns: a new connection, if it is one of HTTP/2.
    private func greet(_ bytes: borrowing Span<UInt8>, _ client: ClientAddress, _ state: State) -> HTTP2Connection? {
        let isSecure = if case .tls = state.responder.record.transport { true } else { false }
        guard isSecure || bytes.begins(with: "PRI * HTTP/2.0\r\n", in: 0..<bytes.count) else { return nil }
        return HTTP2Connection(of: client, limits: state.limits)
    }

    /// Keeps what is known of the current connection with its descriptor, which is in the table.
    func keepHTTP2(of descriptor: CInt, _ state: inout State) {
        guard let http2 = state.current else { return }
        if state.connections.http2(of: descriptor) == nil { state.connections.setHTTP2(http2, of: descriptor) }
        state.current = nil
    }

    /// What a connection that is ended for its silence is told; nothing for HTTP/1.
    func goodbye(to descriptor: CInt, _ state: inout State) -> [UInt8] {
        guard let http2 = state.connections.http2(of: descriptor) else { return [] }
        let start = state.responder.writer.bytes.count
        let turn = HTTP2Connection.Turn(second: state.now, now: .uptimeNanoseconds(0), bodies: nil, maximumOutput: .max)
        http2.end(.noError, turn, &state.responder)
        defer { state.responder.writer.bytes.removeSubrange(start...) }
        return Array(state.responder.writer.bytes[start...])
    }

    /// The node is stopping: connections of HTTP/2 are told so, in two steps, on the slow path.
    func sayGoodbye(_ state: inout State) {
        for descriptor in state.connections.all {
            guard let http2 = state.connections.http2(of: descriptor) else { continue }
            _ = clinux_epoll_remove(epoll, descriptor)
            let content = HandOver.Content(session: state.connections.session(of: descriptor), http2: http2)
            let client = state.connections.client(of: descriptor)
            leave(state.connections.remove(descriptor), of: client, content, .notPlain, &state)
        }
    }
}
