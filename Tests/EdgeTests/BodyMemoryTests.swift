import Testing

@testable import Edge

@Suite struct BodyMemoryTests {
    private static let body = "{\"video\": \"http://s1.origin-cluster/v\"}"
    private static let head = "POST /origin HTTP/1.1\r\nHost: b\r\nContent-Length: \(body.utf8.count)\r\n\r\n"

    @Test func `regression: bodies under way have a sum; over it is 503, and there is room again when one is answered, ends or is cut`()
        throws
    {
        let bodies = BodyMemory(limit: 60)
        for end in ["answered", "refused", "cut"] {
            let first = try ConnectionRig(bodies: bodies)
            first.send(Self.head + Self.body.prefix(30))
            let second = try ConnectionRig(bodies: bodies)
            second.send(Self.head + Self.body)
            let refusal = try #require(second.answers().first)
            #expect(refusal.status == 503)
            #expect(refusal["Retry-After"] == "1")
            #expect(refusal.closes)
            #expect(second.slowLoop.responder.counters.refusals[.init(status: 503, reason: "too-many-bodies")] == 1)
            switch end {
            case "answered": first.send(String(Self.body.dropFirst(30)))
            case "refused": first.advance(seconds: 10)
            default: first.endInput()
            }
            let third = try ConnectionRig(bodies: bodies)
            third.send(Self.head + Self.body)
            #expect(try third.answers().first?.status == 301, "after one was \(end)")
        }
    }

    @Test func `the sum is room for bodies of any limit`() {
        #expect(BodyMemory(body: 65536).limit == 16 << 20)
        #expect(BodyMemory(body: 1 << 20).limit == 64 << 20)
    }
}
