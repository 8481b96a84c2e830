import NIOCore
import Steering

/// Requests and their answers.
extension HTTP2Connection {
    /// Answers a request whose fields are here.
    func take(
        _ head: inout HTTP2Head, on stream: UInt32, endsStream: Bool, _ turn: Turn, _ responder: inout Responder,
        _ workspace: inout HTTP2Workspace
    ) throws(HTTP2Refusal) {
        guard streams.count < HTTP2Connection.maximumStreams else { return try refuse(stream, .streams, turn, &responder) }
        guard let request = head.finish(hasBody: !endsStream) else {
            guard let fault = head.fault, !head.isMalformed else { return try refuse(stream, .malformed, turn, &responder) }
            try spend(4, on: .errorFlood)
            return answer(fault, head.method, on: stream, endsStream: endsStream, turn, &responder, &workspace)
        }
        regain(2)
        if turn.isFast, !endsStream || request.wantsJSON || request.expectsContinue {
            return postpone(request, head.text, on: stream, endsStream: endsStream)
        }
        answer(request, head.text.span, on: stream, endsStream: endsStream, turn, &responder, &workspace)
    }

    private func postpone(_ head: RequestHead, _ text: [UInt8], on stream: UInt32, endsStream: Bool) {
        deferred = DeferredRequest(stream: stream, head: head, text: text, endsStream: endsStream)
        needsSlowPath = true
    }

    /// - Parameter text: what the head's ranges count in.
    func answer(
        _ head: RequestHead, _ text: borrowing Span<UInt8>, on stream: UInt32, endsStream: Bool, _ turn: Turn,
        _ responder: inout Responder, _ workspace: inout HTTP2Workspace
    ) {
        swap(&responder.writer.bytes, &workspace.answer)
        responder.answersEnd = Limits.pendingAnswerBytes
        let outcome = responder.respond(to: head, text, from: peer, closes: false, isFast: turn.isFast, now: turn.second)
        responder.answersEnd = 0
        swap(&responder.writer.bytes, &workspace.answer)
        switch outcome {
        case .answered: send(on: stream, endsStream: endsStream, turn, &responder, &workspace)
        case .needsSlowPath:
            // The bytes are copied during the call.
            let copy = unsafe text.withUnsafeBufferPointer { unsafe Array($0) }
            postpone(head, copy, on: stream, endsStream: endsStream)
        case .needsBody:
            let client = responder.clientSource.client(of: head, text, peer: peer)
            open(.body(.init(head: head, fields: text.copy(head.fields), client: client)), stream, true, turn, limits.bodySeconds)
            if head.expectsContinue { sayContinue(on: stream, &responder) }
        case .needsUpstream:
            let client = responder.clientSource.client(of: head, text, peer: peer)
            let pending = HTTP2Stream.Pending(head: head, text: text.copy(HeadRange(0..<text.count)), client: client)
            open(.upstream(pending), stream, !endsStream, turn, Limits.upstreamSeconds)
            guard let request = responder.wanted else {
                return take(nil, for: stream, turn, by: &responder, in: &workspace)
            }
            responder.wanted = nil
            fetches.append(Fetch(request: request, stream: stream))
            if turn.isFast { needsSlowPath = true }
        }
    }

    private func open(
        _ state: HTTP2Stream.State, _ stream: UInt32, _ isRequestOpen: Bool, _ turn: Turn, _ seconds: Int, window: Int? = nil
    ) {
        streams.append(
            HTTP2Stream(
                number: stream, sendWindow: window ?? initialWindow, state: state, isRequestOpen: isRequestOpen,
                deadline: turn.now + .seconds(Int64(seconds))))
    }

    private func sayContinue(on stream: UInt32, _ responder: inout Responder) {
        let block: [UInt8] = (hasAnswered ? [] : [HTTP2Writer.emptiesTable]) + [0x08, 0x03] + Array("100".utf8)
        hasAnswered = true
        responder.writer.bytes.appendHeaders(block, stream: stream, endsStream: false)
    }

    /// Answers what is wrong as HTTP.
    ///
    /// - Parameter window: of the stream; nil for one that has just begun.
    func answer(
        _ fault: HTTPFault, _ method: RequestHead.Method, on stream: UInt32, window: Int? = nil, endsStream: Bool, _ turn: Turn,
        _ responder: inout Responder, _ workspace: inout HTTP2Workspace
    ) {
        swap(&responder.writer.bytes, &workspace.answer)
        responder.refuse(fault, method: method, from: peer)
        swap(&responder.writer.bytes, &workspace.answer)
        send(on: stream, window: window, endsStream: endsStream, turn, &responder, &workspace)
    }

