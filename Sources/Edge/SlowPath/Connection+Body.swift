import NIOCore
import Steering

/// Requests whose video stands in a body.
extension Connection {
    /// The answer to a request, until its body is here.
    struct RequestBody {
        let head: RequestHead
        let fields: [UInt8]
        let client: ClientAddress
        var reader: BodyReader
        /// Bytes, framing included.
        var received = 0
        /// What is taken of the memory for bodies.
        var held = 0
    }

    /// The connection closes after an answer to a body, so this is its last message.
    mutating func beginBody(_ head: RequestHead, _ responder: inout Responder) {
        if case .length(let length) = head.body, length > limits.body { return refuse(.bodyTooLarge, &responder) }
        let client = responder.clientSource.client(of: head, input.readableBytesUInt8Span, peer: peer)
        body = RequestBody(head: head, fields: copied(head.fields), client: client, reader: BodyReader(head.body, limit: limits.body))
        phase = .body
        setDeadline(seconds: limits.bodySeconds)
        if head.expectsContinue { responder.writer.append("HTTP/1.1 100 Continue\r\n\r\n") }
        sendAnswers(&responder)
        input.moveReaderIndex(forwardBy: head.length)
        let first = input
        input = ByteBuffer()
        takeBody(first, &responder)
    }

    /// What follows the body belongs to no request: the connection ends with its answer.
    mutating func takeBody(_ bytes: ByteBuffer, _ responder: inout Responder) {
        // Moved out and back: a copy would copy the content too.
        guard var body else { return }
        self.body = nil
        let outcome = body.take(bytes, limits, bodies)
        let (head, fields, client) = (body.head, body.fields, body.client)
        self.body = body
        switch outcome {
        case .incomplete: break
        case .fault(let fault): refuse(fault, &responder)
        case .complete:
            let outcome = responder.respond(toBody: body.reader.content, of: head, fields: fields, from: client)
            if outcome == .needsUpstream { return beginUpstream(after: body, &responder) }
            finish(&responder)
        }
    }

    mutating func endBody() {
        if let body { bodies.give(body.held) }
        body = nil
    }
}

extension Connection.RequestBody {
    mutating func take(_ bytes: ByteBuffer, _ limits: Limits, _ bodies: BodyMemory) -> BodyReader.Outcome {
        var bytes = bytes
        if case .length(let length) = head.body {
            bytes = bytes.getSlice(at: bytes.readerIndex, length: min(bytes.readableBytes, length - received)) ?? bytes
        }
        received += bytes.readableBytes
        guard received <= limits.body else { return .fault(.bodyTooLarge) }
        guard bodies.take(bytes.readableBytes) else { return .fault(.bodiesTooLarge) }
        held += bytes.readableBytes
        return reader.take(bytes.readableBytesUInt8Span)
    }
}
