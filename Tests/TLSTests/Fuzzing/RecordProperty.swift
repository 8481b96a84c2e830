import TLSPeer

@testable import TLS

/// One session under a client that sends good records, damaged ones and none at all, cut as reads cut them: what the server hears is the
/// beginning of what was said, what it writes is bounded, and after its end it is quiet.
struct RecordProperty {
    private let contexts: [TLSContext]
    private let tickets: [TLSClient.Resumption?]
    /// More is written to no client that has asked for nothing: a flight of the handshake, answers to key updates, an alert.
    private static let maximumWritten = 16 * 1024

    init() throws {
        contexts = [
            try TLSContext([Conversation.certificate(["a.example.com"]), Conversation.certificate(["*.b.example"])], tickets: TicketKeys())
        ]
        let first = try Conversation(contexts[0], .init(versions: 0x304...0x304)).shakeHands()
        _ = first.reply("answer")
        tickets = [nil, first.client.ticket]
    }

    /// What the client asks for: the first of each kind is what a good one does, others meet each way in which a handshake is refused.
    private static func options(_ kind: UInt8, _ flavour: UInt8, _ ticket: TLSClient.Resumption?) -> TLSClient.Options {
        var options = TLSClient.Options(versions: kind & 1 == 0 ? 0x303...0x304 : 0x303...0x303, resumes: kind & 2 == 0 ? nil : ticket)
        options.name = [nil, "a.example.com", "x.b.example", "unknown.example"][Int(flavour >> 4) % 4]
        switch flavour & 0xF {
        case 1: options.protocols = ["h2"]
        case 2: options.signatures = "rsa_pss_rsae_sha256"
        case 3: options.groups = "P-521"
        case 4: (options.versions, options.ciphers) = (0x303...0x303, "ECDHE-RSA-AES128-GCM-SHA256")
        case 5: options.versions = 0x302...0x302
        case 6: options.protocols = ["http/1.0", "http/1.1"]
        case 7: options.sendsEarlyData = true
        default: break
        }
        return options
    }

    /// What the client does next.
    private enum Step: UInt8, CaseIterable {
        case handshake, say, update, close, raw, damage, drop, repeats, move
    }

    /// What is wrong with a session that `script` drives; nil when nothing is.
    func fault(_ script: [UInt8]) throws -> String? {
        var bytes = script[...]
        let kind = bytes.popFirst() ?? 0
        let flavour = bytes.popFirst() ?? 0
        let client = TLSClient(RecordProperty.options(kind, flavour, tickets[1]))
        var talk = Talk(server: try TLSSession(contexts[0], over: RecordBuffers()), client: client, piece: 1 + Int(kind >> 2) * 60)
        talk.isHonest = !(1...5).contains(flavour & 0xF)
        while let step = bytes.popFirst() {
            let count = Int(bytes.popFirst() ?? 0)
            switch Step.allCases[Int(step) % Step.allCases.count] {
            case .handshake: client.handshake()
            case .say where client.isEstablished:
                let text = String(
                    repeating: Character(Unicode.Scalar(UInt8(97 + count % 26))), count: 1 + count * (count & 1 == 0 ? 1 : 100))
                talk.said += text
                client.write(text)
            case .update where client.isEstablished: client.updateKeys()
            case .close where client.isEstablished: client.close()
            case .raw:
                talk.isHonest = false
                talk.pending += bytes.prefix(count)
                bytes = bytes.dropFirst(count)
            case .damage:
                talk.pending += client.take()
                guard !talk.pending.isEmpty else { continue }
                talk.isHonest = false
                talk.pending[count * talk.pending.count / 256] ^= bytes.popFirst() ?? 1
            case .drop:
                talk.isHonest = false
                talk.pending = talk.pending.dropLast(count)
            case .repeats:
                talk.isHonest = false
                talk.pending += talk.pending.suffix(count)
            case .move: talk.move()
            default: break
            }
            talk.pending += client.take()
            if let fault = talk.deliver() { return fault }
        }
        return nil
    }

    /// How a whole handshake of a client ends; nil when it does not fail.
    func failure(_ flavour: UInt8) throws -> TLSSession.Failure? {
        let talk = try Conversation(contexts[0], RecordProperty.options(0, flavour, nil)).shakeHands()
        if case .failed(let failure)? = talk.end { return failure }
        return nil
    }

    /// A session, its client, and what either has said.
    private struct Talk {
        let server: TLSSession
        let client: TLSClient
        /// Bytes of a read.
        let piece: Int
        var records: RecordBuffers
        var pending: [UInt8] = []
        var said = ""
        private var heard = ""
        private var end: TLSSession.End?
        /// Only what the client's library has made was sent, in its order.
        var isHonest = true

        init(server: TLSSession, client: TLSClient, piece: Int) {
            (self.server, self.client, self.piece) = (server, client, piece)
            records = RecordBuffers()
            server.move(to: records)
        }

        mutating func move() {
            records = RecordBuffers()
            server.move(to: records)
        }

        mutating func deliver() -> String? {
            var rest = pending[...]
            pending = []
            while !rest.isEmpty, end == nil {
                let wasEstablished = server.isEstablished
                let read = Array(rest.prefix(piece))
                let received = server.receive(read.span)
                rest = rest.dropFirst(piece)
                guard received.count <= records.plaintext.count else { return "it has decrypted more than there is room for" }
                heard += String(decoding: records.plaintext.prefix(received.count), as: UTF8.self)
                end = received.end
                if received.hasBecomeEstablished == wasEstablished, server.isEstablished != wasEstablished {
                    return "it is established without a word, or twice"
                }
                if received.count > 0, !server.isEstablished { return "it has heard \(received.count) bytes before the handshake's end" }
                if records.output.count > RecordProperty.maximumWritten { return "it has written \(records.output.count) bytes unasked" }
                client.give(records.output)
                records.output = []
            }
            if !said.hasPrefix(heard) { return "it has heard what was not said" }
            if isHonest, case .failed(let failure)? = end, failure != .malformed { return "an honest client has failed: \(failure)" }
            if end == nil, server.isEstablished, !server.write(Array("answer".utf8).span) { return "it cannot answer" }
            client.give(records.output)
            records.output = []
            _ = client.read()
            return nil
        }
    }
}
