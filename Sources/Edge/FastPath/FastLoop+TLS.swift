import CLinux
import Glibc
import NIOCore
import Steering
import TLS

/// What the loop needs for its connections over TLS.
struct FastTLS {
    /// For handshakes that begin now.
    var context: TLSContext
    let records = RecordBuffers()
}

extension FastLoop {
    /// - Returns: nil when there is no memory for it.
    func makeSession(_ state: State) -> TLSSession? { state.tls.flatMap { try? TLSSession($0.context, over: $0.records) } }

    /// Goes on with the session and answers what it has decrypted, as `answer` does without TLS; what is to be sent is in the writer, encrypted.
    ///
    /// - Parameter read: records, in the input.
    func answer(_ read: Range<Int>, by session: TLSSession, filled: Bool, of client: ClientAddress, _ state: inout State) -> Intent {
        guard let records = state.tls?.records else { return .ends(isAsked: false) }
        let start = state.responder.writer.bytes.count
        if !session.hasBegun, !state.responder.admitsHandshake(session, state.input[read.lowerBound], from: client) {
            state.responder.writer.append(TLSSession.refusal)
            return .ends(isAsked: false)
        }
        let received = session.receive(state.input.span.extracting(read))
        if received.hasBecomeEstablished { state.responder.counters.handshakes.count(session) }
        var intent = Intent.waits
        if case .failed(let failure) = received.end {
            if session.isOfHandshake(failure) { state.responder.counters.handshakes.count(failure) }
            if failure == .plainHTTP {
                state.responder.refuse(.withoutTLS, from: client)
                // What follows the first bytes is read before the close, or it would reset the answer away.
                return .leaves(.unreadInput, closes: true)
            }
            intent = .ends(isAsked: false)
        } else if received.count > 0 {
            intent = answer(received.count, by: session, filled: filled, of: client, &state)
        }
        if received.end == .closed {
            switch intent {
            // It may wait to be told the same (RFC 5246 §7.2.1).
            case .stays: intent = .ends(isAsked: true)
            case .waits:
                intent = .ends(isAsked: true)
                if !session.isEstablished { state.responder.counters.handshakes.count(.closed) }
            case .ends, .leaves: break
            }
        }
        return seal(start, by: session, intent, records, &state)
    }

    /// Answers the first `count` bytes of the plaintext.
    private func answer(
        _ count: Int, by session: TLSSession, filled: Bool, of client: ClientAddress, _ state: inout State
    ) -> Intent {
        guard let records = state.tls?.records else { return .ends(isAsked: false) }
        // Taken out for the call, as the input is.
        var plaintext: [UInt8] = []
        swap(&plaintext, &records.plaintext)
        defer { swap(&plaintext, &records.plaintext) }
        state.responder.begin(over: session)
        defer { state.responder.end(over: session) }
        if session.isHTTP2, let intent = answerHTTP2(plaintext.span.extracting(0..<count), of: client, &state) { return intent }
        return answer(0..<count, of: plaintext.span, filled: filled, from: client, &state)
    }

    /// Puts records in the place of the answers from `start` on, after what the session has to say itself.
    private func seal(
        _ start: Int, by session: TLSSession, _ intent: Intent, _ records: RecordBuffers, _ state: inout State
    ) -> Intent {
        let isWritten = session.write(state.responder.writer.bytes.span.extracting(droppingFirst: start))
        switch intent {
        case .ends, .leaves(_, closes: true): session.close()
        case .stays, .waits, .leaves: break
        }
        state.responder.writer.bytes.removeSubrange(start...)
        state.responder.writer.append(records.output)
        records.output.removeAll(keepingCapacity: true)
        return isWritten ? intent : .ends(isAsked: false)
    }

    /// Ends a connection of the table that was silent for too long; an established session is told.
    func dropIdle(_ descriptor: CInt, _ state: inout State) {
        countLost(descriptor, .timeout, &state)
        let goodbye = goodbye(to: descriptor, &state)
        if let session = state.connections.session(of: descriptor) {
            if session.isEstablished, !goodbye.isEmpty { _ = session.write(goodbye.span) }
            tellEnd(descriptor, &state)
        } else if !goodbye.isEmpty {
            // Of the goodbye's own bytes; whether they leave is of no matter.
            _ = unsafe goodbye.withUnsafeBytes { unsafe clinux_send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
        }
        drop(descriptor, &state)
    }

    /// Tells the client of an established session that nothing more is said: without it, what it has read may be cut off (RFC 8446 §6.1).
    func tellEnd(_ descriptor: CInt, _ state: inout State) {
        guard let session = state.connections.session(of: descriptor), session.isEstablished, let records = state.tls?.records else {
            return
        }
        session.close()
        // Of the records' own bytes; whether they leave is of no matter.
        _ = unsafe records.output.withUnsafeBytes { unsafe clinux_send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
        records.output.removeAll(keepingCapacity: true)
    }

    /// Counts a handshake that ends with the connection.
    func countLost(_ descriptor: CInt, _ failure: TLSSession.Failure, _ state: inout State) {
        guard let session = state.connections.session(of: descriptor), session.isOfHandshake(failure) else { return }
        state.responder.counters.handshakes.count(failure)
    }
}
