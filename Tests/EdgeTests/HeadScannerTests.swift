import Testing

@testable import Edge

/// Bytes in, verdict out.
@Suite struct HeadScannerTests {
    @Test func `a request line is method, space, target, space, version, and nothing else`() { expectVerdicts(.requestLines) }

    @Test func `known methods are told apart, others are other, and 17 letters are too long`() { expectVerdicts(.methods) }

    @Test func `a target is a path, an absolute URL, an asterisk or an authority, each with its method`() { expectVerdicts(.targets) }

    @Test func `versions 1.0 to 1.9 are read, other majors are unsupported, other text is none`() { expectVerdicts(.versions) }

    @Test func `lines end in CR LF; a CR or LF alone is refused anywhere`() { expectVerdicts(.lineEnds) }

    @Test func `a field is a token, a colon at once and a value without controls; folding is refused`() { expectVerdicts(.fields) }

    @Test func `there is exactly one valid Host, which HTTP/1.0 may leave out`() { expectVerdicts(.hosts) }

    @Test func `a message has one framing, and doubtful ones are refused`() { expectVerdicts(.framings) }

    @Test func `Connection is a list of tokens over all its lines`() { expectVerdicts(.connections) }

    @Test func `Expect is 100-continue or refused, and passed over in HTTP/1.0`() { expectVerdicts(.expectations) }

    @Test func `JSON is wanted when Accept names it, not when q is 0 or by a wildcard`() { expectVerdicts(.accepts) }

    @Test func `limits hold to the byte and to the field`() { expectVerdicts(.limits) }

    @Test(arguments: ["application/json;charset=utf-8;q=0", "application/json;q=0;ext=1", "application/json;q=0.0 ; ext"])
    func `q=0 counts wherever it stands among a media range's parameters`(value: String) {
        expectVerdicts([.accepts(HeadVector.head(adding: "Accept: \(value)"))])
    }

    @Test func `smaller limits are kept as well`() {
        var limits = Limits()
        limits.target = 4
        limits.head = 12
        limits.fields = 2
        #expect(Verdict(on: Array("GET /abc HTTP/1.1\r\nHost: h\r\nX:\r\n\r\n".utf8), limits: limits) != .refuses(.targetTooLong))
        #expect(Verdict(on: Array("GET /abcd HTTP/1.1\r\n".utf8), limits: limits) == .refuses(.targetTooLong))
        #expect(Verdict(on: Array("GET / HTTP/1.1\r\nA:\r\nB:\r\nC:\r\n".utf8), limits: limits) == .refuses(.tooManyFields))
        #expect(Verdict(on: Array("GET / HTTP/1.1\r\nA: 123456789\r\n".utf8), limits: limits) == .waits)
        #expect(Verdict(on: Array("GET / HTTP/1.1\r\nA: 1234567890\r\n".utf8), limits: limits) == .refuses(.headTooLarge))
    }

    @Test func `the tables refuse, accept and wait`() {
        let all = [HeadVector].all
        #expect(all.count > 400)
        #expect(all.filter { $0.verdict == .waits }.count > 5)
        #expect(all.filter { if case .refuses = $0.verdict { true } else { false } }.count > 200)
    }

    private func expectVerdicts(_ vectors: [HeadVector]) {
        for vector in vectors {
            let verdict = Verdict(on: vector.bytes)
            if verdict != vector.verdict { Issue.record("\(shown(vector.bytes)): \(verdict) instead of \(vector.verdict)") }
        }
    }
}