    // MARK: Bodies

    /// Fields behind a body end it (§8.1); what they say is dropped.
    func takeTrailer(
        _ index: Int, _ head: HTTP2Head, endsStream: Bool, _ turn: Turn, _ responder: inout Responder, _ workspace: inout HTTP2Workspace
    ) throws(HTTP2Refusal) {
        let stream = streams[index]
        guard stream.isRequestOpen else { return try refuse(stream.number, .closedStream, turn, &responder) }
        guard endsStream, !head.isMalformed else { return try refuse(stream.number, .malformed, turn, &responder) }
        guard case .body = stream.state else {
            streams[index].isRequestOpen = false
            return
        }
        let nothing: [UInt8] = []
        try takeBody(nothing.span, of: 0, at: index, endsStream: true, turn, &responder, &workspace)
    }

    /// - Parameter length: of the frame, padding included, which flow control counts (§6.9.1).
    func takeBody(
        _ bytes: borrowing Span<UInt8>, of length: Int, at index: Int, endsStream: Bool, _ turn: Turn, _ responder: inout Responder,
        _ workspace: inout HTTP2Workspace
    ) throws(HTTP2Refusal) {
        let number = streams[index].number
        guard case .body(var body) = streams[index].state else { return }
        // Out of the list while it changes, or its content would be copied.
        streams[index].state = .sending(ByteBuffer())
        body.windowLeft -= length
        if body.windowLeft < 0 {
            turn.bodies?.give(body.content.count)
            return try refuse(number, .flowControl, turn, &responder)
        }
        let total = body.content.count + bytes.count
        let isTooLong = total > limits.body
        if isTooLong || turn.bodies?.take(bytes.count) == false {
            turn.bodies?.give(body.content.count)
            let window = streams[index].sendWindow
            remove(at: index, turn)
            return answer(
                isTooLong ? .bodyTooLarge : .bodiesTooLarge, body.head.method, on: number, window: window, endsStream: endsStream, turn,
                &responder, &workspace)
        }
        // The bytes are copied during the call.
        unsafe bytes.withUnsafeBufferPointer { unsafe body.content.append(contentsOf: $0) }
        if let length = body.length, total > length || (endsStream && total < length) {
            turn.bodies?.give(total)
            return try refuse(number, .bodyLength, turn, &responder)
        }
        if endsStream {
            turn.bodies?.give(total)
            let window = streams[index].sendWindow
            remove(at: index, turn)
            swap(&responder.writer.bytes, &workspace.answer)
            let outcome = responder.respond(toBody: body.content, of: body.head, fields: body.fields, from: body.client)
            swap(&responder.writer.bytes, &workspace.answer)
            if outcome == .needsUpstream, let request = responder.wanted {
                let pending = HTTP2Stream.Pending(head: body.head, text: body.fields, client: body.client, body: body.content)
                open(.upstream(pending), number, false, turn, Limits.upstreamSeconds, window: window)
                responder.wanted = nil
                return fetches.append(Fetch(request: request, stream: number))
            }
            return send(on: number, window: window, endsStream: true, turn, &responder, &workspace)
        }
        if body.windowLeft < HTTP2Connection.receiveWindow / 2 {
            appendWindowUpdate(HTTP2Connection.receiveWindow - body.windowLeft, stream: number, &responder)
            body.windowLeft = HTTP2Connection.receiveWindow
        }
        streams[index].state = .body(body)
    }

    /// What an upstream has sent for a stream; nil when it could not. A stream that is gone by then gets nothing.
    func take(
        _ content: UpstreamContent?, for stream: UInt32, _ turn: Turn, by responder: inout Responder, in workspace: inout HTTP2Workspace
    ) {
        guard let index = index(of: stream), case .upstream(let pending) = streams[index].state else { return }
        let isRequestOpen = streams[index].isRequestOpen
        let window = streams[index].sendWindow
        remove(at: index, turn)
        swap(&responder.writer.bytes, &workspace.answer)
        if let body = pending.body {
            responder.respond(
                toBody: body, of: pending.head, fields: pending.text, from: pending.client, after: content ?? .nothing)
        } else {
            responder.respond(toUpstream: content, of: pending.head, pending.text, from: pending.client, closes: false)
        }
        swap(&responder.writer.bytes, &workspace.answer)
        send(on: stream, window: window, endsStream: !isRequestOpen, turn, &responder, &workspace)
        endIfDrained()
    }

