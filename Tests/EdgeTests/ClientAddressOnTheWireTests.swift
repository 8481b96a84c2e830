import Foundation
import Steering
import Synchronization
import Testing

@testable import Edge

extension SocketTests {
    @Suite struct ClientAddressOnTheWireTests {
        private static let plain = get("/a", "Accept: application/json")
        private static let v1 = "PROXY TCP4 192.0.2.1 198.51.100.1 4711 80\r\n"
        private static let v2 =
            "\r\n\r\n\0\r\nQUIT\n\u{21}\u{11}\0\u{0C}\u{C0}\0\u{02}\u{01}\u{C6}\u{33}\u{64}\u{01}\u{12}\u{67}\0\u{50}"

        private func withServer(
            _ source: ClientSource, expectsHeader: Bool = false, usesFastPath: Bool = true, limits: Limits = Limits(),
            _ body: (EdgeServer, Lines) async throws -> Void
        ) async throws {
            let table = try Setup().table()
            let lines = Lines()
            var listener = Listener(try #require(ListenAddress("[::]:0")))
            listener.expectsProxyHeader = expectsHeader
            let configuration = EdgeServer.Configuration(
                listeners: [listener], workers: 1, limits: limits, clientSource: source, usesFastPath: usesFastPath
            )
            let server = try await EdgeServer(configuration, table: table, sequences: SequenceBook().set(for: table)) { lines.add($0) }
            do { try await body(server, lines) } catch { Issue.record(error) }
            try await server.stopAccepting()
            #expect(try await server.finish(within: 3) == 0, "connections were cut")
        }

        private func client(_ answer: Answer) throws -> String? {
            let body = answer.body
            guard let start = body.range(of: "\"client\":\"")?.upperBound else { return nil }
            return String(body[start...].prefix { $0 != "\"" })
        }

        /// The header counts too: a read of 16 KiB may have left bytes in the socket, and a close would reset the answer away.
        @Test func `an answer is not reset by bytes after a closing request that fills a read together with its PROXY header`() async throws
        {
            let source = ClientSource()
            try await withServer(source, expectsHeader: true) { server, _ in
                let head = { (filling: Int) in get("/a", "X: " + String(repeating: "x", count: filling), "Connection: close") }
                let request = Self.v1 + head(FastLoop.readCapacity - Self.v1.utf8.count - head(0).utf8.count)
                #expect(request.utf8.count == FastLoop.readCapacity)
                for _ in 0..<20 {
                    let connection = try Client(to: server.address)
                    try connection.send(request + String(repeating: "x", count: 20_000))
                    #expect(try Answer.only(in: connection.rest())["Location"] == atCDN("/a"))
                }
            }
        }

        @Test(arguments: [true, false])
        func `the client is the peer, an IPv4 one as IPv4 on a dual-stack listener`(usesFastPath: Bool) async throws {
            try await withServer(ClientSource(), usesFastPath: usesFastPath) { server, _ in
                for host in ["127.0.0.1", "::1"] {
                    let connection = try Client(to: server.address, host: host)
                    let answer = try connection.ask(get("/a", "Accept: application/json", "X-Forwarded-For: 192.0.2.9"))
                    #expect(try client(answer) == host)
                }
            }
        }

        @Test(arguments: [true, false])
        func `a trusted proxy's field names the client, request by request`(usesFastPath: Bool) async throws {
            var source = ClientSource()
            source.trustedProxies = [try #require(Network("127.0.0.0/8"))]
            try await withServer(source, usesFastPath: usesFastPath) { server, _ in
                let connection = try Client(to: server.address, host: "127.0.0.1")
                for host in 1...3 {
                    let answer = try connection.ask(get("/a", "Accept: application/json", "X-Forwarded-For: 6.6.6.6, 192.0.2.\(host)"))
                    #expect(try client(answer) == "192.0.2.\(host)")
                }
                let body = "{\"video\":\"http://s1.origin-cluster/v\"}"
                try connection.send(
                    "POST /origin HTTP/1.1\r\nHost: b\r\nAccept: application/json\r\nX-Forwarded-For: 192.0.2.7\r\n"
                        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
                #expect(try client(connection.answer()) == "192.0.2.7")
            }
        }

        @Test(arguments: [true, false], [v1, v2])
        func `a PROXY header names the client of the whole connection, in whatever pieces it comes`(
            usesFastPath: Bool, header: String
        ) async throws {
            let source = ClientSource()
            try await withServer(source, expectsHeader: true, usesFastPath: usesFastPath) { server, lines in
                let whole = try Client(to: server.address)
                try whole.send(header + Self.plain)
                #expect(try client(whole.answer()) == "192.0.2.1")
                #expect(try client(whole.ask(Self.plain)) == "192.0.2.1")

                let apart = try Client(to: server.address)
                try apart.send(header)
                try await Task.sleep(for: .milliseconds(30))
                #expect(try apart.ask(get("/a")).status == 301)
                #expect(try client(apart.ask(Self.plain)) == "192.0.2.1")

                let drip = try Client(to: server.address)
                for byte in [UInt8](latin1: header + Self.plain) {
                    try drip.send([byte])
                    try await Task.sleep(for: .milliseconds(1))
                }
                #expect(try client(drip.answer()) == "192.0.2.1")

                let pipeline = try Client(to: server.address)
                try pipeline.send(header + get("/a") + get("/b") + get("/c", "Connection: close"))
                let answers = try pipeline.rest().latin1
                #expect(answers.components(separatedBy: "301 Moved").count == 4)
                #expect(lines.all.isEmpty)
            }
        }

        @Test(arguments: [true, false])
        func `a connection without its PROXY header is closed, counted and reported once`(usesFastPath: Bool) async throws {
            let source = ClientSource()
            try await withServer(source, expectsHeader: true, usesFastPath: usesFastPath) { server, lines in
                for _ in 0..<3 {
                    let connection = try Client(to: server.address, host: "127.0.0.1")
                    try connection.send(get("/a"))
                    let rest = (try? connection.rest()) ?? []
                    #expect(rest.isEmpty)
                }
                #expect(try await SocketTests.eventually { try await server.counters().proxyHeadersRefused == 3 })
                #expect(lines.all.count == 1)
                #expect(lines.all.first?.hasPrefix("closed a connection of 127.0.0.1: no PROXY header") == true, "\(lines.all)")
                #expect(try await server.counters().answers == [:])
            }
        }

        @Test(arguments: [true, false])
        func `a PROXY header that does not come in time ends the connection`(usesFastPath: Bool) async throws {
            let source = ClientSource()
            var limits = Limits()
            limits.headSeconds = 1
            try await withServer(source, expectsHeader: true, usesFastPath: usesFastPath, limits: limits) { server, lines in
                let connection = try Client(to: server.address)
                try connection.send("PROXY TCP4")
                let rest = try connection.rest()
                #expect(rest.isEmpty)
                #expect(lines.all.first?.contains("did not come in time") == true, "\(lines.all)")
            }
        }

        @Test func `with trusted proxies no other peer may name a client`() async throws {
            var source = ClientSource()
            source.trustedProxies = [try #require(Network("127.0.0.2"))]
            try await withServer(source, expectsHeader: true) { server, lines in
                let connection = try Client(to: server.address, host: "127.0.0.1")
                try? connection.send(Self.v1 + Self.plain)
                let rest = (try? connection.rest()) ?? []
                #expect(rest.isEmpty)
                #expect(lines.all.first?.contains("no trusted proxy") == true, "\(lines.all)")
            }
        }
    }
}

/// Lines that a server reports.
final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }

    var all: [String] { lines.withLock { $0 } }
}
