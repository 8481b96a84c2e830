import CLinux
import Glibc
import NIOCore
import Steering

extension FastLoop {
    /// What becomes of a connection after a read.
    enum Fate {
        case stays
        /// The caller closes it.
        case ends
        /// The caller hands it over.
        case leaves(HandOver.Content, HandOver.Reason)
    }

    /// Reads from a connection of the table and answers.
    func serve(_ descriptor: CInt, _ state: inout State, _ second: UInt32) {
        let count = receive(descriptor, &state)
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else { return drop(descriptor, &state) }
        let client = state.connections.client(of: descriptor)
        switch answer(descriptor, from: 0, to: count, of: client, &state) {
        case .stays: state.connections.setDeadline(descriptor, second &+ UInt32(clamping: state.limits.idleSeconds))
        case .ends: drop(descriptor, &state)
        case .leaves(let content, let reason):
            _ = clinux_epoll_remove(epoll, descriptor)
            leave(state.connections.remove(descriptor), of: client, content, reason, &state)
        }
    }

    /// Gives a connection that is in neither the epoll set nor the table to the slow path.
    func leave(
        _ descriptor: consuming Descriptor, of client: ClientAddress, _ content: HandOver.Content, _ reason: HandOver.Reason,
        _ state: inout State
    ) {
        state.handOvers[reason.rawValue] += 1
        handOver(HandOver(descriptor: descriptor, client: client, content: content))
    }

    func receive(_ descriptor: CInt, _ state: inout State) -> Int {
        // recv writes at most the count of the buffer that it is given.
        let count = unsafe state.input.withUnsafeMutableBytes { bytes in unsafe clinux_receive(descriptor, bytes.baseAddress, bytes.count) }
        if count > 0 { state.responder.counters.bytesReceived &+= UInt64(count) }
        return count
    }

    /// Answers what is plain of the bytes read, with one send.
    func answer(_ descriptor: CInt, from start: Int, to count: Int, of client: ClientAddress, _ state: inout State) -> Fate {
        var used = start
        var closes = false
        var last: RequestHead?
        // Taken out for the call: a copy would take a reference.
        var input: [UInt8] = []
        swap(&input, &state.input)
        defer { swap(&input, &state.input) }
        while used < count, !closes {
            guard let head = PlainScanner.scan(input.span, used..<count, limits: state.limits, after: last) else { break }
            closes = head.closes || state.closesConnections
            // A page or a body: the request goes along unanswered.
            guard state.responder.respond(to: head, input.span, from: client, closes: closes) == .answered else {
                closes = false
                break
            }
            used += head.length
            last = head
        }
        let answers = state.responder.writer.bytes.count
        // A read that filled the buffer may have left bytes in the socket, and closing then would reset the answer away.
        let ends = closes && used == count && count < FastLoop.readCapacity
        // Bytes that come before the close reset what waits for it. Clients who asked for the end send none; while the node stops others may.
        let waits = ends && last?.closes == true
        let sent = answers == 0 ? 0 : send(descriptor, waitsForEnd: waits, &state)
        defer { state.responder.writer.bytes.removeAll(keepingCapacity: true) }
        if sent < 0 { return .ends }
        if sent == answers, used == count, ends || !closes { return ends ? .ends : .stays }
        let reason: HandOver.Reason = sent < answers ? .sendBlocked : closes ? .unreadInput : .notPlain
        return .leaves(
            HandOver.Content(
                input: ByteBuffer(bytes: input[used..<count]), output: ByteBuffer(bytes: state.responder.writer.bytes[sent...]),
                closes: closes), reason)
    }

    /// - Parameter waitsForEnd: the connection is closed next: its end then leaves in the packet of the last bytes (send(2), `MSG_MORE`),
    ///   which saves both sides a packet.
    /// - Returns: bytes taken by the socket, 0 when it is full, -1 when the peer is gone.
    private func send(_ descriptor: CInt, waitsForEnd: Bool, _ state: inout State) -> Int {
        let flags = CInt(MSG_NOSIGNAL) | (waitsForEnd ? CInt(MSG_MORE) : 0)
        // send reads at most the count of the buffer that it is given.
        let sent = unsafe state.responder.writer.bytes.withUnsafeBytes { bytes in
            unsafe clinux_send(descriptor, bytes.baseAddress, bytes.count, flags)
        }
        if sent >= 0 {
            state.responder.counters.bytesSent &+= UInt64(sent)
            return sent
        }
        return errno == EAGAIN || errno == EINTR ? 0 : -1
    }

    private func drop(_ descriptor: CInt, _ state: inout State) { _ = state.connections.remove(descriptor) }
}
