import Steering
import Testing

@testable import Edge

extension SocketTests {
    @Suite struct EdgeServerTests {
        private static let takenHint = "another process, or another address of this one, listens there; stop it or choose another --listen"
        private static let foreignHint = "this machine has no such address; see `ip address`"

        @Test(arguments: [
            ("127.0.0.1:0", ["127.0.0.1"]), ("[::1]:0", ["::1"]), ("[::]:0", ["::1", "127.0.0.1"]), ("0.0.0.0:0", ["127.0.0.1"]),
        ])
        func `it answers on the addresses it was given, and tells the port the system chose`(address: String, hosts: [String]) async throws
        {
            try await withServer(on: address) { server in
                #expect(server.address.port != 0)
                #expect(server.address.host == ListenAddress(address)?.host)
                for host in hosts {
                    let client = try Client(to: server.address, host: host)
                    #expect(try client.ask(get("/a"))["Location"] == atCDN("/a"), "\(host)")
                    #expect(try client.ask(get("/b", "Connection: close"))["Location"] == atCDN("/b"), "\(host)")
                    #expect(try client.rest() == [])
                }
            }
        }

        @Test(arguments: [true, false])
        func `every listener of a list is served by its own rules, and none accepts any more when the node stops`(
            usesFastPath: Bool
        ) async throws {
            var introduced = Listener(try #require(ListenAddress("127.0.0.1:0")))
            introduced.expectsProxyHeader = true
            let listeners = [
                Listener(try #require(ListenAddress("127.0.0.1:0"))), introduced, Listener(try #require(ListenAddress("[::1]:0"))),
            ]
            let table = try Setup().table()
            let configuration = EdgeServer.Configuration(listeners: listeners, workers: 2, usesFastPath: usesFastPath)
            let before = SocketTests.openDescriptors
            do {
                let server = try await EdgeServer(configuration, table: table, sequences: SequenceBook().set(for: table)) { line in
                    Issue.record("the server reports: \(line)")
                }
                #expect(server.addresses.map(\.host) == ["127.0.0.1", "127.0.0.1", "::1"])
                #expect(Set(server.addresses.map(\.port)).count == 3)
                for round in 0..<8 {
                    for (address, header) in zip(server.addresses, ["", "PROXY TCP4 192.0.2.1 198.51.100.1 4711 80\r\n", ""]) {
                        let client = try Client(to: address)
                        let answer = try client.ask(header + get("/\(round)", "Accept: application/json", "Connection: close"))
                        #expect(answer["Location"] == atCDN("/\(round)"))
                        #expect(answer.body.contains("\"192.0.2.1\"") == !header.isEmpty)
                    }
                }
                try await server.stopAccepting()
                for address in server.addresses { #expect(throws: Client.Failure.self) { try Client(to: address) } }
                #expect(try await server.finish(within: 3) == 0)
            }
            #expect(try await SocketTests.eventually { SocketTests.openDescriptors <= before })
        }

        @Test func `when one listener of a list cannot listen, none does`() async throws {
            let free = try await SocketTests.server()
            let address = free.address
            try await free.stopAccepting()
            _ = try await free.finish(within: 1)
            let listeners = [Listener(address), Listener(try #require(ListenAddress("192.0.2.1:8000")))]
            let table = try Setup().table()
            await #expect(throws: EdgeError.self) {
                try await EdgeServer(
                    EdgeServer.Configuration(listeners: listeners, workers: 2), table: table, sequences: SequenceBook().set(for: table)
                ) { _ in }
            }
            try address.requireFree(setting: "--listen")
        }

        @Test func `an IPv4 listener is not reached by IPv6`() async throws {
            try await withServer { server in #expect(throws: Client.Failure.self) { try Client(to: server.address, host: "::1") } }
        }

        @Test func `a port that is taken is refused with who, what and what to do`() async throws {
            for (first, second) in [("127.0.0.1:0", "127.0.0.1"), ("[::]:0", "[::]"), ("[::]:0", "127.0.0.1")] {
                try await withServer(on: first) { server in
                    let before = SocketTests.openDescriptors
                    let address = "\(second):\(server.address.port)"
                    let error = await #expect(throws: EdgeError.self) { try await SocketTests.server(on: address) }
                    #expect(
                        error?.description
                            == "cannot listen on \(address): Address already in use; \(Self.takenHint)"
                    )
                    // Without `make`, other suites run beside this one and close theirs.
                    #expect(try await SocketTests.eventually { SocketTests.openDescriptors <= before })
                    let answer = try Client(to: server.address, host: server.address.isIPv6 ? "::1" : nil).ask(
                        get("/a", "Connection: close"))
                    #expect(answer.status == 301)
                }
            }
        }

        @Test func `an address of another machine is refused with what to do`() async throws {
            let error = await #expect(throws: EdgeError.self) { try await SocketTests.server(on: "192.0.2.1:8000") }
            #expect(
                error?.description
                    == "cannot listen on 192.0.2.1:8000: Cannot assign requested address; \(Self.foreignHint)"
            )
        }

        @Test func `an answer that closes and the end of its connection come in one packet`() async throws {
            try await withServer { server in
                let kept = try Client(to: server.address)
                #expect(try kept.ask(get("/a")).status == 301)
                let closing = try Client(to: server.address)
                try closing.send(get("/a", "Connection: close"))
                #expect(try Answer.only(in: closing.rest()).status == 301)
                #expect(closing.segmentsReceived == kept.segmentsReceived)
            }
        }

        @Test(arguments: [true, false])
        func `a published table answers the next request on every worker`(usesFastPath: Bool) async throws {
            try await withServer(workers: 3, usesFastPath: usesFastPath) { server in
                let clients = try (0..<48).map { _ in try Client(to: server.address) }
                for client in clients { #expect(try client.ask(get("/a"))["Location"] == atCDN("/a")) }
                let table = try Setup(cdns: [("new", "https://new.example/x")], status: 302).table()
                try await server.publish(table, sequences: SequenceBook().set(for: table))
                for client in clients {
                    let answer = try client.ask(get("/b"))
                    #expect(answer["Location"] == "https://new.example/x/s1/b")
                    #expect(answer.status == 302)
                }
                #expect(try Client(to: server.address).ask(get("/c"))["Location"] == "https://new.example/x/s1/c")
            }
        }

        @Test(arguments: [true, false])
        func `the workers share their sequences`(usesFastPath: Bool) async throws {
            try await withServer(Setup(every: 3), workers: 3, usesFastPath: usesFastPath) { server in
                let clients = try (0..<30).map { _ in try Client(to: server.address) }
                let locations = try clients.map { try $0.ask(get("/a"))["Location"] }
                #expect(locations == (1...30).map { $0 % 3 == 0 ? "http://s1.origin-cluster/a" : atCDN("/a") })
            }
        }

        @Test(arguments: [true, false])
        func `counters add up over the workers`(usesFastPath: Bool) async throws {
            try await withServer(Setup(every: 4), workers: 3, usesFastPath: usesFastPath) { server in
                do {
                    let clients = try (0..<20).map { _ in try Client(to: server.address) }
                    for client in clients {
                        for _ in 0..<4 { _ = try client.ask(get("/a")) }
                        _ = try client.ask("GET /livez HTTP/1.1\r\nHost: b\r\n\r\n")
                        _ = try client.ask("GET /?video=http://evil.example/ HTTP/1.1\r\nHost: b\r\n\r\n")
                    }
                    let counters = try await server.counters()
                    #expect(counters.redirectsToOrigin == 20)
                    #expect(counters.redirectsToCDN == ["cdn-a": 60])
                    #expect(counters.otherAnswers == 20)
                    #expect(counters.refusals == [.init(status: 403, reason: "unknown-host"): 20])
                    #expect(counters.connectionsAccepted == 20)
                    #expect(counters.connectionsOpen == 20)
                    let table = try Setup(cdns: [("new", "https://new.example/x")]).table()
                    try await server.publish(table, sequences: SequenceBook().set(for: table))
                    for client in clients { _ = try client.ask(get("/a")) }
                    #expect(try await server.counters().redirectsToCDN == ["cdn-a": 60, "new": 20])
                }
                #expect(try await SocketTests.eventually { try await server.counters().connectionsOpen == 0 })
            }
        }

        @Test func `a draining server is alive, not ready, and redirects`() async throws {
            try await withServer(on: "[::]:0") { server in
                #expect(try await EdgeProbe.status(of: "/readyz", at: server.address, seconds: 3) == 200)
                try await server.drain()
                #expect(try await EdgeProbe.status(of: "/readyz", at: server.address, seconds: 3) == 503)
                #expect(try await EdgeProbe.status(of: "/livez", at: server.address, seconds: 3) == 200)
                #expect(try Client(to: server.address, host: "::1").ask(get("/a", "Connection: close")).status == 301)
            }
        }

        @Test(arguments: [true, false])
        func `a client that ends its side after its requests gets its answers`(usesFastPath: Bool) async throws {
            try await withServer(usesFastPath: usesFastPath) { server in
                for _ in 0..<20 {
                    let client = try Client(to: server.address)
                    try client.send(get("/a") + get("/b"))
                    client.endOutput()
                    #expect(try Answer.all(in: client.rest()).map { $0["Location"] } == [atCDN("/a"), atCDN("/b")])
                }
            }
        }

        @Test func `a body arrives after the server asked for it`() async throws {
            try await withServer { server in
                let client = try Client(to: server.address)
                let body = "\"http://s1.origin-cluster/v\""
                try client.send("POST /origin HTTP/1.1\r\nHost: b\r\nExpect: 100-continue\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
                #expect(try client.receive().latin1 == "HTTP/1.1 100 Continue\r\n\r\n")
                try client.send(body)
                #expect(try Answer.only(in: client.rest())["Location"] == atCDN("/v"))
            }
        }

        @Test(arguments: [true, false])
        func `a connection that never sends is closed without a word`(usesFastPath: Bool) async throws {
            var limits = Limits()
            limits.headSeconds = 1
            try await withServer(limits: limits, usesFastPath: usesFastPath) { server in
                let bytes = try Client(to: server.address).rest()
                #expect(bytes == [])
            }
        }

        @Test(arguments: [true, false])
        func `a client that sends much before it reads gets every answer`(usesFastPath: Bool) async throws {
            try await withServer(usesFastPath: usesFastPath) { server in
                let client = try Client(to: server.address)
                let sent = Task.detached {
                    for round in 0..<100 { try client.send((0..<100).map { get("/\(round * 100 + $0)") }.joined()) }
                    client.endOutput()
                }
                try await Task.sleep(for: .milliseconds(300))
                let answers = try Answer.all(in: client.rest())
                try await sent.value
                #expect(answers.map { $0["Location"] } == (0..<10_000).map { atCDN("/\($0)") })
            }
        }

        @Test(arguments: [true, false])
        func `two thousand connections leave no descriptor behind`(usesFastPath: Bool) async throws {
            try await withServer(usesFastPath: usesFastPath) { server in
                _ = try Client(to: server.address).ask(get("/a", "Connection: close"))
                #expect(try await SocketTests.eventually { try await server.counters().connectionsOpen == 0 })
                let before = SocketTests.openDescriptors
                for round in 0..<2000 {
                    let client = try Client(to: server.address)
                    switch round % 4 {
                    case 0: _ = try client.ask(get("/a", "Connection: close"))
                    case 1: _ = try client.ask(get("/a"))
                    case 2: _ = try client.ask("GET /\r\n")
                    default: try client.send("GET /")
                    }
                }
                #expect(
                    try await SocketTests.eventually { SocketTests.openDescriptors <= before },
                    "\(before) before, \(SocketTests.openDescriptors) after")
                #expect(try await server.counters().connectionsAccepted == 2001)
            }
        }

        @Test func `a server that has finished gives all descriptors back`() async throws {
            try await withServer { _ in }
            let before = SocketTests.openDescriptors
            for _ in 0..<5 { try await withServer(workers: 4) { server in _ = try Client(to: server.address).ask(get("/a")) } }
            #expect(
                try await SocketTests.eventually { SocketTests.openDescriptors <= before },
                "\(before) before, \(SocketTests.openDescriptors) after")
        }
    }
}
