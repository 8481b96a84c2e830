import TLSPeer

@testable import TLS

/// A client and a server session with nothing but memory between them.
final class Conversation {
    let client: TLSClient
    let records = RecordBuffers()
    let server: TLSSession
    /// What the server has decrypted.
    private(set) var heard = ""
    /// How the server's side ended.
    private(set) var end: TLSSession.End?
    private(set) var timesEstablished = 0
    private let piece: Int

    /// - Parameter piece: bytes that the server gets at once.
    init(_ context: TLSContext, _ options: TLSClient.Options = .init(), piece: Int = RecordBuffers.maximumReceived) throws {
        client = TLSClient(options)
        server = try TLSSession(context, over: records)
        self.piece = piece
    }

    /// The first certificate is `first`'s; tickets are those of `tickets`.
    static func context(_ names: [String] = ["balancer.example.com"], tickets: TicketKeys = TicketKeys()) throws -> TLSContext {
        try TLSContext([try certificate(names)], tickets: tickets)
    }

    static func certificate(_ names: [String]) throws -> ServerCertificate {
        let files = try SelfSigned.make(names: names, from: 1_600_000_000, until: 4_000_000_000)
        return try ServerCertificate(chain: files.chain, key: files.key, at: ("cert.pem", "key.pem"))
    }

    /// The handshake, to its end or failure.
    func shakeHands() -> Conversation {
        for _ in 0..<4 {
            client.handshake()
            deliver(client.take())
        }
        return self
    }

    /// Gives bytes to the server, and what it says to the client.
    func deliver(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty, end == nil {
            let received = server.receive(rest.span.extracting(0..<min(piece, rest.count)))
            rest = rest.dropFirst(piece)
            heard += String(decoding: records.plaintext.prefix(received.count), as: UTF8.self)
            end = received.end
            if received.hasBecomeEstablished { timesEstablished += 1 }
        }
        answer()
    }

    /// Gives what the server has to say to the client.
    func answer() {
        client.give(records.output)
        records.output = []
    }

    func say(_ text: String) {
        client.write(text)
        deliver(client.take())
    }

    /// Has the server say something.
    func reply(_ text: String) -> String? {
        _ = server.write(Array(text.utf8).span)
        answer()
        return client.read()
    }
}
