import CLinux
import Glibc
import NIOCore
import Steering

extension FastLoop {
    /// Answers of a connection of the table, in the writer: from where those before them end.
    struct Owed {
        let descriptor: CInt
        let end: Int
        let intent: Intent
    }

    /// Answers as a part of what the writer holds; never of the input, which counts its own bytes.
    struct WrittenRange {
        let range: Range<Int>
    }

    /// What a connection is to become when its answers are sent.
    enum Intent {
        case stays
        /// Stays, and its time runs on: nothing was answered.
        case waits
        /// - Parameter isAsked: by the client.
        case ends(isAsked: Bool)
        /// What was read and not answered is in `state.unread`.
        case leaves(HandOver.Reason, closes: Bool)
    }

    /// What has become of it.
    enum Fate {
        case stays, waits
        /// The caller closes it.
        case ends
        /// The caller hands it over.
        case leaves(HandOver.Content, HandOver.Reason)
    }

    /// Bytes of answers that are held until the end of a turn.
    private static let maximumOwed = 64 * 1024

    func owe(_ owed: Owed, _ state: inout State, _ second: UInt32) {
        state.owed.append(owed)
        if case .leaves = owed.intent { return settle(&state, second) }
        if owed.end >= FastLoop.maximumOwed { settle(&state, second) }
    }

    /// Sends what is owed, one send a connection.
    func settle(_ state: inout State, _ second: UInt32) {
        guard !state.owed.isEmpty else { return }
        var start = 0
        for index in state.owed.indices {
            let owed = state.owed[index]
            settle(owed, WrittenRange(range: start..<owed.end), &state, second)
            start = owed.end
        }
        state.owed.removeAll(keepingCapacity: true)
        state.responder.writer.bytes.removeAll(keepingCapacity: true)
    }

    private func settle(_ owed: Owed, _ answers: WrittenRange, _ state: inout State, _ second: UInt32) {
        switch send(answers, to: owed.descriptor, owed.intent, &state) {
        case .stays: state.connections.setDeadline(owed.descriptor, second &+ UInt32(clamping: state.limits.idleSeconds))
        case .waits: break
        case .ends: drop(owed.descriptor, &state)
        case .leaves(var content, let reason):
            _ = clinux_epoll_remove(epoll, owed.descriptor)
            content.session = state.connections.session(of: owed.descriptor)
            content.http2 = state.connections.http2(of: owed.descriptor)
            let client = state.connections.client(of: owed.descriptor)
            leave(state.connections.remove(owed.descriptor), of: client, content, reason, &state)
        }
    }

    /// Sends a part of what is in the writer.
    func send(_ answers: WrittenRange, to descriptor: CInt, _ intent: Intent, _ state: inout State) -> Fate {
        // Bytes that come before the close reset what waits for it. Clients who asked for the end send none; while the node stops others may.
        var waitsForEnd = false
        if case .ends(isAsked: true) = intent { waitsForEnd = true }
        let sent = answers.range.isEmpty ? 0 : send(answers, to: descriptor, waitsForEnd: waitsForEnd, &state)
        if sent < 0 {
            state.unread = ByteBuffer()
            return .ends
        }
        let rest = WrittenRange(range: answers.range.lowerBound + sent..<answers.range.upperBound)
        switch intent {
        case .stays where rest.range.isEmpty: return .stays
        case .waits where rest.range.isEmpty: return .waits
        case .stays, .waits: return .leaves(unsent(rest, closes: false, state), .sendBlocked)
        case .ends where rest.range.isEmpty: return .ends
        case .ends: return .leaves(unsent(rest, closes: true, state), .sendBlocked)
        case .leaves(let reason, let closes):
            var content = unsent(rest, closes: closes, state)
            swap(&content.input, &state.unread)
            return .leaves(content, rest.range.isEmpty ? reason : .sendBlocked)
        }
    }

    private func unsent(_ rest: WrittenRange, closes: Bool, _ state: State) -> HandOver.Content {
        HandOver.Content(output: ByteBuffer(bytes: state.responder.writer.bytes[rest.range]), closes: closes)
    }

    /// - Parameter waitsForEnd: the connection is closed next: its end then leaves in the packet of the last bytes (send(2), `MSG_MORE`),
    ///   which saves both sides a packet.
    /// - Returns: bytes taken by the socket, 0 when it is full, -1 when the peer is gone.
    private func send(_ answers: WrittenRange, to descriptor: CInt, waitsForEnd: Bool, _ state: inout State) -> Int {
        let flags = CInt(MSG_NOSIGNAL) | (waitsForEnd ? CInt(MSG_MORE) : 0)
        // send reads at most the count of the part that it is given.
        let sent = unsafe state.responder.writer.bytes.span.extracting(answers.range).withUnsafeBytes { bytes in
            unsafe clinux_send(descriptor, bytes.baseAddress, bytes.count, flags)
        }
        if sent >= 0 {
            state.responder.counters.bytesSent &+= UInt64(sent)
            return sent
        }
        return errno == EAGAIN || errno == EINTR ? 0 : -1
    }

    /// Gives a connection that is in neither the epoll set nor the table to the slow path.
    func leave(
        _ descriptor: consuming Descriptor, of client: ClientAddress, _ content: HandOver.Content, _ reason: HandOver.Reason,
        _ state: inout State
    ) {
        state.handOvers[reason.rawValue] += 1
        handOver(HandOver(descriptor: descriptor, client: client, content: content))
    }

    /// Ends a connection of the table.
    func drop(_ descriptor: CInt, _ state: inout State) {
        _ = state.connections.remove(descriptor)
        open.closed()
    }
}
