import NIOCore

/// What goes out, and what waits while the client does not take it.
extension Connection {
    mutating func sendAnswers(_ responder: inout Responder) {
        guard !responder.writer.bytes.isEmpty else { return }
        let bytes = ByteBuffer(bytes: responder.writer.bytes)
        responder.writer.bytes.removeAll(keepingCapacity: true)
        send(bytes, attachment: responder.writer.attachment, &responder)
        responder.writer.attachment = nil
    }

    mutating func send(_ bytes: ByteBuffer, attachment: ByteBuffer?, _ responder: inout Responder) {
        unsentBytes += bytes.readableBytes + (attachment?.readableBytes ?? 0)
        actions.append(.send(bytes, attachment: attachment))
    }

    mutating func followReading() {
        let reads = !isPaused && phase != .upstream
        guard reads != isReading else { return }
        isReading = reads
        actions.append(reads ? .startReading : .stopReading)
    }

    mutating func take(sent count: Int) {
        unsentBytes -= count
        if unsentBytes == 0 { giveManifests() }
        if isPaused, unsentBytes < Connection.resumesBelow { actions.append(.resumeLater) }
        if phase == .lingering, unsentBytes == 0 { endOutput() }
    }

    /// The idle deadline has run on.
    mutating func resume(_ responder: inout Responder) {
        guard isPaused, unsentBytes < Connection.resumesBelow else { return }
        isPaused = false
        answer(&responder)
    }
}
