import TLSPeer

@testable import Edge

/// A client that speaks TLS over a real socket.
final class SecureClient {
    let wire: Client
    let tls: TLSClient

    /// Connects and shakes hands.
    ///
    /// - Parameter header: sent before TLS begins.
    init(to address: ListenAddress, _ options: TLSClient.Options = .init(), header: String = "") throws {
        wire = try Client(to: address)
        tls = TLSClient(options)
        if !header.isEmpty { try wire.send(header) }
        while !tls.isEstablished {
            tls.handshake()
            let records = tls.take()
            if !records.isEmpty { try wire.send(records) }
            if tls.isEstablished { break }
            if let failure = tls.failure { throw Answer.Malformed(description: "no handshake: \(failure)") }
            let bytes = try wire.receive()
            if bytes.isEmpty { throw Answer.Malformed(description: "ended in the handshake") }
            tls.give(bytes)
        }
    }

    func send(_ text: String) throws {
        tls.write(text)
        try wire.send(tls.take())
    }

    /// What comes next; empty at the end.
    func receive() throws -> String {
        while true {
            if let text = tls.read() { return text }
            if tls.isToldOfEnd { return "" }
            let bytes = try wire.receive()
            if bytes.isEmpty { throw Answer.Malformed(description: "ended without close_notify") }
            tls.give(bytes)
        }
    }

    /// Everything up to the end, which must be told.
    func rest() throws -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let text = try receive()
            if text.isEmpty { return all }
            all += [UInt8](latin1: text)
        }
    }

    /// One answer; nothing may follow it yet.
    func answer() throws -> Answer {
        var all: [UInt8] = []
        while true {
            let text = try receive()
            all += [UInt8](latin1: text)
            if let answer = try? Answer.only(in: all) { return answer }
            if text.isEmpty { throw Answer.Malformed(description: "ended after \(shown(all))") }
        }
    }

    /// Several answers; nothing may follow them yet.
    func answer(of count: Int) throws -> [Answer] {
        var all: [UInt8] = []
        while true {
            let text = try receive()
            all += [UInt8](latin1: text)
            var rest = all[...]
            var answers: [Answer] = []
            while answers.count < count, let answer = try? Answer(from: &rest) { answers.append(answer) }
            if answers.count == count, rest.isEmpty { return answers }
            if text.isEmpty { throw Answer.Malformed(description: "ended after \(shown(all))") }
        }
    }

    func ask(_ request: String) throws -> Answer {
        try send(request)
        return try answer()
    }
}
