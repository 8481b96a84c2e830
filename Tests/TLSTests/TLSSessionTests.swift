import CNIOBoringSSL
import TLSPeer
import Testing

@testable import TLS

/// Handshakes and records in memory.
struct TLSSessionTests {
    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION], [1, 2, 7, 333, RecordBuffers.maximumReceived])
    func `a handshake and its request are understood in pieces of any length`(version: CInt, piece: Int) throws {
        let talk = try Conversation(try Conversation.context(), .init(versions: version...version), piece: piece).shakeHands()
        #expect(talk.client.isEstablished && talk.server.isEstablished)
        #expect(talk.timesEstablished == 1)
        #expect(talk.server.version == (version == TLS1_2_VERSION ? .tls12 : .tls13))
        talk.say("GET / HTTP/1.1\r\n\r\n")
        #expect(talk.heard == "GET / HTTP/1.1\r\n\r\n")
        #expect(talk.reply("HTTP/1.1 301") == "HTTP/1.1 301")
        #expect(talk.end == nil)
    }

    @Test func `several records of one read are decrypted together`() throws {
        let talk = try Conversation(try Conversation.context()).shakeHands()
        for text in ["one ", "two ", "three"] { talk.client.write(text) }
        talk.deliver(talk.client.take())
        #expect(talk.heard == "one two three")
    }

    @Test func `a record of the greatest length and the read after it have room together`() throws {
        let talk = try Conversation(try Conversation.context(), piece: RecordBuffers.maximumReceived).shakeHands()
        let text = String(repeating: "x", count: 60_000)
        talk.say(text)
        #expect(talk.heard == text)
    }

    @Test func `a long answer arrives whole`() throws {
        let talk = try Conversation(try Conversation.context()).shakeHands()
        let text = String(repeating: "y", count: 70_000)
        var answer = talk.reply(text) ?? ""
        while let more = talk.client.read() { answer += more }
        #expect(answer == text)
    }

    @Test func `the handshake is two flights, and the ticket leaves with the first answer`() throws {
        let talk = try Conversation(try Conversation.context(), .init(versions: TLS1_3_VERSION...TLS1_3_VERSION))
        talk.client.handshake()
        talk.deliver(talk.client.take())
        talk.client.handshake()
        #expect(talk.client.isEstablished)
        talk.client.write("GET")
        _ = talk.server.receive(talk.client.take().span)
        #expect(talk.server.isEstablished)
        #expect(talk.records.output.isEmpty)
        #expect(talk.reply("answer") == "answer")
        #expect(talk.client.ticket != nil)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a session is resumed by another context with the same keys, and with rotated ones, and not with others`(version: CInt) throws {
        let tickets = TicketKeys()
        let options = TLSClient.Options(versions: version...version)
        let first = try Conversation(try Conversation.context(tickets: tickets), options).shakeHands()
        _ = first.reply("answer")
        let ticket = try #require(first.client.ticket)
        #expect(!first.client.isResumed && !first.server.isResumed)
        func isResumed(with tickets: TicketKeys) throws -> Bool {
            var options = options
            options.resumes = ticket
            let talk = try Conversation(try Conversation.context(tickets: tickets), options).shakeHands()
            talk.say("request")
            #expect(talk.heard == "request")
            #expect(talk.client.isResumed == talk.server.isResumed)
            return talk.server.isResumed
        }
        #expect(try isResumed(with: tickets))
        #expect(try isResumed(with: tickets.rotated()))
        #expect(try isResumed(with: tickets.rotated().rotated()))
        #expect(try !isResumed(with: tickets.rotated().rotated().rotated()), "its key is gone")
        #expect(try !isResumed(with: TicketKeys()))
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `keys of a file resume in another process, and after a rotation as long as the line is there`(version: CInt) throws {
        let (old, new) = (String(repeating: "0a", count: 32), String(repeating: "F1", count: 32))
        func keys(_ lines: String...) throws -> TicketKeys { try TicketKeys(Array(lines.joined(separator: "\n").utf8), at: "keys") }
        let options = TLSClient.Options(versions: version...version)
        let first = try Conversation(try Conversation.context(tickets: keys(old)), options).shakeHands()
        _ = first.reply("answer")
        let ticket = try #require(first.client.ticket)
        func isResumed(with tickets: TicketKeys) throws -> Bool {
            var options = options
            options.resumes = ticket
            let talk = try Conversation(try Conversation.context(tickets: tickets), options).shakeHands()
            talk.say("request")
            #expect(talk.heard == "request")
            return talk.server.isResumed
        }
        #expect(try isResumed(with: keys(old)))
        #expect(try isResumed(with: keys("# of August", new, "", "  \(old.uppercased())\r")))
        #expect(try !isResumed(with: keys(new)), "its key is gone")
        #expect(try !isResumed(with: TicketKeys()))
    }

    @Test func `a file of keys that cannot be used is refused in one line without a byte of it`() throws {
        func fault(_ text: String) -> String? {
            do {
                _ = try TicketKeys(Array(text.utf8), at: "keys")
                return nil
            } catch { return error.description }
        }
        let key = String(repeating: "5a", count: 32)
        let advice = "write 64 hexadecimal digits, as `openssl rand -hex 32` makes them"
        #expect(fault("") == "keys has no key; \(advice)")
        #expect(fault("# nothing\n\n") == "keys has no key; \(advice)")
        #expect(fault("\(key)\n\(key.dropLast())\n") == "keys: line 2 is no key; \(advice)")
        #expect(fault("\n\(key)g") == "keys: line 2 is no key; \(advice)")
        #expect(fault(String(repeating: "é", count: 64)) == "keys: line 1 is no key; \(advice)")
        #expect(fault("\(key)\n# \n\(key.uppercased())") == "keys: line 3 repeats key 1; make another by `openssl rand -hex 32`")
        let many = (0..<17).map { String(repeating: "0", count: 62) + String($0 + 16, radix: 16) }.joined(separator: "\n")
        // Regression: a byte order mark before the first line, as certificates may have it, made that no key.
        #expect(fault("\u{FEFF}\(key)\n") == nil && fault("\u{FEFF}# of August\n\(key)\n") == nil)
        #expect(fault(many) == "keys has 17 keys, and at most 16 are taken; remove the oldest, at its end")
    }

    /// A client may send what it likes as a ticket; only its own one, unchanged, resumes.
    @Test func `a ticket that was changed anywhere is no ticket, and its client shakes hands anew`() throws {
        let context = try Conversation.context()
        let first = try Conversation(context, .init(versions: 0x304...0x304)).shakeHands()
        _ = first.reply("answer")
        let ticket = try #require(first.client.ticket)
        for place in [0, 15, 16, 31, 32, 60, ticket.length - 33, ticket.length - 1] {
            let talk = try Conversation(context, .init(versions: 0x304...0x304, resumes: ticket.changed(at: place))).shakeHands()
            talk.say("request")
            #expect(talk.heard == "request" && !talk.server.isResumed, "\(place)")
        }
        #expect(try Conversation(context, .init(versions: 0x304...0x304, resumes: ticket)).shakeHands().server.isResumed)
    }

    @Test func `early data is refused, and what was sent early is said again after the handshake`() throws {
        let context = try Conversation.context()
        let first = try Conversation(context, .init(sendsEarlyData: true)).shakeHands()
        _ = first.reply("answer")
        let talk = try Conversation(context, .init(resumes: first.client.ticket, sendsEarlyData: true)).shakeHands()
        #expect(talk.client.isEstablished && !talk.client.hasEarlyDataAccepted)
        talk.say("late")
        #expect(talk.heard == "late")
    }

    @Test func `X25519MLKEM768 is spoken, and X25519, P-256, P-384 with those who lack it`() throws {
        for group in ["X25519MLKEM768", "X25519", "P-256", "P-384"] {
            let talk = try Conversation(try Conversation.context(), .init(groups: group)).shakeHands()
            #expect(talk.client.isEstablished && talk.client.group == group, "\(group)")
        }
    }

    /// SHA-256 makes a handshake cheaper than the SHA-384 of AES-256.
    @Test func `AES-128 is spoken with whoever knows it, and of the others what the client likes best`() throws {
        let context = try Conversation.context()
        func spoken(_ ciphers: [UInt16]) throws -> String {
            try Conversation(context, .init(versions: 0x304...0x304, ciphers13: ciphers)).shakeHands().client.cipher
        }
        #expect(try spoken([0x1302, 0x1303, 0x1301]) == "TLS_AES_128_GCM_SHA256")
        #expect(try spoken([0x1302, 0x1303]) == "TLS_AES_256_GCM_SHA384")
        #expect(try spoken([0x1303, 0x1302]) == "TLS_CHACHA20_POLY1305_SHA256")
    }

    @Test func `the client's order of groups decides, so that none needs a second hello`() throws {
        for group in ["P-384:X25519", "P-256:X25519MLKEM768", "X25519:X25519MLKEM768", "X25519MLKEM768:X25519"] {
            let talk = try Conversation(try Conversation.context(), .init(versions: 0x304...0x304, groups: group)).shakeHands()
            #expect(talk.client.isEstablished && talk.client.group == group.prefix { $0 != ":" }, "\(group)")
        }
    }

    @Test func `TLS 1_1 is refused with an alert that says why`() throws {
        let talk = try Conversation(try Conversation.context(), .init(versions: TLS1_1_VERSION...TLS1_1_VERSION)).shakeHands()
        #expect(talk.end == .failed(.version))
        #expect(talk.client.failure == "TLSV1_ALERT_PROTOCOL_VERSION")
    }

    @Test(arguments: ["AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES128-GCM-SHA256"])
    func `a client without a cipher in common is refused`(cipher: String) throws {
        let talk = try Conversation(try Conversation.context(), .init(versions: TLS1_2_VERSION...TLS1_2_VERSION, ciphers: cipher))
            .shakeHands()
        #expect(talk.end == .failed(.noSharedCipher))
        #expect(talk.client.failure == "SSLV3_ALERT_HANDSHAKE_FAILURE")
    }

    @Test func `HTTP 1 is chosen from what a client offers, and one that cannot speak it is refused`() throws {
        let context = try Conversation.context()
        #expect(try Conversation(context, .init(protocols: ["h2", "http/1.1"])).shakeHands().client.selectedProtocol == "http/1.1")
        #expect(try Conversation(context, .init(protocols: ["http/1.0", "http/1.1"])).shakeHands().client.selectedProtocol == "http/1.1")
        #expect(try Conversation(context, .init(protocols: ["http/1.0"])).shakeHands().client.selectedProtocol == "http/1.0")
        #expect(try Conversation(context).shakeHands().client.isEstablished)
        let talk = try Conversation(context, .init(protocols: ["h2", "spdy/3"])).shakeHands()
        #expect(talk.end == .failed(.noSharedProtocol))
        #expect(talk.client.failure == "TLSV1_ALERT_NO_APPLICATION_PROTOCOL")
    }

    @Test(arguments: ["GET / HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n", "M"])
    func `a request without TLS is recognised by its first byte`(request: String) throws {
        let talk = try Conversation(try Conversation.context(), piece: 1)
        talk.deliver(Array(request.utf8))
        #expect(talk.end == .failed(.plainHTTP))
    }

    @Test func `garbage is refused, whatever it is`() throws {
        let context = try Conversation.context()
        var random = SystemRandomNumberGenerator()
        for length in [1, 5, 6, 100, 16_384] {
            for first in [UInt8(0), 0x16, 0x80, 0xFF] {
                let talk = try Conversation(context)
                talk.deliver([first] + (1..<max(2, length)).map { _ in UInt8.random(in: 0...255, using: &random) })
                #expect(talk.end == nil || talk.end == .failed(.malformed) || talk.end == .failed(.version))
                #expect(!talk.server.isEstablished)
            }
        }
    }

    @Test func `a record that was changed on its way ends the session with an alert`() throws {
        let talk = try Conversation(try Conversation.context()).shakeHands()
        talk.client.write("request")
        var record = talk.client.take()
        record[record.count - 1] ^= 1
        talk.deliver(record)
        #expect(talk.end == .failed(.malformed))
        #expect(talk.heard.isEmpty)
        _ = talk.client.read()
        #expect(talk.client.failure == "SSLV3_ALERT_BAD_RECORD_MAC")
    }

    @Test func `what follows a failure is not written`() throws {
        let talk = try Conversation(try Conversation.context())
        talk.deliver([0x17, 3, 1, 0, 1, 99])
        #expect(talk.end == .failed(.malformed))
        let isWritten = talk.server.write([1].span)
        #expect(!isWritten)
    }

    @Test func `the end is said once, and the client is told of it`() throws {
        let talk = try Conversation(try Conversation.context()).shakeHands()
        _ = talk.server.write(Array("bye".utf8).span)
        talk.server.close()
        let length = talk.records.output.count
        talk.server.close()
        #expect(talk.records.output.count == length)
        talk.answer()
        #expect(talk.client.read() == "bye")
        #expect(talk.client.read() == nil && talk.client.isToldOfEnd)
    }

    @Test func `nothing is said at the end of a handshake that was not ended`() throws {
        let talk = try Conversation(try Conversation.context())
        talk.client.handshake()
        _ = talk.server.receive(Array(talk.client.take().prefix(100)).span)
        talk.server.close()
        #expect(talk.records.output.isEmpty)
    }

    @Test func `a client's close_notify comes after what it has said`() throws {
        let talk = try Conversation(try Conversation.context()).shakeHands()
        talk.client.write("last")
        talk.client.close()
        talk.deliver(talk.client.take())
        #expect(talk.heard == "last" && talk.end == .closed)
        #expect(talk.reply("answer") == "answer")
    }

    @Test func `an alert in the handshake ends the session`() throws {
        for (alert, failure) in [(48, TLSSession.Failure.certificate), (46, .certificate), (70, .version), (80, .alert)] {
            let talk = try Conversation(try Conversation.context(), .init(versions: TLS1_2_VERSION...TLS1_2_VERSION))
            talk.client.handshake()
            talk.deliver(talk.client.take())
            talk.deliver([0x15, 3, 3, 0, 2, 2, UInt8(alert)])
            #expect(talk.end == .failed(failure), "\(alert)")
        }
    }

    /// One inside the session needs a client of another library: test_https_sessions.py.
    @Test func `a second hello beside the session ends it`() throws {
        let talk = try Conversation(try Conversation.context(), .init(versions: TLS1_2_VERSION...TLS1_2_VERSION)).shakeHands()
        let hello = TLSClient(.init(versions: TLS1_2_VERSION...TLS1_2_VERSION))
        hello.handshake()
        talk.deliver(hello.take())
        #expect(talk.end == .failed(.malformed) && !talk.server.isOfHandshake(.malformed))
    }

    @Test func `key updates are followed and answered`() throws {
        let talk = try Conversation(try Conversation.context(), .init(versions: 0x304...0x304)).shakeHands()
        for round in 0..<100 {
            talk.client.updateKeys()
            talk.say("\(round) ")
            #expect(talk.reply("answer") == "answer")
        }
        #expect(talk.heard.hasSuffix("98 99 ") && talk.end == nil)
    }

    /// What an alert means differs by version and moment; that it ends, waits or goes on in bounds does not.
    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `an alert of any kind at any moment ends the session or passes, and a flood of them is ended`(version: CInt) throws {
        let context = try Conversation.context()
        for moment in 0..<4 {
            for level in [1, 2, 3] as [UInt8] {
                for kind in [0, 10, 40, 48, 70, 80, 90, 100, 112, 255] as [UInt8] {
                    let talk = try Conversation(context, .init(versions: version...version))
                    for _ in 0..<moment {
                        talk.client.handshake()
                        talk.deliver(talk.client.take())
                    }
                    let wasEstablished = talk.server.isEstablished
                    for _ in 0..<40 where talk.end == nil { talk.deliver([0x15, 3, 3, 0, 2, level, kind]) }
                    #expect(talk.end != nil, "\(moment) \(level) \(kind)")
                    #expect(talk.server.isEstablished == wasEstablished && talk.heard.isEmpty)
                    let isWritten = talk.server.write(Array("answer".utf8).span)
                    #expect(!isWritten || talk.end == .closed)
                }
            }
        }
    }

    @Test func `empty records without end are ended`() throws {
        let talk = try Conversation(try Conversation.context(), .init(versions: TLS1_2_VERSION...TLS1_2_VERSION))
        talk.client.handshake()
        talk.deliver(talk.client.take())
        for _ in 0..<100 where talk.end == nil { talk.deliver([0x16, 3, 3, 0, 0]) }
        #expect(talk.end != nil)
    }

    @Test func `a session goes on over other buffers, in the middle of a record`() throws {
        let talk = try Conversation(try Conversation.context()).shakeHands()
        talk.client.write("request")
        let record = talk.client.take()
        let begun = talk.server.receive(Array(record.prefix(9)).span)
        #expect(begun.count == 0 && begun.end == nil)
        let others = RecordBuffers()
        talk.server.move(to: others)
        let received = talk.server.receive(Array(record.dropFirst(9)).span)
        #expect(String(decoding: others.plaintext.prefix(received.count), as: UTF8.self) == "request")
        _ = talk.server.write(Array("answer".utf8).span)
        #expect(talk.records.output.isEmpty)
        talk.client.give(others.output)
        #expect(talk.client.read() == "answer")
    }
}
