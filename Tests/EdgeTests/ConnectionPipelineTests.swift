import Testing

@testable import Edge

/// Many requests on one connection: each gets its answer, in order, however the bytes come.
@Suite struct ConnectionPipelineTests {
    private static let thousand = (0..<1000).map { get("/video/\($0)/x.m3u8") }

    @Test func `a thousand requests in one write get a thousand answers in order`() throws {
        let rig = try ConnectionRig()
        rig.send(Self.thousand.joined())
        try expectAnswers(rig, count: 1000)
        #expect(rig.isOpen)
    }

    @Test func `a thousand requests that came with the connection get a thousand answers in order`() throws {
        try expectAnswers(ConnectionRig(firstBytes: Self.thousand.joined()), count: 1000)
    }

    @Test func `requests byte by byte are answered one at a time`() throws {
        let rig = try ConnectionRig()
        for (index, request) in Self.thousand.prefix(20).enumerated() {
            for byte in request.utf8.dropLast() { rig.send([byte]) }
            #expect(rig.wire.received.isEmpty)
            rig.send("\n")
            #expect(try rig.answers().map { $0["Location"] } == [atCDN("/video/\(index)/x.m3u8")])
        }
    }

    @Test func `a cut at any byte of the first three of many changes nothing`() throws {
        let text = Array(Self.thousand.prefix(50).joined().utf8)
        for cut in 0...Self.thousand.prefix(3).joined().utf8.count {
            let rig = try ConnectionRig()
            rig.send(Array(text[..<cut]))
            rig.send(Array(text[cut...]))
            try expectAnswers(rig, count: 50, "cut at \(cut)")
        }
    }

    @Test func `a cut at any byte after the accepted bytes changes nothing`() throws {
        let text = Self.thousand.prefix(3).joined()
        for cut in 1..<text.utf8.count {
            let rig = try ConnectionRig(firstBytes: String(text.unicodeScalars.prefix(cut)))
            rig.send(String(text.unicodeScalars.dropFirst(cut)))
            try expectAnswers(rig, count: 3, "cut at \(cut)")
        }
    }

    @Test func `random pieces of many requests change nothing`() throws {
        var random = SplitMix64(for: "pipelines in pieces")
        for round in 0..<20 {
            let rig = try ConnectionRig()
            var rest = Array(Self.thousand.prefix(100).joined().utf8)[...]
            while !rest.isEmpty {
                let count = min(rest.count, random.number(1...(round < 10 ? 20 : 2000)))
                rig.send(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            try expectAnswers(rig, count: 100, "round \(round)")
        }
    }

    @Test func `empty lines between requests are passed over`() throws {
        let rig = try ConnectionRig()
        rig.send("\r\n" + get("/a") + "\r\n\r\n" + get("/b"))
        #expect(try rig.answers().map { $0["Location"] } == [atCDN("/a"), atCDN("/b")])
    }

    @Test func `answers of all kinds keep their order`() throws {
        let rig = try ConnectionRig()
        rig.send(
            get("/a") + "GET /livez HTTP/1.1\r\nHost: b\r\n\r\n" + "GET /x HTTP/1.1\r\nHost: b\r\n\r\n"
                + "OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n" + get("/b"))
        #expect(try rig.answers().map(\.status) == [301, 200, 404, 204, 301])
        #expect(rig.isOpen)
    }

    @Test func `a connection's memory does not grow with the requests it has had`() throws {
        let rig = try ConnectionRig()
        let request = Array(get("/a", "X: \(String(repeating: "x", count: 900))").utf8)
        rig.send(Array(request[..<500]))
        for _ in 0..<2000 { rig.send(Array(request[500...] + request[..<500])) }
        #expect(try rig.answers().count == 2000)
        #expect(rig.inputCapacity <= 256 * 1024, "\(rig.inputCapacity) bytes are kept for half a request")
    }

    @Test func `two connections of one worker get their own answers`() throws {
        let (one, two) = (try ConnectionRig(), try ConnectionRig())
        one.send(String(get("/one").dropLast(1)))
        two.send(get("/two"))
        #expect(try two.answers().map { $0["Location"] } == [atCDN("/two")])
        #expect(one.wire.received.isEmpty)
    }

    private func expectAnswers(_ rig: ConnectionRig, count: Int, _ comment: String = "") throws {
        let locations = try rig.answers().map { $0["Location"] }
        #expect(locations == (0..<count).map { atCDN("/video/\($0)/x.m3u8") }, "\(comment)")
    }
}
