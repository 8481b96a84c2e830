import NIOCore

/// Deadlines, and the ways a connection ends.
extension Connection {
    mutating func setDeadline(seconds: Int) { deadline = now + .seconds(Int64(seconds)) }

    mutating func timeOut(_ responder: inout Responder) {
        switch phase {
        case .head where scanner.hasBegun: refuse(.headTimeout, &responder)
        case .body: refuse(.bodyTimeout, &responder)
        case .upstream: take(nil, &responder)
        case .head, .idle, .lingering, .closed: close()
        }
    }

    mutating func refuse(_ fault: HTTPFault, _ responder: inout Responder) {
        responder.refuse(fault, method: body?.head.method ?? scanner.method, from: peer)
        finish(&responder)
    }

    /// Sends what is to be said, then shuts down writing, and drains what still comes before the close.
    mutating func finish(_ responder: inout Responder) {
        endBody()
        phase = .lingering
        isPaused = false
        input = ByteBuffer()
        // A client that does not take its last answer either is cut.
        setDeadline(seconds: limits.headSeconds)
        sendAnswers(&responder)
        if unsentBytes == 0 { endOutput() }
    }

    mutating func endOutput() {
        guard !outputHasEnded, !inputHasEnded else { return }
        outputHasEnded = true
        setDeadline(seconds: Limits.drainSeconds)
        actions.append(.closeOutput)
    }

    /// All that can be answered is answered, and the client has it.
    var isDone: Bool { unsentBytes == 0 && !isPaused && phase != .upstream }

    mutating func close() {
        end()
        actions.append(.close)
    }

    mutating func end() {
        endBody()
        giveManifests()
        pending = nil
        phase = .closed
    }
}
