import NIOCore
import Steering

/// Requests whose answer has to be fetched first.
extension Connection {
    /// The answer to a request, until the upstream has spoken.
    struct PendingUpstream {
        let head: RequestHead
        let target: [UInt8]
        let fields: [UInt8]
        let client: ClientAddress
        let number: Int
    }

    mutating func beginUpstream(_ head: RequestHead, _ responder: inout Responder) {
        fetches += 1
        let client = responder.clientSource.client(of: head, input.readableBytesUInt8Span, peer: peer)
        let target = copied(head.target)
        pending = PendingUpstream(head: head, target: target, fields: copied(head.fields), client: client, number: fetches)
        input.moveReaderIndex(forwardBy: head.length)
        phase = .upstream
        setDeadline(seconds: Limits.upstreamSeconds)
        sendAnswers(&responder)
        actions.append(.fetch(target, number: fetches))
    }

    mutating func take(_ content: EdgePage?, _ responder: inout Responder) {
        guard let pending else { return }
        self.pending = nil
        let closes = pending.head.closes || isDraining
        responder.respond(
            toUpstream: content, of: pending.head, target: pending.target, fields: pending.fields, from: pending.client, closes: closes)
        endAnswer(closes: closes, &responder)
        answer(&responder)
    }
}
