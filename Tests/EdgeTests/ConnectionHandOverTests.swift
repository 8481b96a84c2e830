import Testing

@testable import Edge

/// What the fast path leaves to the slow one: requests it has read, answers it could not send.
@Suite struct ConnectionHandOverTests {
    private static let answer = answerText("200 OK", ["Content-Length: 0"])

    @Test func `unsent answers go first, then those to the bytes that were read`() throws {
        let rig = try ConnectionRig(firstBytes: get("/a") + get("/b"), firstAnswers: Self.answer)
        #expect(try rig.answers().map(\.status) == [200, 301, 301])
        rig.send(get("/c"))
        #expect(try rig.answers().map { $0["Location"] } == [atCDN("/c")])
    }

    @Test func `an answer that was cut is finished byte by byte`() throws {
        for cut in stride(from: 0, through: Self.answer.utf8.count, by: 7) {
            let rest = String(Self.answer.unicodeScalars.dropFirst(cut))
            let rig = try ConnectionRig(firstBytes: "GET /s1/a HT", firstAnswers: rest)
            rig.send("TP/1.1\r\nHost: b\r\n\r\n")
            let received = rig.wire.takeReceived().latin1
            #expect(received.hasPrefix(rest + "HTTP/1.1 301 "))
        }
    }

    @Test func `a connection that closes after its unsent answers answers nothing more and is drained`() throws {
        let rig = try ConnectionRig(firstBytes: get("/a"), firstAnswers: Self.answer, closes: true)
        rig.send(get("/b"))
        #expect(try rig.answers().map(\.status) == [200])
        #expect(rig.wire.isOutputClosed)
        #expect(rig.isOpen)
        rig.advance(seconds: 1)
        #expect(!rig.isOpen)
    }

    /// Regression: it stayed for the five seconds of a head, without an end.
    @Test func `a connection whose last answer the fast path has sent ends at once and is drained for one second`() throws {
        let rig = try ConnectionRig(firstBytes: get("/a"), closes: true)
        rig.send(get("/b"))
        #expect(rig.wire.takeReceived() == [])
        #expect(rig.wire.isOutputClosed)
        rig.advance(milliseconds: 999)
        #expect(rig.isOpen)
        rig.advance(milliseconds: 1)
        #expect(!rig.isOpen)
    }

    @Test func `a client that does not take its unsent answers is closed in time`() throws {
        for closes in [true, false] {
            let rig = try ConnectionRig(firstAnswers: Self.answer, closes: closes, clientReads: false)
            rig.advance(seconds: 60)
            #expect(!rig.isOpen)
        }
    }

    @Test func `many unsent answers do not stop the connection`() throws {
        let answers = String(repeating: Self.answer, count: 1000)
        let rig = try ConnectionRig(firstBytes: get("/a"), firstAnswers: answers)
        rig.send(get("/b"))
        #expect(try rig.answers().map(\.status).suffix(2) == [301, 301])
        #expect(rig.isReading)
    }

    @Test func `a connection that was answered may stay idle for sixty seconds`() throws {
        let rig = try ConnectionRig(firstAnswers: Self.answer)
        rig.advance(milliseconds: 59_999)
        #expect(rig.isOpen)
        rig.advance(milliseconds: 1)
        #expect(!rig.isOpen)
    }
}
