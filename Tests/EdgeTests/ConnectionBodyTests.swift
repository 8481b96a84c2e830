import Testing

@testable import Edge

/// Bodies of `/origin`: by length, in chunks, too long, malformed, and what follows them.
@Suite struct ConnectionBodyTests {
    private static let json = "{\"video\": \"http://s1.origin-cluster/v\"}"
    private static let byLength = post("Content-Length: \(json.utf8.count)") + json
    private static let chunked =
        post("Transfer-Encoding: chunked") + "5;x=y\r\n" + json.prefix(5) + "\r\n" + hex(json.utf8.count - 5) + "\r\n" + json.dropFirst(5)
        + "\r\n0\r\nX: y\r\n\r\n"

    @Test func `a body by length and in chunks names the video, cut anywhere`() throws {
        for text in [Self.byLength, Self.chunked] {
            let bytes = Array(text.utf8)
            for cut in 0...bytes.count {
                let rig = try ConnectionRig()
                rig.send(Array(bytes[..<cut]))
                rig.send(Array(bytes[cut...]))
                try expectRedirect(rig, "cut at \(cut)")
            }
            let rig = try ConnectionRig()
            for byte in bytes { rig.send([byte]) }
            try expectRedirect(rig, "byte by byte")
        }
    }

    @Test func `a body after other requests and empty lines is read`() throws {
        let rig = try ConnectionRig()
        rig.send(get("/a") + get("/b") + "\r\n\r\n" + Self.byLength)
        let answers = try rig.answers()
        #expect(answers.map { $0["Location"] } == [atCDN("/a"), atCDN("/b"), atCDN("/v")])
        #expect(answers.map(\.closes) == [false, false, true])
    }

    @Test func `nothing after a body is read as a request`() throws {
        for text in [Self.byLength, Self.chunked] {
            for tail in [get("/x"), Self.byLength, "\u{0}garbage\r\n\r\n"] {
                let rig = try ConnectionRig()
                rig.send(text + tail)
                rig.send(get("/y"))
                try expectRedirect(rig, tail)
                #expect(rig.isOpen, "unread input is drained, not reset away: \(tail)")
            }
        }
    }

    @Test func `a body that was not asked for is not read as a request`() throws {
        let rig = try ConnectionRig()
        rig.send(get("/a", "Content-Length: \(get("/x").utf8.count)") + get("/x"))
        let answers = try rig.answers()
        #expect(answers.map { $0["Location"] } == [atCDN("/a")])
        #expect(answers.first?.closes == true)
        #expect(rig.wire.isOutputClosed)
    }

    @Test func `an Upgrade changes nothing for a body`() throws {
        let rig = try ConnectionRig()
        rig.send(Self.post("Content-Length: \(Self.json.utf8.count)", "Connection: upgrade", "Upgrade: h2c") + Self.json)
        try expectRedirect(rig, "")
    }

    @Test func `a client that expects 100 gets it before the answer`() throws {
        let rig = try ConnectionRig()
        rig.send(Self.post("Content-Length: \(Self.json.utf8.count)", "Expect: 100-continue"))
        #expect(rig.wire.takeReceived().latin1 == "HTTP/1.1 100 Continue\r\n\r\n")
        rig.send(Self.json)
        try expectRedirect(rig, "")
    }

    @Test func `no 100 is sent when the answer needs no body or refuses it`() throws {
        for text in [
            get("/a", "Expect: 100-continue", "Content-Length: 5"), Self.post("Content-Length: 65537", "Expect: 100-continue"),
            Self.post("Expect: x", "Content-Length: 1"),
        ] {
            let rig = try ConnectionRig()
            rig.send(text)
            let answers = try rig.answers()
            #expect(answers.count == 1)
            #expect(answers.first.map { [301, 413, 417].contains($0.status) && $0.closes } == true)
        }
    }

    @Test func `a declared length over the limit is refused at once`() throws {
        for (length, isRefused) in [("65536", false), ("65537", true), ("999999999999999999", true)] {
            let rig = try ConnectionRig()
            rig.send(Self.post("Content-Length: \(length)"))
            #expect(try rig.answers().map(\.status) == (isRefused ? [413] : []))
        }
    }

