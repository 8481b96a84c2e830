import CLinux
import Glibc
import NIOCore
import Steering
import TLS

extension FastLoop {
    /// Bytes that a connection of the table has sent, in the input.
    struct Heard {
        let descriptor: CInt
        let bytes: Range<Int>
    }

    /// Reads from a connection of the table.
    func hear(_ descriptor: CInt, _ event: clinux_event, _ state: inout State, _ second: UInt32) {
        if state.inputUsed + FastLoop.readCapacity > state.input.count { finishTurn(&state, second) }
        let start = state.inputUsed
        let count = receive(descriptor, at: start, &state)
        let isOver = count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)
        // What a read leaves in the socket is not reported by itself. A shorter read has left nothing (epoll(7)), but for what stands behind
        // urgent data; who sends such waits until it sends more.
        let mayHaveMore = count < 0 || event.ends || count == FastLoop.readCapacity
        if isOver { countLost(descriptor, .closed, &state) }
        // It has ended without a close_notify, and may read on.
        if count == 0 { tellEnd(descriptor, &state) }
        if isOver || (mayHaveMore && clinux_epoll_rearm(epoll, descriptor, event.tag) != 0) { return drop(descriptor, &state) }
        guard count > 0 else { return }
        state.inputUsed += count
        state.heard.append(Heard(descriptor: descriptor, bytes: start..<start + count))
        // Answers that end a connection unasked are reset by bytes that come before the end: the time between is kept short.
        if state.isDraining { finishTurn(&state, second) }
    }

    /// Answers all that was heard, and sends the answers.
    func finishTurn(_ state: inout State, _ second: UInt32) {
        guard !state.heard.isEmpty else { return }
        for index in state.heard.indices {
            let heard = state.heard[index]
            let client = state.connections.client(of: heard.descriptor)
            let filled = heard.bytes.count == FastLoop.readCapacity
            state.current = state.connections.http2(of: heard.descriptor)
            let intent =
                if let session = state.connections.session(of: heard.descriptor) {
                    answer(heard.bytes, by: session, filled: filled, of: client, &state)
                } else {
                    answer(heard.bytes, filled: filled, of: client, &state)
                }
            keepHTTP2(of: heard.descriptor, &state)
            owe(Owed(descriptor: heard.descriptor, end: state.responder.writer.bytes.count, intent: intent), &state, second)
        }
        state.heard.removeAll(keepingCapacity: true)
        state.inputUsed = 0
        settle(&state, second)
    }

    /// Reads at most `readCapacity` bytes into the input.
    func receive(_ descriptor: CInt, at start: Int = 0, _ state: inout State) -> Int {
        // No client decides it: the turn makes room before it reads. Beyond the array recv would write into memory of others.
        precondition(start + FastLoop.readCapacity <= state.input.count)
        // recv writes at most the capacity from `start` on, which the array has.
        let count = unsafe state.input.withUnsafeMutableBytes {
            unsafe clinux_receive(descriptor, $0.baseAddress?.advanced(by: start), FastLoop.readCapacity)
        }
        if count > 0 { state.responder.counters.bytesReceived &+= UInt64(count) }
        return count
    }

    /// Writes the answers to what is plain of the bytes that were read; what is left of them goes to `state.unread`.
    ///
    /// - Parameter filled: the read had all the room it was given.
    /// - Returns: what the connection is to become when they are sent.
    func answer(_ read: Range<Int>, filled: Bool, of client: ClientAddress, _ state: inout State) -> Intent {
        // Taken out for the call: a copy would take a reference.
        var input: [UInt8] = []
        swap(&input, &state.input)
        defer { swap(&input, &state.input) }
        if state.current != nil || state.knowsHTTP2, let intent = answerHTTP2(input.span.extracting(read), of: client, &state) {
            return intent
        }
        return answer(read, of: input.span, filled: filled, from: client, &state)
    }

    /// The same, of bytes that are not in the state.
    func answer(
        _ read: Range<Int>, of input: borrowing Span<UInt8>, filled: Bool, from client: ClientAddress, _ state: inout State
    ) -> Intent {
        // What others are owed is in the writer too.
        state.responder.answersEnd = state.responder.writer.bytes.count + Limits.pendingAnswerBytes
        defer { state.responder.answersEnd = 0 }
        var used = read.lowerBound
        var closes = false
        var head = RequestHead()
        while used < read.upperBound, !closes {
            guard PlainScanner.scan(input, used..<read.upperBound, limits: state.limits, &head) else { break }
            closes = head.closes || state.isDraining
            // A page or a body: the request goes along unanswered.
            guard state.responder.respond(to: head, input, from: client, closes: closes, isFast: true, now: state.now) == .answered
            else {
                closes = false
                break
            }
            used += head.length
        }
        // Such a read may have left bytes in the socket, and closing then would reset the answer away.
        if used == read.upperBound, !closes || !filled {
            return closes ? .ends(isAsked: head.closes) : .stays
        }
        // The bytes are copied during the call.
        state.unread = unsafe input.extracting(used..<read.upperBound).withUnsafeBytes { unsafe ByteBuffer(bytes: $0) }
        return .leaves(closes ? .unreadInput : .notPlain, closes: closes)
    }
}
