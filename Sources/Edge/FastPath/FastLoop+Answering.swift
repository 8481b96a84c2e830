import CLinux
import Glibc
import NIOCore
import Steering

extension FastLoop {
    /// Reads from a connection of the table and answers.
    func serve(_ descriptor: CInt, _ event: clinux_event, _ state: inout State, _ second: UInt32) {
        let count = receive(descriptor, &state)
        if count < 0, errno == EAGAIN || errno == EINTR { return rearm(descriptor, event.tag, &state) }
        guard count > 0 else { return drop(descriptor, &state) }
        // What was left in the socket is not reported by itself.
        if event.ends || count == FastLoop.readCapacity { rearm(descriptor, event.tag, &state) }
        let next = answer(from: 0, to: count, of: state.connections.client(of: descriptor), &state)
        owe(Owed(descriptor: descriptor, end: state.responder.writer.bytes.count, next: next), &state, second)
    }

    private func rearm(_ descriptor: CInt, _ tag: UInt64, _ state: inout State) {
        if clinux_epoll_rearm(epoll, descriptor, tag) != 0 { drop(descriptor, &state) }
    }

    func receive(_ descriptor: CInt, _ state: inout State) -> Int {
        // recv writes at most the count of the buffer that it is given.
        let count = unsafe state.input.withUnsafeMutableBytes { unsafe clinux_receive(descriptor, $0.baseAddress, $0.count) }
        if count > 0 { state.responder.counters.bytesReceived &+= UInt64(count) }
        return count
    }

    /// Writes the answers to what is plain of the bytes read; what is left of them goes to `state.unread`.
    ///
    /// - Returns: what becomes of the connection when they are sent.
    func answer(from start: Int, to count: Int, of client: ClientAddress, _ state: inout State) -> Next {
        // Taken out for the call: a copy would take a reference.
        var input: [UInt8] = []
        swap(&input, &state.input)
        defer { swap(&input, &state.input) }
        var used = start
        var closes = false
        var last: RequestHead?
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
        // A read that filled the buffer may have left bytes in the socket, and closing then would reset the answer away.
        if used == count, !closes || count < FastLoop.readCapacity {
            return closes ? .ends(isAsked: last?.closes == true) : .stays
        }
        state.unread = ByteBuffer(bytes: input[used..<count])
        return .leaves(closes ? .unreadInput : .notPlain, closes: closes)
    }
}
