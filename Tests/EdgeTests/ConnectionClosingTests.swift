import NIOCore
import Testing

@testable import Edge

/// The end of a connection: what is said last, what is read no more, and when the descriptor goes.
@Suite struct ConnectionClosingTests {
    @Test(arguments: [
        "GET / HTTP/1.1\nHost: b\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", " ", "GET  / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: b\r\nContent-Length: x\r\n\r\n", "GET /\u{80} HTTP/1.1\r\n",
        "GET / HTTP/3.0\r\n", "GET / HTTP/1.1\r\nX : y\r\n", "M2345678901234567",
        "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ])
    func `after a fault nothing is read as a request`(fault: String) throws {
        let rig = try ConnectionRig()
        rig.send(get("/a") + fault + get("/b"))
        rig.send(get("/c"))
        rig.send("\r\n\r\n" + get("/d"))
        let answers = try rig.answers()
        #expect(answers.count == 2)
        #expect(answers.first?.status == 301)
        #expect(answers.last.map { $0.status >= 400 && $0.closes } == true)
        #expect(rig.wire.isOutputClosed)
        rig.advance(seconds: 1)
        #expect(!rig.isOpen)
        #expect(rig.wire.received.isEmpty)
    }

    @Test(arguments: ["Connection: close", "Content-Length: 5", "Transfer-Encoding: chunked"])
    func `after the last answer nothing is read as a request`(field: String) throws {
        let rig = try ConnectionRig()
        rig.send(get("/a", field) + get("/b"))
        rig.send(get("/c"))
        let answers = try rig.answers()
        #expect(answers.map { $0["Location"] } == [atCDN("/a")])
        #expect(answers.first?.closes == true)
    }

    @Test func `HTTP 1.0 closes unless it asks to stay`() throws {
        let rig = try ConnectionRig()
        rig.send("GET /s1/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /s1/b HTTP/1.0\r\n\r\nGET /s1/c HTTP/1.0\r\n\r\n")
        let answers = try rig.answers()
        #expect(answers.map { $0["Connection"] } == ["keep-alive", "close"])
        #expect(rig.wire.isOutputClosed)
    }

    @Test func `a closing connection is drained for one second`() throws {
        let rig = try ConnectionRig()
        rig.send(get("/a", "Connection: close"))
        #expect(rig.wire.isOutputClosed)
        rig.advance(milliseconds: 500)
        rig.send("x")
        rig.advance(milliseconds: 499)
        #expect(rig.isOpen)
        rig.advance(milliseconds: 1)
        #expect(!rig.isOpen)
    }

    @Test func `a closing connection is drained of 64 KiB`() throws {
        for text in [get("/a", "Connection: close"), "?"] {
            let rig = try ConnectionRig()
            rig.send(text)
            for _ in 0..<64 { rig.send(String(repeating: "x", count: 1024)) }
            #expect(rig.isOpen)
            rig.send("x")
            #expect(!rig.isOpen)
        }
    }

    @Test func `a closing connection ends when the client ends`() throws {
        let rig = try ConnectionRig()
        rig.send(get("/a", "Connection: close"))
        #expect(rig.isOpen)
        rig.endInput()
        #expect(!rig.isOpen)
    }

    @Test func `a client that has ended its side gets all its answers`() throws {
        let rig = try ConnectionRig()
        rig.wire.isClientReading = false
        rig.send(get("/a") + get("/b"))
        rig.endInput()
        #expect(rig.isOpen)
        rig.read()
        #expect(try rig.answers().map { $0["Location"] } == [atCDN("/a"), atCDN("/b")])
        #expect(!rig.isOpen)
    }

    @Test func `a client that has ended its side during a paused pipeline gets all its answers`() throws {
        let rig = try ConnectionRig()
        rig.wire.isClientReading = false
        rig.send((0..<1000).map { get("/\($0)") }.joined())
        rig.endInput()
        #expect(rig.isOpen)
        for _ in 0..<200 where rig.isOpen { rig.read(1) }
        #expect(try rig.answers().map { $0["Location"] } == (0..<1000).map { atCDN("/\($0)") })
        #expect(!rig.isOpen)
    }

    @Test func `a client that ends in the middle of a head gets no answer`() throws {
        for text in ["", "GET / HTTP/1.1\r\n", get("/a") + "GET"] {
            let rig = try ConnectionRig()
            rig.send(text)
            let count = text.hasSuffix("GET") ? 1 : 0
            rig.endInput()
            #expect(try rig.answers().count == count)
            #expect(!rig.isOpen)
        }
    }

    @Test func `an answer that closes while the client's side has ended closes at once`() throws {
        let rig = try ConnectionRig()
        rig.wire.isClientReading = false
        rig.send(get("/a", "Connection: close"))
        rig.endInput()
        #expect(rig.isOpen)
        rig.read()
        #expect(try rig.answers().count == 1)
        #expect(!rig.isOpen)
    }

    @Test func `a worker that ends its connections says so with each next answer`() throws {
        let rig = try ConnectionRig()
        rig.send(get("/a"))
        #expect(try rig.answers().map(\.closes) == [false])
        rig.slowLoop.drain()
        #expect(rig.isOpen)
        rig.send(get("/b") + get("/c"))
        let answers = try rig.answers()
        #expect(answers.map { $0["Location"] } == [atCDN("/b")])
        #expect(answers.map(\.closes) == [true])
        #expect(rig.wire.isOutputClosed)
    }

    @Test func `an error of the socket closes without a word`() throws {
        struct Broken: Error {}
        for text in ["", "GET", get("/a"), "POST /origin HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\n"] {
            let rig = try ConnectionRig()
            rig.send(text)
            let received = rig.wire.received.count
            rig.fail(Broken())
            #expect(!rig.isOpen)
            #expect(rig.wire.received.count == received)
        }
    }

    @Test func `open connections are counted until they close`() throws {
        let rig = try ConnectionRig()
        #expect(rig.slowLoop.responder.counters.connectionsOpen == 1)
        rig.disconnect()
        #expect(rig.slowLoop.responder.counters.connectionsOpen == 0)
    }

    @Test func `a client that vanishes leaves nothing behind`() throws {
        for text in [
            "", "GET", get("/a"), get("/a") + "GET", get("/a", "Connection: close"), "?",
            "POST /origin HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\nx",
        ] {
            for reads in [true, false] {
                let rig = try ConnectionRig()
                rig.wire.isClientReading = reads
                rig.send(text)
                rig.disconnect()
                rig.advance(seconds: 100)
                #expect(rig.slowLoop.responder.counters.connectionsOpen == 0)
                #expect(rig.slowLoop.responder.writer.bytes.isEmpty, "an answer is left for the worker's next connection")
            }
        }
    }
}
