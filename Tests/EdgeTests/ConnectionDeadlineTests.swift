import Testing

@testable import Edge

/// Deadlines are absolute: bytes that drip in do not move them.
@Suite struct ConnectionDeadlineTests {
    @Test func `a head that is not whole after five seconds is refused, dripping or not`() throws {
        for drips in [false, true] {
            let rig = try ConnectionRig()
            rig.send("GET /")
            for _ in 0..<49 {
                rig.advance(milliseconds: 100)
                if drips { rig.send("x") }
            }
            rig.advance(milliseconds: 99)
            #expect(rig.wire.received.isEmpty)
            rig.advance(milliseconds: 1)
            try expectTimeout(rig, "head-timeout")
        }
    }

    @Test func `the first head's time begins when the connection is accepted`() throws {
        let rig = try ConnectionRig()
        rig.advance(milliseconds: 4900)
        rig.send("GET / HTTP/1.1\r\n")
        rig.advance(milliseconds: 100)
        try expectTimeout(rig, "head-timeout")
    }

    @Test func `a later head's time begins with its first byte`() throws {
        let rig = try ConnectionRig()
        rig.send(get("/a"))
        rig.advance(seconds: 50)
        _ = rig.wire.takeReceived()
        rig.send("G")
        rig.send("ET /")
        for _ in 0..<49 {
            rig.advance(milliseconds: 100)
            rig.send("x")
        }
        #expect(rig.wire.received.isEmpty)
        rig.advance(milliseconds: 100)
        try expectTimeout(rig, "head-timeout")
    }

    @Test func `the rest of a pipeline has a head's time too`() throws {
        let rig = try ConnectionRig()
        rig.send(get("/a") + "GET /b")
        #expect(try rig.answers().count == 1)
        rig.advance(milliseconds: 4999)
        #expect(rig.wire.received.isEmpty)
        rig.advance(milliseconds: 1)
        try expectTimeout(rig, "head-timeout")
    }

    @Test func `a connection that never sent a byte is closed after five seconds without a word`() throws {
        let rig = try ConnectionRig()
        rig.advance(milliseconds: 4999)
        #expect(rig.isOpen)
        rig.advance(milliseconds: 1)
        #expect(!rig.isOpen)
        #expect(rig.wire.received.isEmpty)
    }

    @Test func `a connection that sent only empty lines is closed without a word`() throws {
        let rig = try ConnectionRig()
        rig.send("\r\n\r\n")
        rig.advance(seconds: 5)
        #expect(!rig.isOpen)
        #expect(rig.wire.received.isEmpty)
    }

    @Test func `an idle connection is closed after sixty seconds without a word`() throws {
        let rig = try ConnectionRig()
        for _ in 0..<3 {
            rig.send(get("/a"))
            _ = rig.wire.takeReceived()
            rig.advance(milliseconds: 59_999)
            #expect(rig.isOpen)
        }
        rig.advance(milliseconds: 1)
        #expect(!rig.isOpen)
        #expect(rig.wire.received.isEmpty)
    }

    @Test func `a body that is not whole after ten seconds is refused, dripping or not`() throws {
        for drips in [false, true] {
            let rig = try ConnectionRig()
            rig.send("POST /origin HTTP/1.1\r\nHost: b\r\n")
            rig.advance(seconds: 4)
            rig.send("Content-Length: 500\r\n\r\n")
            for _ in 0..<99 {
                rig.advance(milliseconds: 100)
                if drips { rig.send(" ") }
            }
            rig.advance(milliseconds: 99)
            #expect(rig.wire.received.isEmpty)
            rig.advance(milliseconds: 1)
            try expectTimeout(rig, "body-timeout")
        }
    }

    @Test func `the limits' seconds are kept`() throws {
        var limits = Limits()
        limits.headSeconds = 1
        limits.bodySeconds = 2
        limits.idleSeconds = 3
        let head = try ConnectionRig(limits: limits)
        head.send("GET")
        head.advance(seconds: 1)
        try expectTimeout(head, "head-timeout")
        let body = try ConnectionRig(limits: limits)
        body.send("POST /origin HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\n")
        body.advance(seconds: 2)
        try expectTimeout(body, "body-timeout")
        let idle = try ConnectionRig(limits: limits)
        idle.send(get("/a"))
        idle.advance(milliseconds: 2999)
        #expect(idle.isOpen)
        idle.advance(milliseconds: 1)
        #expect(!idle.isOpen)
    }

    @Test func `a deadline ends a client that does not take its answers either`() throws {
        for (text, seconds) in [
            (get("/a") + "GET /b", 5), (get("/a") + "POST /origin HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\n", 10), (get("/a"), 60),
            (get("/a", "Connection: close"), 60),
        ] {
            let rig = try ConnectionRig()
            rig.wire.isClientReading = false
            rig.send(text)
            rig.advance(seconds: seconds)
            rig.advance(seconds: 60)
            #expect(!rig.isOpen, "\(seconds) s")
        }
    }

    private func expectTimeout(_ rig: ConnectionRig, _ name: String) throws {
        let answers = try rig.answers()
        #expect(answers.map(\.status) == [408])
        #expect(answers.first?.closes == true)
        #expect(rig.slowLoop.responder.counters.refusals == [.init(status: 408, reason: name): 1])
        #expect(rig.wire.isOutputClosed)
        #expect(rig.isOpen, "what the client still sends is drained")
        rig.send(get("/late"))
        rig.advance(seconds: 1)
        #expect(try rig.answers().isEmpty)
        #expect(!rig.isOpen)
    }
}