    // MARK: Sending

    /// Sends the answer in the workspace, as far as the client's windows let it.
    ///
    /// - Parameters:
    ///   - window: of the stream; nil for one that has just begun.
    ///   - endsStream: the client has ended its side.
    private func send(
        on stream: UInt32, window: Int? = nil, endsStream: Bool, _ turn: Turn, _ responder: inout Responder,
        _ workspace: inout HTTP2Workspace
    ) {
        // Given back once the client has taken it.
        let held = responder.takenManifest()
        responder.counters.http2.answers += 1
        // Taken out for the call, and put back with its buffer.
        var answer: [UInt8] = []
        swap(&answer, &workspace.answer)
        let start = workspace.writer.pack(answer.span, isFirst: !hasAnswered)
        hasAnswered = true
        var rest = answer.count - start
        let attachment = responder.writer.attachment
        responder.writer.attachment = nil
        if let attachment { rest += attachment.readableBytes }
        responder.writer.bytes.appendHeaders(workspace.writer.block, stream: stream, endsStream: rest == 0)
        var body = ByteBuffer()
        if rest > 0 {
            body = ByteBuffer(bytes: answer[start...])
            if var attachment { if body.readableBytes == 0 { body = attachment } else { body.writeBuffer(&attachment) } }
        }
        answer.removeAll(keepingCapacity: answer.capacity <= HTTP2Connection.maximumOutput)
        swap(&answer, &workspace.answer)
        guard rest > 0 else {
            if let held { held.memory.give(held.bytes) }
            return endAnswer(stream, endsStream: endsStream, turn, &responder)
        }
        streams.append(
            HTTP2Stream(
                number: stream, sendWindow: window ?? initialWindow, state: .sending(body), isRequestOpen: !endsStream,
                deadline: turn.now + .seconds(Int64(limits.idleSeconds)), held: held))
        sendBodies(turn, &responder)
    }

    /// A client that has not ended its side is told that nobody reads on (§8.1).
    private func endAnswer(_ stream: UInt32, endsStream: Bool, _ turn: Turn, _ responder: inout Responder) {
        if endsStream {
            if let index = index(of: stream) { remove(at: index, turn) } else { noteClosed(stream) }
        } else {
            reset(stream, .noError, turn, &responder)
        }
        idleDeadline = turn.now + .seconds(Int64(limits.idleSeconds))
    }

    /// Sends of all answers in turn what the client's windows and the socket have room for.
    func sendBodies(_ turn: Turn, _ responder: inout Responder) {
        var hasProgress = true
        while hasProgress, sendWindow > 0, responder.writer.bytes.count < turn.maximumOutput {
            hasProgress = false
            var index = 0
            while index < streams.count {
                let count = streams.count
                if sendPart(at: index, turn, &responder) { hasProgress = true }
                // A stream that has ended is gone.
                if streams.count == count { index += 1 }
            }
        }
        if turn.isFast, !streams.isEmpty { needsSlowPath = true }
    }

    private func sendPart(at index: Int, _ turn: Turn, _ responder: inout Responder) -> Bool {
        guard case .sending(var body) = streams[index].state else { return false }
        let stream = streams[index]
        let count = min(body.readableBytes, sendWindow, stream.sendWindow, HTTP2Frame.maximumPayload)
        guard count > 0, responder.writer.bytes.count < turn.maximumOutput, let part = body.readSlice(length: count) else { return false }
        let isEnd = body.readableBytes == 0
        responder.writer.bytes.appendFrame(.data, isEnd ? .endStream : [], stream: stream.number, length: count)
        responder.writer.bytes.append(contentsOf: part.readableBytesView)
        sendWindow -= count
        streams[index].sendWindow -= count
        streams[index].state = .sending(body)
        // Who lets bytes come in crumbs asks for frames rather than for bytes.
        if isEnd || count >= 1024 { regain(2) }
        if isEnd { endAnswer(stream.number, endsStream: !stream.isRequestOpen, turn, &responder) }
        return true
    }
}

extension Span<UInt8> {
    /// A copy of a part of a head.
    borrowing func copy(_ part: HeadRange) -> [UInt8] {
        unsafe extracting(part.range).withUnsafeBufferPointer { unsafe Array($0) }
    }
}