    @Test func `a body of just the limit is read`() throws {
        var limits = Limits()
        limits.body = Self.json.utf8.count
        let rig = try ConnectionRig(limits: limits)
        rig.send(Self.byLength)
        try expectRedirect(rig, "")
    }

    @Test func `what follows a body of just the limit does not make it too large`() throws {
        var limits = Limits()
        limits.body = Self.json.utf8.count
        let rig = try ConnectionRig(limits: limits)
        rig.send(Self.byLength + get("/x"))
        try expectRedirect(rig, "")
    }

    @Test func `chunks over the limit are refused when it is passed, framing included`() throws {
        let rig = try ConnectionRig()
        rig.send(Self.post("Transfer-Encoding: chunked"))
        var sent = 0
        while sent + 1030 <= 64 * 1024 {
            rig.send("400\r\n\(String(repeating: " ", count: 1024))\r\n")
            sent += 1031
        }
        if sent < 64 * 1024 { rig.send("400\r\n" + String(repeating: " ", count: 64 * 1024 - sent - 5)) }
        #expect(try rig.answers().isEmpty)
        rig.send("  ")
        let answers = try rig.answers()
        #expect(answers.map(\.status) == [413])
        #expect(answers.first?.closes == true)
    }

    @Test func `chunk extensions and trailers count towards the limit`() throws {
        for filling in ["1;", "0\r\nX: "] {
            let rig = try ConnectionRig()
            rig.send(Self.post("Transfer-Encoding: chunked") + filling)
            for _ in 0..<70 { rig.send(String(repeating: "x", count: 1024)) }
            #expect(try rig.answers().map(\.status) == [413])
        }
    }

    @Test(arguments: [
        "x\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n", "1_0\r\n", "\r\n", "1\n\"", "1\r\nab\r\n", "1\r\na\n", "1\r\naX",
        "0\r\nX : y\r\n\r\n", "0\r\n\r\r",
    ])
    func `malformed chunks are refused at once`(chunks: String) throws {
        let rig = try ConnectionRig()
        rig.send(Self.post("Transfer-Encoding: chunked") + chunks)
        let answers = try rig.answers()
        #expect(answers.map(\.status) == [400])
        #expect(answers.first?.closes == true)
        #expect(rig.isOpen, "unread input is drained, not reset away")
    }

    @Test func `a body that ends early gets no redirect, and the connection ends`() throws {
        for text in [Self.byLength.dropLast(), Self.chunked.dropLast(), Self.chunked.dropLast(8)] {
            let rig = try ConnectionRig()
            rig.send(String(text))
            rig.endInput()
            #expect(try rig.answers().filter { $0.status < 400 }.isEmpty)
            #expect(!rig.isOpen)
        }
    }

    @Test func `HTTP 1.0 bodies are read by their length`() throws {
        let rig = try ConnectionRig()
        rig.send("POST /origin HTTP/1.0\r\nContent-Length: \(Self.json.utf8.count)\r\nConnection: keep-alive\r\n\r\n" + Self.json)
        try expectRedirect(rig, "")
    }

    /// A second parser read the version its own way: 400, after a 100 where that was asked for.
    @Test(arguments: 2...9) func `regression: HTTP 1.2 to 1.9 with a body are read as 1.1`(minor: Int) throws {
        for text in [Self.byLength, Self.chunked] {
            let rig = try ConnectionRig()
            rig.send(text.replacing("HTTP/1.1", with: "HTTP/1.\(minor)"))
            try expectRedirect(rig, text)
        }
    }

    @Test func `regression: a chunk beyond the limit is 413 at once`() throws {
        let rig = try ConnectionRig()
        rig.send(Self.post("Transfer-Encoding: chunked") + "10001")
        #expect(try rig.answers().map(\.status) == [413])
    }

    private func expectRedirect(_ rig: ConnectionRig, _ comment: String) throws {
        let answers = try rig.answers()
        #expect(answers.map { $0["Location"] } == [atCDN("/v")], "\(comment)")
        #expect(answers.first?.closes == true, "\(comment)")
        #expect(rig.wire.isOutputClosed, "\(comment)")
    }

    private static func post(_ fields: String...) -> String { HeadVector.head("POST /origin HTTP/1.1", ["Host: b"] + fields) }

    private static func hex(_ number: Int) -> String { String(number, radix: 16) }
}
