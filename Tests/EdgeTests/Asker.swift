import Steering
import Testing

@testable import Edge

/// Asks a responder as a connection would, without one: text in, text out, at a fixed second.
struct Asker {
    static let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT"

    var responder: Responder
    var client = ClientAddress(ipv4: 0xC000_0201)

    init(responder: Responder) { self.responder = responder }

    init(_ setup: Setup = Setup(), credentialOrigins: [String] = []) throws {
        let table = try setup.table()
        responder = Responder(
            table: table, sequences: SequenceBook().set(for: table), credentialOrigins: credentialOrigins, clock: { 784_111_777 })
    }

    /// The answer's bytes to one request; a body follows its head.
    mutating func ask(_ request: [UInt8], closes: Bool = false) -> [UInt8] {
        responder.writer.bytes.removeAll()
        var scanner = HeadScanner(limits: Limits())
        switch scanner.scan(request.span) {
        case .incomplete: break
        case .fault(let fault): responder.refuse(fault, from: client)
        case .complete(let head):
            if responder.respond(to: head, request.span, from: client, closes: head.closes || closes) == .needsBody {
                responder.respond(
                    toBody: Array(request[head.length...]), of: head, fields: Array(request[head.fields.range]), from: client)
            }
        }
        return responder.writer.bytes
    }

    /// The answer's text to a request of a line and fields; a Host is added.
    mutating func ask(_ line: String, _ fields: [String] = [], body: String = "") -> String {
        ask([UInt8](latin1: HeadVector.head(line, ["Host: b"] + fields) + body)).latin1
    }

    /// The answer, taken apart.
    mutating func answer(_ line: String, _ fields: [String] = [], body: String = "") throws -> Answer {
        try Answer.only(in: Array(ask(line, fields, body: body).utf8), toHead: line.hasPrefix("HEAD "))
    }
}

/// The text of an answer from its lines, with the fields that every answer begins with.
func answerText(_ status: String, connection: String? = nil, _ fields: [String], body: String = "") -> String {
    let first = ["HTTP/1.1 \(status)", Asker.date, "Cache-Control: no-store", "Timing-Allow-Origin: *", "Access-Control-Allow-Origin: *"]
    return (first + (connection.map { ["Connection: \($0)"] } ?? []) + fields).map { "\($0)\r\n" }.joined() + "\r\n" + body
}
