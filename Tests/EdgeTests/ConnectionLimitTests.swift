import Steering
import Testing

@testable import Edge

extension SocketTests {
    /// At the limit of connections nothing more is accepted, and who is idle makes room.
    @Suite struct ConnectionLimitTests {
        private func withServer(
            connections: Int, usesFastPath: Bool = true, _ body: (EdgeServer, Lines) async throws -> Void
        ) async throws {
            let table = try Setup().table()
            let lines = Lines()
            var configuration = EdgeServer.Configuration(
                listeners: [Listener(try #require(ListenAddress("127.0.0.1:0")))], workers: 1, usesFastPath: usesFastPath)
            configuration.connections = connections
            let server = try await EdgeServer(configuration, table: table, sequences: SequenceBook().set(for: table)) { lines.add($0) }
            do { try await body(server, lines) } catch { Issue.record(error) }
            try await server.stopAccepting()
            #expect(try await server.finish(within: 3) == 0, "connections were cut")
        }

        @Test(arguments: [true, false])
        func `a new client at the limit is answered as soon as one that is idle for a second has made room`(usesFastPath: Bool) async throws
        {
            try await withServer(connections: 4, usesFastPath: usesFastPath) { server, lines in
                let idle = try (0..<4).map { _ in try Client(to: server.address) }
                for client in idle { #expect(try client.ask(get("/a")).status == 301) }
                let late = try Client(to: server.address)
                #expect(try late.ask(get("/b"))["Location"] == atCDN("/b"))
                let counters = try await server.counters()
                #expect(counters.connectionsOpen == 4 && counters.connectionsLimit == 4)
                #expect(counters.idleConnectionsEnded == 1)
                #expect(counters.acceptPauses["limit"] ?? 0 > 0)
                #expect(lines.all.count == 1 && lines.all.first?.hasPrefix("all 4 connections are open") == true, "\(lines.all)")
            }
        }

        @Test func `who is under way is not ended: a new client waits in the kernel's queue, and no loop spins`() async throws {
            try await withServer(connections: 2) { server, _ in
                let busy = try (0..<2).map { _ in try Client(to: server.address) }
                for client in busy { try client.send("GET /s1/a HTTP/1.1\r\nHost: b\r") }
                #expect(try await SocketTests.eventually { try await server.counters().connectionsOpen == 2 })
                let late = try Client(to: server.address)
                try late.send(get("/b"))
                #expect(try await SocketTests.eventually { try await server.counters().acceptPauses["limit"] ?? 0 >= 20 })
                let counters = try await server.counters()
                #expect(counters.connectionsAccepted == 2 && counters.idleConnectionsEnded == 0)
                let pauses = counters.acceptPauses["limit"] ?? 0
                #expect(counters.loopTurns.buckets.reduce(0, +) < 6 * pauses + 1000, "turns for \(pauses) pauses")
                for client in busy { #expect(try client.ask("\n\r\n").status == 301) }
                busy[0].endOutput()
                #expect(try late.answer()["Location"] == atCDN("/b"))
            }
        }

        @Test func `ended and handed-over connections give their places back`() async throws {
            try await withServer(connections: 3) { server, _ in
                for round in 0..<30 {
                    let client = try Client(to: server.address)
                    switch round % 5 {
                    case 0: #expect(try client.ask(get("/a", "Connection: close")).status == 301)
                    case 1: #expect(try client.ask("GET /s1/a HTTP/1.0\r\n\r\n").status == 301)
                    case 2: #expect(try client.ask(get("/a", "Accept: application/json")).status == 301)
                    case 3: try client.send("GET /")
                    default: #expect(try client.ask(get("/a")).status == 301)
                    }
                }
                #expect(try await SocketTests.eventually { try await server.counters().connectionsOpen == 0 })
            }
        }
    }
}
