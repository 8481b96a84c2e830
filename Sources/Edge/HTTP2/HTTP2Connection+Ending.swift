import NIOCore
import Steering

/// Deadlines, and the ways a connection ends.
extension HTTP2Connection {
    /// When `timeOut` is due; it moves as the connection goes on.
    var deadline: NIODeadline {
        var deadline = streams.isEmpty ? idleDeadline : NIODeadline.distantFuture
        for stream in streams { deadline = min(deadline, stream.deadline) }
        if let partDeadline { deadline = min(deadline, partDeadline) }
        if let drainDeadline { deadline = min(deadline, drainDeadline) }
        return deadline
    }

    /// Whether it waits for a request, and for nothing else.
    var isIdle: Bool { streams.isEmpty && deferred == nil && input.isEmpty && blockStream == nil }

    /// The slow path has it from now on.
    func beginDeadlines(_ turn: Turn) {
        idleDeadline = turn.now + .seconds(Int64(lastStream == 0 ? limits.headSeconds : limits.idleSeconds))
        if partDeadline != nil { partDeadline = turn.now + .seconds(Int64(limits.headSeconds)) }
        for index in streams.indices {
            let seconds = if case .upstream = streams[index].state { Limits.upstreamSeconds } else { limits.idleSeconds }
            streams[index].deadline = turn.now + .seconds(Int64(seconds))
        }
    }

    /// A frame that is not whole has a deadline, and so has a header block: that does not move while its frames come.
    func followDeadlines(hasPart: Bool, _ turn: Turn) {
        if hasPart {
            if partDeadline == nil { partDeadline = turn.now + .seconds(Int64(limits.headSeconds)) }
        } else {
            partDeadline = nil
        }
        if turn.isFast, hasPart { needsSlowPath = true }
    }

    /// Ends what has taken too long.
    func timeOut(_ turn: Turn, by responder: inout Responder, in workspace: inout HTTP2Workspace) {
        guard !isOver else { return }
        if let partDeadline, turn.now >= partDeadline {
            responder.counters.http2.count(.headTimeout)
            return end(.noError, turn, &responder)
        }
        if let drainDeadline, turn.now >= drainDeadline { sayLastGoodbye(turn, &responder) }
        for stream in streams where turn.now >= stream.deadline {
            switch stream.state {
            case .body(let body):
                if let index = index(of: stream.number) { remove(at: index, turn) }
                answer(
                    .bodyTimeout, body.head.method, on: stream.number, window: stream.sendWindow, endsStream: false, turn, &responder,
                    &workspace)
            case .upstream: take(nil, for: stream.number, turn, by: &responder, in: &workspace)
            case .sending:
                responder.counters.http2.count(.windowTimeout)
                reset(stream.number, .cancel, turn, &responder)
            }
        }
        if streams.isEmpty, turn.now >= idleDeadline { end(.noError, turn, &responder) }
        endIfDrained()
    }

    /// The node is stopping, or needs the place: what was asked is answered, and the client asks elsewhere from now on.
    ///
    /// The first goodbye names no stream, since requests may be on their way; the second one does, when the client has answered the
    /// first, or after a second (§6.8).
    func drain(_ turn: Turn, by responder: inout Responder) {
        guard !isOver, !isDraining else { return }
        begin(turn, &responder)
        isDraining = true
        drainDeadline = turn.now + .seconds(1)
        appendGoAway(UInt32(HTTP2Connection.maximumWindow), .noError, &responder)
        responder.writer.bytes.appendFrame(.ping, stream: 0, length: 8)
        for byte in "goodbye!".utf8 { responder.writer.bytes.append(byte) }
    }

    func sayLastGoodbye(_ turn: Turn, _ responder: inout Responder) {
        guard lastAnswered == nil else { return }
        drainDeadline = nil
        lastAnswered = lastStream
        appendGoAway(lastStream, .noError, &responder)
        endIfDrained()
    }

    /// After the last goodbye and the last answer.
    func endIfDrained() {
        if lastAnswered != nil, streams.isEmpty, deferred == nil, blockStream == nil { isOver = true }
    }

    /// Says why, and reads no more.
    func end(_ code: HTTP2Code, _ turn: Turn, _ responder: inout Responder) {
        guard !isOver else { return }
        begin(turn, &responder)
        // What a goodbye has given up already stays so (§6.8).
        appendGoAway(lastAnswered ?? lastStream, code, &responder)
        close(turn)
    }

    /// The client is gone.
    func close(_ turn: Turn) {
        isOver = true
        while !streams.isEmpty { remove(at: streams.count - 1, turn) }
        input = []
        block = []
        deferred = nil
        fetches = []
    }

    private func appendGoAway(_ last: UInt32, _ code: HTTP2Code, _ responder: inout Responder) {
        responder.writer.bytes.appendFrame(.goAway, stream: 0, length: 8)
        responder.writer.bytes.appendNumber(last)
        responder.writer.bytes.appendNumber(code.rawValue)
    }
}
