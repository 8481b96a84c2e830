import NIOCore
import Steering
import Testing

@testable import Edge

/// An answer is a plain value that is recorded once, whatever it says.
@Suite struct AnswerRecordTests {
    @Test func `an answer holds no reference, so that making and copying one allocates nothing`() {
        #expect(_isPOD(Edge.Answer.self))
    }

    @Test func `deciding an answer records and writes nothing`() throws {
        var responder = try Asker().responder
        let bytes = [UInt8](latin1: get("/v"))
        var scanner = HeadScanner(limits: Limits())
        guard case .complete(let head) = scanner.scan(bytes.span) else { throw Answer.Malformed(description: "no head") }
        let route = Router().route(of: head, bytes.span, to: head.target.range.upperBound)
        let answer = responder.answer(to: head, bytes.span, by: route, head.target.range.upperBound, from: .unknown, second: 0)
        guard case .redirect(let redirect) = answer else { throw Answer.Malformed(description: "\(answer)") }
        #expect(redirect.decision.target == .cdn(0))
        #expect(responder.total == Counters())
        #expect(responder.writer.bytes.isEmpty)
    }

    @Test func `every request is recorded once, by status, by kind and for the history`() throws {
        let pages = [EdgePage(path: "/docs", type: "text/html", body: ByteBuffer(string: "x"), policy: nil)]
        let table = try Setup(every: 2, steers: true).table()
        var asker = Asker(
            responder: Responder(table: table, sequences: SequenceBook().set(for: table), pages: pages, clock: { 784_111_777 }))
        let requests =
            [HeadVector].all.map(\.bytes)
            + [
                "GET /steering/dash/s1/v?session=2 HTTP/1.1\r\nHost: b\r\n\r\n",
                "HEAD /steering/hls/s1/v HTTP/1.1\r\nHost: b\r\n\r\n", "PUT /steering/hls/s1/v HTTP/1.1\r\nHost: b\r\n\r\n",
                "GET /steering/hls/s7/v HTTP/1.1\r\nHost: b\r\n\r\n",
                get("/v"), get("/v", "Accept: application/json"), "GET /docs HTTP/1.1\r\nHost: b\r\n\r\n",
                "PUT /docs HTTP/1.1\r\nHost: b\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n", "GET /readyz HTTP/1.1\r\nHost: b\r\n\r\n",
                "POST /origin HTTP/1.1\r\nHost: b\r\nContent-Length: 28\r\n\r\n\"http://s1.origin-cluster/g\"",
                "POST /origin HTTP/1.1\r\nHost: b\r\nContent-Length: 1\r\n\r\nx",
            ].map { [UInt8](latin1: $0) }
        var kinds: Set<Int> = []
        for request in requests {
            let before = asker.responder.total
            _ = asker.responder.takeTraffic()
            let answered = !asker.ask(request).isEmpty
            let after = asker.responder.total
            let statuses = after.answers.filter { $0.value != before.answers[$0.key] ?? 0 }
            let recorded = Self.all(after) - Self.all(before)
            #expect(recorded == (answered ? 1 : 0) && statuses.count == recorded, "\(shown(request))")
            kinds.formUnion(statuses.keys)
            let isOther = after.otherAnswers != before.otherAnswers || Self.steered(after) != Self.steered(before)
            let traffic = asker.responder.takeTraffic().entries.map(\.status)
            #expect(traffic == (answered && !isOther ? Array(statuses.keys) : []), "\(shown(request))")
        }
        #expect(kinds.isSuperset(of: [200, 204, 301, 400, 404, 405, 414, 431, 501, 505]), "too few kinds of answers: \(kinds)")
    }

    private static func all(_ counters: Counters) -> Int {
        Int(
            counters.redirectsToOrigin + counters.redirectsToCDN.values.reduce(0, +) + counters.refusals.values.reduce(0, +)
                + counters.otherAnswers) + steered(counters)
    }

    private static func steered(_ counters: Counters) -> Int {
        Int(counters.steeringToOrigin + counters.steeringToCDN.values.reduce(0, +))
    }
}
