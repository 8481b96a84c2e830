import NIOCore
import Steering

/// Requests whose answer has to be fetched first.
extension Connection {
    /// The answer to a request, until the upstream has spoken.
    struct PendingUpstream {
        let head: RequestHead
        /// The whole head.
        let bytes: [UInt8]
        let client: ClientAddress
        let number: Int
        /// Where the video stands in a body: `bytes` are the head's field lines then.
        var body: [UInt8]?
    }

    mutating func beginUpstream(_ head: RequestHead, _ responder: inout Responder) {
        fetches += 1
        let client = responder.clientSource.client(of: head, input.readableBytesUInt8Span, peer: peer)
        let bytes = copied(HeadRange(0..<head.length))
        input.moveReaderIndex(forwardBy: head.length)
        suspend(with: PendingUpstream(head: head, bytes: bytes, client: client, number: fetches), &responder)
    }

    /// The connection ends with the answer.
    mutating func beginUpstream(after body: RequestBody, _ responder: inout Responder) {
        fetches += 1
        suspend(
            with: PendingUpstream(
                head: body.head, bytes: body.fields, client: body.client, number: fetches, body: body.reader.content), &responder)
    }

    private mutating func suspend(with pending: PendingUpstream, _ responder: inout Responder) {
        self.pending = pending
        phase = .upstream
        setDeadline(seconds: Limits.upstreamSeconds)
        sendAnswers(&responder)
        guard let request = responder.wanted else { return take(nil, &responder) }
        responder.wanted = nil
        actions.append(.fetch(request, number: fetches))
    }

    mutating func take(_ content: UpstreamContent?, _ responder: inout Responder) {
        guard pending != nil else { return }
        end(content, &responder)
        answer(&responder)
    }

    /// Answers the request; others behind it are left where they are.
    private mutating func end(_ content: UpstreamContent?, _ responder: inout Responder) {
        guard let pending else { return }
        self.pending = nil
        if let body = pending.body {
            responder.respond(
                toBody: body, of: pending.head, fields: pending.bytes, from: pending.client, after: content ?? .nothing)
            return finish(&responder)
        }
        let closes = pending.head.closes || isDraining
        responder.respond(
            toUpstream: content, of: pending.head, pending.bytes, from: pending.client, closes: closes)
        endAnswer(closes: closes, &responder)
    }

    /// The client has not taken a manifest yet that it was answered with.
    mutating func holdManifest(of responder: inout Responder) {
        if let taken = responder.takenManifest() { held = (taken.memory, (held?.bytes ?? 0) + taken.bytes) }
    }

    /// The client has taken them, or never will.
    mutating func giveManifests() {
        if let held { held.memory.give(held.bytes) }
        held = nil
    }
}
