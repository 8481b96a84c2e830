import Testing

@testable import Edge

/// Clients that send without reading.
@Suite struct ConnectionBackpressureTests {
    @Test func `a client that never reads is not read from, and costs bounded memory`() throws {
        let rig = try ConnectionRig()
        rig.wire.isClientReading = false
        let requests = (0..<100).map { get("/\($0)") }.joined()
        for _ in 0..<400 { rig.send(requests) }
        #expect(!rig.isReading)
        #expect(rig.undeliveredBytes > 1_000_000)
        #expect(rig.wire.maximumHeld <= 192 * 1024, "\(rig.wire.maximumHeld) bytes of answers wait")
        #expect(rig.inputCapacity <= 128 * 1024)
        #expect(rig.slowLoop.responder.writer.bytes.isEmpty)
        rig.advance(milliseconds: 59_999)
        #expect(rig.isOpen)
        rig.advance(milliseconds: 1)
        #expect(!rig.isOpen)
    }

    @Test func `reading goes on when the client reads, and no answer is lost`() throws {
        let rig = try ConnectionRig()
        rig.wire.isClientReading = false
        for round in 0..<40 { rig.send((0..<100).map { get("/\(round * 100 + $0)") }.joined()) }
        #expect(!rig.isReading)
        for _ in 0..<200 { rig.read(20_000) }
        #expect(rig.isReading)
        #expect(rig.undeliveredBytes == 0)
        #expect(try rig.answers().map { $0["Location"] } == (0..<4000).map { atCDN("/\($0)") })
        rig.send(get("/last"))
        rig.read()
        #expect(try rig.answers().map { $0["Location"] } == [atCDN("/last")])
    }

    @Test func `many answers to one write are sent in turns, not piled up`() throws {
        let rig = try ConnectionRig()
        rig.send((0..<1000).map { get("/\($0)") }.joined())
        #expect(try rig.answers().count == 1000)
        #expect(rig.wire.maximumHeld <= 80 * 1024, "\(rig.wire.maximumHeld) bytes at once")
        #expect(rig.isReading)
    }

    @Test func `a fault at the end of a paused pipeline is answered and drained`() throws {
        let rig = try ConnectionRig()
        rig.wire.isClientReading = false
        rig.send((0..<1000).map { get("/\($0)") }.joined() + " bad")
        #expect(!rig.isReading)
        for _ in 0..<1000 where !rig.wire.isOutputClosed { rig.read(20_000) }
        let answers = try rig.answers()
        #expect(answers.count == 1001)
        #expect(answers.last?.status == 400)
        #expect(rig.isReading)
        rig.advance(seconds: 1)
        #expect(!rig.isOpen)
    }
}
