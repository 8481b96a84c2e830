import Foundation
import Testing

@testable import Edge

extension SocketTests {
    /// Error answers arrive whole: no close with unread input, which would reset the answer away (`TcpExt: TCPAbortOnClose`).
    @Suite struct AbortOnCloseTests {
        private static let cases: [(name: String, status: Int, request: String)] = [
            ("bad line", 400, "GET  / HTTP/1.1\r\n" + filling(3000)),
            ("no video", 400, "GET / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n"),
            ("not allowed", 403, "GET /?video=http://evil.example/ HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n" + filling(20_000)),
            ("wrong method", 405, "PUT / HTTP/1.1\r\nHost: b\r\nContent-Length: 30000\r\n\r\n" + filling(30_000)),
            ("slow head", 408, "GET / HTTP/1.1\r\nHost:"),
            ("declared length", 413, "POST /origin HTTP/1.1\r\nHost: b\r\nContent-Length: 100000\r\n\r\n" + filling(40_000)),
            ("chunks", 413, "POST /origin HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n" + filling(80_000)),
            ("bad chunk", 400, "POST /origin HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n" + filling(20_000)),
            (
                "bytes after a body", 301,
                "POST /origin HTTP/1.1\r\nHost: b\r\nContent-Length: 28\r\n\r\n\"http://s1.origin-cluster/v\"" + filling(20_000)
            ),
            ("long target", 414, "GET /" + filling(40_000)),
            ("large head", 431, "GET / HTTP/1.1\r\nHost: b\r\nX: " + filling(60_000)),
            ("bytes after a closing request of 16 KiB, one whole read", 301, sixteenKiB + filling(20_000)),
            ("bytes after a closing request", 301, get("/a", "Connection: close") + filling(50_000)),
        ]

        private static let sixteenKiB = get(
            "/a", "X: \(filling(16384 - get("/a", "X: ", "Connection: close").utf8.count))", "Connection: close")

        @Test(arguments: [true, false])
        func `no answer is reset away by unread input`(usesFastPath: Bool) async throws {
            var limits = Limits()
            limits.headSeconds = 1
            limits.bodySeconds = 1
            try await withServer(limits: limits, usesFastPath: usesFastPath) { server in
                for (name, status, request) in Self.cases {
                    var aborts = 0
                    // Other processes share the kernel's counter: one clean run of three shows that the server adds nothing.
                    for _ in 0..<3 {
                        let before = try Self.abortsOnClose()
                        do {
                            let answer = try await Self.lastAnswer(to: request, of: server)
                            #expect(answer.status == status, "\(name)")
                            #expect(answer.closes, "\(name)")
                        } catch { Issue.record("\(name): \(error)") }
                        aborts = try Self.abortsOnClose() - before
                        if aborts == 0 { break }
                    }
                    #expect(aborts == 0, "\(name)")
                }
            }
        }

        /// Sends everything, reads to the end, closes, and waits until the server has closed too.
        private static func lastAnswer(to request: String, of server: EdgeServer) async throws -> Answer {
            let client = try Client(to: server.address)
            try client.send(request)
            let answer = try Answer.only(in: client.rest())
            client.endOutput()
            #expect(try await SocketTests.eventually { try await server.counters().connectionsOpen == 0 })
            return answer
        }

        private static func filling(_ count: Int) -> String { String(repeating: "x", count: count) }

        private static func abortsOnClose() throws -> Int {
            let lines = try String(contentsOfFile: "/proc/net/netstat", encoding: .utf8).split(separator: "\n").filter {
                $0.hasPrefix("TcpExt:")
            }
            let words = lines.map { $0.split(separator: " ") }
            let column = try #require(words.first?.firstIndex(of: "TCPAbortOnClose"))
            return try #require(Int(words[1][column]))
        }
    }
}
