import Steering
import Testing

@testable import Edge

/// What the fast path takes as plain, the strict scanner accepts with the same head.
@Suite struct PlainScannerTests {
    @Test func `every vector that is plain has the strict scanner's head`() {
        let plain = [HeadVector].all.filter { check($0.bytes, "a vector") }
        #expect(plain.count > 80, "only \(plain.count) vectors are plain")
    }

    @Test func `mutated heads that are plain have the strict scanner's head`() {
        var random = SplitMix64(for: "mutated heads as plain ones")
        let plain = (0..<50_000).reduce(0) { count, round in count + (check(HeadMutator.next(&random), "round \(round)") ? 1 : 0) }
        #expect(plain > 1_000, "only \(plain) heads are plain")
    }

    @Test func `every byte at every place of a plain head is judged alike`() {
        let head = Array(get("/aaaaaaaaaaaaaaaaaaaaa?b", "Connection: x", "X: yyyyyyyyyyyyyyyyyyyyy", "Accept: */*").utf8)
        var plain = 0
        for place in head.indices {
            for byte in UInt8.min...UInt8.max {
                var bytes = head
                bytes[place] = byte
                if check(bytes, "byte \(byte) at \(place)") { plain += 1 }
            }
        }
        #expect(plain > 1_000 && plain < head.count * 256, "\(plain) heads are plain")
    }

    @Test func `plain heads are recognised`() {
        for text in [
            get("/a"), get("/a", "Connection: close"), "HEAD / HTTP/1.1\r\nHost: b\r\n\r\n", get("/a", "Content-Length: 0"),
            get("/a", "Accept: text/html", "Cookie: \u{E9}\t"),
            "GET /?video=http://s1.origin-cluster/v HTTP/1.1\r\nhost:b\r\n\r\n",
        ] { #expect(isPlain(text), "\(text)") }
    }

    @Test func `anything unusual or unfinished is not plain`() {
        for text in [
            "", "GET", "GET /", String(get("/a").dropLast()), "\r\n" + get("/a"), "POST / HTTP/1.1\r\nHost: b\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.0\r\nHost: b\r\n\r\n", "GET / HTTP/1.2\r\nHost: b\r\n\r\n", "GET http://b/ HTTP/1.1\r\nHost: b\r\n\r\n",
            get("/a", "Content-Length: 1"),
            get("/a", "Transfer-Encoding: chunked"), get("/a", "Expect: 100-continue"), get("/a", "Expect: x"),
            get("/a", "Accept: application/json"), get("/a", "Host: b"),
            "GET / HTTP/1.1\r\n\r\n", get("/a", "X : y"), get("/a", " X: y"), get("/a#b"),
        ] { #expect(!isPlain(text), "\(text)") }
    }

    @Test func `only the given range is read`() {
        let bytes = Array((get("/x") + get("/a") + get("/b")).utf8)
        let length = get("/a").utf8.count
        for end in length...2 * length {
            let head = PlainScanner.scan(bytes.span, length..<end, limits: Limits())
            #expect((head != nil) == (end == 2 * length), "up to \(end)")
            if let head {
                #expect(bytes[head.target.range].latin1 == "/s1/a" && bytes[head.host.range].latin1 == "b" && head.length == length)
            }
        }
    }

    @Test func `a head after another is judged as if it stood alone`() {
        var random = SplitMix64(for: "plain heads after plain heads")
        var repeated = 0
        for round in 0..<20_000 {
            // Fields that repeat, that differ in a byte, that are cut, and that go on where the others ended.
            let first = get("/a", "Accept: */*", "X: \(random.below(3))")
            var second = [UInt8](latin1: get("/bb", "Accept: */*", "X: \(random.below(3))"))
            if random.below(100) < 20 { second[random.below(second.count)] = random.byte() }
            if random.below(100) < 20 { second.removeLast(random.below(second.count)) }
            let bytes = [UInt8](latin1: first) + second
            let start = first.utf8.count
            let last = PlainScanner.scan(bytes.span, 0..<bytes.count, limits: Limits())
            let alone = PlainScanner.scan(bytes.span, start..<bytes.count, limits: Limits())
            let after = PlainScanner.scan(bytes.span, start..<bytes.count, limits: Limits(), after: last)
            #expect(after == alone, "round \(round): \(shown(bytes))")
            if let last, let after, bytes[last.fields.range] == bytes[after.fields.range] { repeated += 1 }
        }
        #expect(repeated > 3_000)
    }

    private func isPlain(_ text: String) -> Bool {
        let bytes = [UInt8](latin1: text)
        return PlainScanner.scan(bytes.span, 0..<bytes.count, limits: Limits()) != nil
    }

    /// - Returns: whether the bytes are plain.
    private func check(_ bytes: [UInt8], _ comment: @autoclosure () -> String) -> Bool {
        guard let plain = PlainScanner.scan(bytes.span, 0..<bytes.count, limits: Limits()) else { return false }
        var scanner = HeadScanner(limits: Limits())
        let outcome = scanner.scan(bytes.span)
        if outcome != .complete(plain) { Issue.record("\(comment()): \(shown(bytes)): plain \(plain), strict \(outcome)") }
        return true
    }
}
