import Testing

@testable import Edge

extension SocketTests {
    /// Both paths give the same bytes for the same bytes.
    @Suite struct PathDifferenceTests {
        @Test func `every vector gets the same answer on both paths`() async throws {
            try await compare([HeadVector].all.map(\.bytes))
        }

        @Test func `streams of requests get the same answers on both paths`() async throws {
            let requests = [
                get("/a"), get("/b", "Connection: close"), get("/c", "Accept: application/json"), "HEAD /s1/d HTTP/1.1\r\nHost: b\r\n\r\n",
                "GET /x HTTP/1.1\r\nHost: b\r\n\r\n",
                "GET /livez HTTP/1.1\r\nHost: b\r\n\r\n", "GET /?video=http%3A%2F%2Fs1.origin-cluster%2Fe HTTP/1.1\r\nHost: b\r\n\r\n",
                "OPTIONS / HTTP/1.1\r\nHost: b\r\n\r\n",
                "GET /s1/f HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / HTTP/1.1\r\nHost: b\r\n\r\n",
                "GET /?video=http://evil.example/ HTTP/1.1\r\nHost: b\r\n\r\n",
                "POST /origin HTTP/1.1\r\nHost: b\r\nContent-Length: 28\r\n\r\n\"http://s1.origin-cluster/g\"",
                "GET /?video=http://b/?video=http://s1.origin-cluster/h HTTP/1.1\r\nHost: b\r\n\r\n",
                "bad\r\n\r\n", "GET /s1/i", get("/j", "X: \(String(repeating: "x", count: 9000))"),
            ].map { [UInt8](latin1: $0) }
            var random = SplitMix64(for: "streams on both paths")
            try await compare((0..<300).map { _ in (0..<random.number(1...12)).flatMap { _ in random.one(of: requests) } })
        }

        @Test func `a scheme that is kept is the same on both paths`() async throws {
            let setup = Setup(every: 2, keepsScheme: true)
            let targets = [
                "/?video=https://s1.origin-cluster/a", "/?video=http://s1.origin-cluster/a", "/?video=HTTPS%3A%2F%2Fs1.origin-cluster%2Fa",
                "/s1/a", "/?video=https://cdn.example.com/s1/a",
            ]
            // Twice, so that each has the origin's turn.
            try await compare((targets + targets).map { [UInt8](latin1: "GET \($0) HTTP/1.1\r\nHost: b\r\n\r\n") }, setup)
        }

        @Test func `parameters that are passed on are the same on both paths`() async throws {
            let setup = Setup(every: 2, passes: ["CMCD", "_HLS_msn"])
            let targets = [
                "/?video=http://s1.origin-cluster/a&redirect=false&CMCD=1",
                "/?video=http://s1.origin-cluster/a&CMCD=bl%3D900&x=1&_HLS_msn=7",
                "/?CMCD=%22a%22&video=http%3A%2F%2Fs1.origin-cluster%2Fa%3Fb",
                "/origin?_HLS_msn=7&video=http://s1.origin-cluster/a?_HLS_msn=6&CMCD", "/s1/a?CMCD=1&x=2",
                "/?video=http://s1.origin-cluster/a&CMCD=\"{%zz&CMCD=2",
            ]
            try await compare((targets + targets).map { [UInt8](latin1: "GET \($0) HTTP/1.1\r\nHost: b\r\n\r\n") }, setup)
        }

        private func compare(_ streams: [[UInt8]], _ setup: Setup = Setup()) async throws {
            try await withServer(setup) { fast in
                try await withServer(setup, usesFastPath: false) { slow in
                    var bytes = 0
                    for stream in streams {
                        let answers = try [fast, slow].map { try Self.answers(to: stream, of: $0) }
                        if answers[0] != answers[1] { Issue.record("\(shown(stream)): \(shown(answers[0])) and \(shown(answers[1]))") }
                        bytes += answers[0].count
                    }
                    #expect(bytes > streams.count * 100, "there were answers to compare")
                }
            }
        }

        /// All bytes of the answers but for the Date.
        private static func answers(to stream: [UInt8], of server: EdgeServer) throws -> [UInt8] {
            let client = try Client(to: server.address)
            try client.send(stream)
            client.endOutput()
            let lines = try client.rest().split(separator: 0x0A, omittingEmptySubsequences: false).filter {
                !$0.starts(with: Array("Date: ".utf8))
            }
            return Array(lines.joined(separator: [0x0A]))
        }
    }
}
