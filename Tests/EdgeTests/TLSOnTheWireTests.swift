import Foundation
import Steering
import TLS
import TLSPeer
import Testing

@testable import Edge

extension SocketTests {
    /// HTTPS on real sockets: the same answers as without TLS, by either path.
    @Suite struct TLSOnTheWireTests {
        private static func identity(_ name: String = "balancer.example.com", tickets: TicketKeys = TicketKeys()) throws -> TLSIdentity {
            let files = try SelfSigned.make(names: [name], from: 1_600_000_000, until: 4_000_000_000)
            return TLSIdentity([try ServerCertificate(chain: files.chain, key: files.key, at: ("cert.pem", "key.pem"))], tickets: tickets)
        }

        /// Beside a server with a plain listener and one with TLS, in this order.
        private func withServer(
            usesFastPath: Bool = true, workers: Int = 1, limits: Limits = Limits(), proxyHeader: Bool = false,
            connections: Int = .max, table: RoutingTable? = nil, rate: ClientRate? = nil, http2: HTTP2Use = .off,
            trusting proxies: [Network] = [],
            _ body: (EdgeServer, _ plain: ListenAddress, _ secure: ListenAddress) async throws -> Void
        ) async throws {
            let any = try #require(ListenAddress("127.0.0.1:0"))
            var configuration = EdgeServer.Configuration(
                listeners: [Listener(any), Listener(tls: any)].map { $0.expecting(proxyHeader: proxyHeader) }, workers: workers,
                limits: limits, usesFastPath: usesFastPath)
            configuration.connections = connections
            configuration.clientRate = rate
            configuration.http2 = http2
            configuration.clientSource.trustedProxies = proxies
            // What the first use of randomness and of a timer opens stays open.
            try await Task.sleep(for: .milliseconds(1))
            configuration.identity = try Self.identity()
            let table = try table ?? Setup().table()
            let before = SocketTests.openDescriptors
            do {
                let server = try await EdgeServer(configuration, table: table, sequences: SequenceBook().set(for: table)) { line in
                    if connections == .max { Issue.record("the server reports: \(line)") }
                }
                do { try await body(server, server.addresses[0], server.addresses[1]) } catch { Issue.record(error) }
                try await server.stopAccepting()
                #expect(try await server.finish(within: 3) == 0, "connections were cut")
            }
            #expect(try await SocketTests.eventually { SocketTests.openDescriptors <= before })
        }

        private static let requests = [
            get("/a"), get("/a", "Accept: application/json"), get("/a%20b", "Connection: close"), get("/", "Host: two"),
            "HEAD /?video=http://s1.origin-cluster/a HTTP/1.1\r\nHost: x\r\n\r\n", "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", "GET /?video=no HTTP/1.1\r\nHost: x\r\n\r\n",
            "POST /origin HTTP/1.1\r\nHost: x\r\nContent-Length: 41\r\n\r\n{\"video\": \"http://s1.origin-cluster/a/b\"}",
            "OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "garbage\r\n\r\n",
        ]

        @Test(arguments: [true, false], [0x303, 0x304] as [CInt])
        func `every answer is the same as without TLS`(usesFastPath: Bool, version: CInt) async throws {
            try await withServer(usesFastPath: usesFastPath) { _, plain, secure in
                for request in Self.requests {
                    let isHead = request.hasPrefix("HEAD")
                    func answer(_ bytes: [UInt8]) throws -> Answer {
                        var bytes = bytes[...]
                        return try Answer(from: &bytes, toHead: isHead)
                    }
                    let expected = try Client(to: plain)
                    try expected.send(request)
                    let client = try SecureClient(to: secure, .init(versions: version...version))
                    try client.send(request)
                    let told = try answer(expected.receive())
                    let got = try answer([UInt8](latin1: client.receive()))
                    #expect(got.status == told.status && got.body.withoutNumbers == told.body.withoutNumbers, "\(request)")
                    #expect(got.fields.filter { $0.name != "Date" }.elementsEqual(told.fields.filter { $0.name != "Date" }) { $0 == $1 })
                    if got.closes { #expect(try client.rest() == []) }
                }
            }
        }

        @Test(arguments: [true, false])
        func `a request by HTTPS is redirected by HTTPS where the catalog has it`(usesFastPath: Bool) async throws {
            let document = try Document(
                json: """
                    {"version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s1"], "every": 2, "keepScheme": true},
                     "cdns": [{"name": "cdn-a", "url": "http://a.example", "httpsUrl": "https://b.example/x"}]}
                    """)
            let table = RoutingTable(try Catalog(document), revision: 1)
            try await withServer(usesFastPath: usesFastPath, table: table) { server, plain, secure in
                let client = try SecureClient(to: secure)
                #expect(try client.ask(get("/a"))["Location"] == "https://b.example/x/s1/a")
                #expect(try client.ask(get("/a"))["Location"] == "https://s1.origin-cluster/a")
                // By a body, which the slow path reads; the connection ends with it.
                let body = "\"http://s1.origin-cluster/a\""
                let post = "POST /origin HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                #expect(try client.ask(post)["Location"] == "https://b.example/x/s1/a")
                let other = try Client(to: plain)
                try other.send(get("/a"))
                #expect(try Answer.only(in: other.receive())["Location"] == "http://s1.origin-cluster/a")
                try other.send(get("/a", "Connection: close"))
                #expect(try Answer.only(in: other.rest())["Location"] == "http://a.example/s1/a")
            }
        }

        /// The whole corpus of heads, good and bad: what carries a request changes nothing of its answer.
        @Test(arguments: [true, false])
        func `every vector gets the same status, Location and body by HTTP and by HTTPS`(usesFastPath: Bool) async throws {
            try await withServer(usesFastPath: usesFastPath) { _, plain, secure in
                var answers = 0
                for vector in [HeadVector].all {
                    let expected = try Client(to: plain)
                    try expected.send(vector.bytes)
                    expected.endOutput()
                    let client = try SecureClient(to: secure)
                    client.tls.write(vector.bytes)
                    client.tls.close()
                    try client.wire.send(client.tls.take())
                    let (told, got) = (try expected.rest().withoutDates, client.everything().withoutDates)
                    if told != got { Issue.record("\(shown(vector.bytes)): \(told) and \(got)") }
                    answers += told.isEmpty ? 0 : 1
                }
                #expect(answers > [HeadVector].all.count / 2, "there were answers to compare")
            }
        }

        @Test(arguments: [true, false])
        func `many requests of a connection are answered, together and one after another`(usesFastPath: Bool) async throws {
            try await withServer(usesFastPath: usesFastPath) { server, _, secure in
                let client = try SecureClient(to: secure)
                for round in 0..<20 { #expect(try client.ask(get("/\(round)"))["Location"] == atCDN("/\(round)")) }
                try client.send((0..<40).map { get("/\($0)") }.joined() + get("/last", "Connection: close"))
                var bytes = try client.rest()[...]
                for round in 0..<40 { #expect(try Answer(from: &bytes)["Location"] == atCDN("/\(round)")) }
                #expect(try Answer(from: &bytes)["Location"] == atCDN("/last"))
                #expect(bytes.isEmpty)
                let counters = try await server.counters()
                #expect(counters.handshakes.full13 == 1)
                if usesFastPath { #expect(counters.handOvers.values.reduce(0, +) == 0) }
            }
        }

        @Test(arguments: [true, false])
        func `requests in records of any cut are answered`(usesFastPath: Bool) async throws {
            try await withServer(usesFastPath: usesFastPath) { _, _, secure in
                for length in [1, 3, 17] {
                    let client = try SecureClient(to: secure)
                    let request = Array(get("/a", "Connection: close"))
                    for start in stride(from: 0, to: request.count, by: length) {
                        client.tls.write(String(request[start..<min(request.count, start + length)]))
                        let records = client.tls.take()
                        let cut = records.count / 2
                        try client.wire.send(Array(records[..<cut]))
                        if start % 5 == 0 { try await Task.sleep(for: .milliseconds(1)) }
                        try client.wire.send(Array(records[cut...]))
                    }
                    #expect(try Answer.only(in: client.rest())["Location"] == atCDN("/a"))
                }
            }
        }

        @Test func `half a request is handed over with its session, and what follows is answered`() async throws {
            try await withServer { server, _, secure in
                let client = try SecureClient(to: secure)
                #expect(try client.ask(get("/a"))["Location"] == atCDN("/a"))
                let request = Array(get("/b"))
                try client.send(String(request[..<20]))
                #expect(try await SocketTests.eventually { try await server.counters().handOvers["not-plain"] == 1 })
                try client.send(String(request[20...]))
                #expect(try client.answer()["Location"] == atCDN("/b"))
                #expect(try client.ask(get("/c", "Connection: close"))["Location"] == atCDN("/c"))
                #expect(try client.rest() == [])
            }
        }

        /// The fast path gives a client that does not read to the slow one, which sends what is encrypted already, and then its own.
        @Test func `a client that does not read for a while gets every answer, in order`() async throws {
            try await withServer { server, _, secure in
                let client = try SecureClient(to: secure)
                let count = 40_000
                let batch = 100
                let sending = Task.detached { [wire = client.wire, records = Self.records(client, count, batch)] in
                    for record in records { try wire.send(record) }
                }
                #expect(try await SocketTests.eventually { try await server.counters().handOvers["send-blocked"] == 1 })
                var bytes: ArraySlice<UInt8> = []
                for round in 0..<count {
                    while bytes.firstRange(of: Array("\r\n\r\n".utf8)) == nil { bytes += [UInt8](latin1: try client.receive()) }
                    let answer = try Answer(from: &bytes)
                    guard answer["Location"] == atCDN("/\(round)") else {
                        Issue.record("answer \(round) is another one")
                        return
                    }
                }
                try await sending.value
            }
        }

        private static func records(_ client: SecureClient, _ count: Int, _ batch: Int) -> [[UInt8]] {
            stride(from: 0, to: count, by: batch).map { start in
                client.tls.write((start..<start + batch).map { get("/\($0)") }.joined())
                return client.tls.take()
            }
        }

        @Test(arguments: [true, false])
        func `a request without TLS gets a 400 that says so, and its connection ends`(usesFastPath: Bool) async throws {
            try await withServer(usesFastPath: usesFastPath) { server, _, secure in
                for request in [get("/a"), get("/a") + String(repeating: "x", count: 30_000), "P"] {
                    let client = try Client(to: secure)
                    try client.send(request)
                    let answer = try Answer.only(in: client.rest())
                    #expect(answer.status == 400 && answer.closes)
                    #expect(answer.body.contains("https-only"))
                }
                #expect(try await server.counters().handshakes.failed(.plainHTTP) == 3)
            }
        }

        @Test func `TLS on a port without it gets a 400 without TLS`() async throws {
            try await withServer { _, plain, _ in
                let client = try Client(to: plain)
                let hello = TLSClient()
                hello.handshake()
                try client.send(hello.take())
                #expect(try Answer.only(in: client.rest()).status == 400)
            }
        }

        @Test(arguments: [true, false])
        func `handshakes that fail are counted by their reason, and others go on`(usesFastPath: Bool) async throws {
            try await withServer(usesFastPath: usesFastPath) { server, _, secure in
                let good = try SecureClient(to: secure)
                #expect(throws: Answer.Malformed.self) { try SecureClient(to: secure, .init(versions: 0x302...0x302)) }
                #expect(throws: Answer.Malformed.self) {
                    try SecureClient(to: secure, .init(versions: 0x303...0x303, ciphers: "ECDHE-RSA-AES128-GCM-SHA256"))
                }
                #expect(throws: Answer.Malformed.self) { try SecureClient(to: secure, .init(protocols: ["h2"])) }
                let garbage = try Client(to: secure)
                try garbage.send([0x17, 3, 3, 0, 1, 0])
                #expect(try garbage.rest().first == 0x15, "an alert")
                do {
                    // Regression: the slow path counted one that says nothing, as a health check does.
                    _ = try Client(to: secure)
                    let gone = try Client(to: secure)
                    try gone.send([0x16, 3, 1, 2, 0])
                }
                #expect(
                    try await SocketTests.eventually {
                        let handshakes = try await server.counters().handshakes
                        return [.version, .noSharedCipher, .noSharedProtocol, .malformed, .closed].allSatisfy { handshakes.failed($0) == 1 }
                    })
                #expect(try good.ask(get("/a"))["Location"] == atCDN("/a"))
            }
        }

        @Test(arguments: [true, false])
        func `a handshake that takes longer than a head may is ended, however it drips`(usesFastPath: Bool) async throws {
            var limits = Limits()
            limits.headSeconds = 1
            try await withServer(usesFastPath: usesFastPath, limits: limits) { server, _, secure in
                let hello = TLSClient()
                hello.handshake()
                let bytes = hello.take()
                let client = try Client(to: secure)
                let dripping = Task.detached {
                    for byte in bytes {
                        guard (try? client.send([byte])) != nil else { return }
                        try await Task.sleep(for: .milliseconds(50))
                    }
                }
                #expect((try? client.rest()) ?? [] == [])
                dripping.cancel()
                #expect(try await server.counters().handshakes.failed(.timeout) == 1)
            }
        }

        /// A handshake costs twenty requests: who shakes hands without end was limited by nothing.
        @Test(arguments: [true, false])
        func `regression: handshakes count for the rate of their client, and are refused before they cost anything`(usesFastPath: Bool)
            async throws
        {
            try await withServer(usesFastPath: usesFastPath, rate: ClientRate(perSecond: 1, burst: 3)) { server, plain, secure in
                let kept = try SecureClient(to: secure)
                for _ in 0..<2 { _ = try SecureClient(to: secure) }
                let refused = try Client(to: secure)
                let hello = TLSClient()
                hello.handshake()
                try refused.send(hello.take())
                #expect(try refused.rest() == [21, 3, 3, 0, 2, 2, 49], "access_denied, and the end")
                #expect(try await server.counters().handshakes.failed(.rate) == 1)
                // The handshake has paid for the first request, and for that alone.
                #expect(try kept.ask(get("/a"))["Location"] == atCDN("/a"))
                #expect(try kept.ask(get("/b")).status == 429)
                // The same budget without TLS.
                #expect(try Client(to: plain).ask(get("/c", "Connection: close")).status == 429)
                let counts = try await server.counters().handshakes
                #expect(counts.full13 == 3 && counts.failed(.malformed) == 0 && counts.failed(.closed) == 0)
            }
        }

        @Test(arguments: [true, false], [true, false])
        func `a client that comes back for each request gets as many answers by HTTPS as without it`(
            usesFastPath: Bool, isHTTP2: Bool
        ) async throws {
            let burst = 5
            for isSecure in [true, false] {
                let rate = ClientRate(perSecond: 1, burst: burst)
                try await withServer(usesFastPath: usesFastPath, rate: rate, http2: isHTTP2 ? .tls : .off) { _, plain, secure in
                    var answers = 0
                    var ticket: TLSClient.Resumption?
                    for _ in 0..<burst + 3 {
                        if isSecure {
                            guard let client = try? SecureClient(to: secure, .init(resumes: ticket)) else { continue }
                            guard try client.ask(get("/a", "Connection: close")).status == 301 else { continue }
                            ticket = client.tls.ticket
                        } else {
                            guard try Client(to: plain).ask(get("/a", "Connection: close")).status == 301 else { continue }
                        }
                        answers += 1
                    }
                    // Of the second that the test takes a token may come.
                    #expect((burst...burst + 1).contains(answers), "\(isSecure): \(answers)")
                }
            }
        }

        @Test(arguments: [true, false])
        func `handshakes of a trusted proxy cost nobody anything: its requests name their clients`(usesFastPath: Bool) async throws {
            let proxies = [try #require(Network("127.0.0.0/8"))]
            try await withServer(usesFastPath: usesFastPath, rate: ClientRate(perSecond: 1, burst: 1), trusting: proxies) {
                server, _, secure in
                for number in 1...5 {
                    let client = try SecureClient(to: secure)
                    #expect(try client.ask(get("/a", "X-Forwarded-For: 192.0.2.\(number)"))["Location"] == atCDN("/a"))
                    #expect(try client.ask(get("/a", "X-Forwarded-For: 192.0.2.\(number)", "Connection: close")).status == 429)
                }
                #expect(try await server.counters().handshakes.failed(.rate) == 0)
            }
        }

        @Test(arguments: [true, false])
        func `the client that a PROXY header names pays for its handshake`(usesFastPath: Bool) async throws {
            try await withServer(usesFastPath: usesFastPath, proxyHeader: true, rate: ClientRate(perSecond: 1, burst: 1)) {
                server, _, secure in
                let headers = [1, 2].map { "PROXY TCP4 192.0.2.\($0) 198.51.100.1 4711 80\r\n" }
                let first = try SecureClient(to: secure, header: headers[0])
                #expect(try first.ask(get("/a", "Connection: close"))["Location"] == atCDN("/a"))
                #expect(throws: Answer.Malformed.self) { try SecureClient(to: secure, header: headers[0]) }
                let second = try SecureClient(to: secure, header: headers[1])
                #expect(try second.ask(get("/a", "Connection: close"))["Location"] == atCDN("/a"))
                #expect(try await server.counters().handshakes.failed(.rate) == 1)
            }
        }

        @Test(arguments: [true, false])
        func `a client that shakes hands and asks nothing has the time of a first head, and is told of the end`(usesFastPath: Bool)
            async throws
        {
            var limits = Limits()
            limits.headSeconds = 1
            limits.idleSeconds = 60
            try await withServer(usesFastPath: usesFastPath, limits: limits) { _, _, secure in
                let client = try SecureClient(to: secure)
                #expect(try client.rest() == [])
            }
        }

        @Test func `a session ends with close_notify when it was idle for too long`() async throws {
            var limits = Limits()
            limits.idleSeconds = 1
            try await withServer(limits: limits) { _, _, secure in
                let client = try SecureClient(to: secure)
                #expect(try client.ask(get("/a"))["Location"] == atCDN("/a"))
                #expect(try client.rest() == [])
            }
        }

        /// The end of the connection is all that tells; HTTP has said where the request ends (RFC 9112 §9.8).
        @Test(arguments: [true, false])
        func `regression: a client that ends without close_notify gets its answers, and a close_notify after them`(usesFastPath: Bool)
            async throws
        {
            try await withServer(usesFastPath: usesFastPath) { server, _, secure in
                let client = try SecureClient(to: secure)
                try client.send(get("/a") + get("/b"))
                client.wire.endOutput()
                #expect(try client.answer(of: 2).map { $0["Location"] } == [atCDN("/a"), atCDN("/b")])
                #expect(try client.rest() == [])
                let silent = try SecureClient(to: secure)
                silent.wire.endOutput()
                #expect(try silent.rest() == [])
                let counts = try await server.counters().handshakes
                #expect(counts.full13 == 2 && TLSSession.Failure.allCases.allSatisfy { counts.failed($0) == 0 })
            }
        }

        @Test(arguments: [true, false])
        func `PROXY headers come before TLS`(usesFastPath: Bool) async throws {
            try await withServer(usesFastPath: usesFastPath, proxyHeader: true) { _, _, secure in
                let header = "PROXY TCP4 192.0.2.1 198.51.100.1 4711 80\r\n"
                let client = try SecureClient(to: secure, header: header)
                let request = get("/a", "Accept: application/json")
                #expect(try client.ask(request).body.contains("\"192.0.2.1\""))
                #expect(try client.ask(get("/b", "Connection: close"))["Location"] == atCDN("/b"))
                #expect(try client.rest() == [])
                let wire = try Client(to: secure)
                try wire.send(String(header.prefix(10)))
                try await Task.sleep(for: .milliseconds(20))
                try wire.send(String(header.dropFirst(10)))
                let hello = TLSClient()
                hello.handshake()
                try wire.send(hello.take())
                #expect(try wire.receive().first == 0x16, "a handshake goes on")
            }
        }

        @Test(arguments: [true, false], [0x303, 0x304] as [CInt])
        func `sessions are resumed by any worker, also after new certificates`(usesFastPath: Bool, version: CInt) async throws {
            try await withServer(usesFastPath: usesFastPath, workers: 4) { server, _, secure in
                let options = TLSClient.Options(versions: version...version)
                let first = try SecureClient(to: secure, options)
                #expect(try first.ask(get("/a"))["Location"] == atCDN("/a"))
                let ticket = try #require(first.tls.ticket)
                for _ in 0..<8 {
                    let client = try SecureClient(to: secure, .init(versions: version...version, resumes: ticket))
                    #expect(client.tls.isResumed)
                    #expect(try client.ask(get("/b"))["Location"] == atCDN("/b"))
                }
                let counts = try await server.counters().handshakes
                #expect((version == 0x303 ? counts.resumed12 : counts.resumed13) == 8)
                #expect((version == 0x303 ? counts.full12 : counts.full13) == 1)
            }
        }

        @Test func `new certificates are shown by the next handshake, and no handshake fails meanwhile`() async throws {
            try await withServer(workers: 2) { server, _, secure in
                let old = try SecureClient(to: secure)
                #expect(old.tls.serverName == "balancer.example.com")
                let shaking = Task.detached {
                    var count = 0
                    while !Task.isCancelled {
                        let client = try SecureClient(to: secure)
                        guard try client.ask(get("/a", "Connection: close"))["Location"] == atCDN("/a") else { return -1 }
                        count += 1
                    }
                    return count
                }
                let identities = try (0..<2).map { try Self.identity("name-\($0).example.com") }
                for round in 0..<1000 { try await server.publish(identities[round % 2]) }
                shaking.cancel()
                #expect(try await shaking.value > 0)
                #expect(try SecureClient(to: secure).tls.serverName == "name-1.example.com")
                let failures = try await server.counters().handshakes
                #expect(TLSSession.Failure.allCases.allSatisfy { failures.failed($0) == 0 })
                #expect(try old.ask(get("/b"))["Location"] == atCDN("/b"))
            }
        }

        @Test func `a draining node ends each session with its next answer and a close_notify`() async throws {
            try await withServer { server, _, secure in
                let fast = try SecureClient(to: secure)
                #expect(try fast.ask(get("/a"))["Location"] == atCDN("/a"))
                let slow = try SecureClient(to: secure)
                #expect(try slow.ask("GET /docs HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\r\n").status == 404)
                try await server.stopAccepting()
                for client in [fast, slow] {
                    let answer = try client.ask(get("/b"))
                    #expect(answer["Location"] == atCDN("/b") && answer.closes)
                    #expect(try client.rest() == [])
                }
            }
        }

        /// A handshake has less time than an idle connection, so at the limit it was the first to go.
        @Test func `at the limit of connections an idle one makes room, and no handshake that has just begun`() async throws {
            try await withServer(connections: 3) { server, plain, secure in
                let idle = [try Client(to: plain), try Client(to: plain)]
                for client in idle { #expect(try client.ask(get("/a"))["Location"] == atCDN("/a")) }
                try await Task.sleep(for: .milliseconds(2100))
                let wire = try Client(to: secure)
                let hello = TLSClient()
                hello.handshake()
                try wire.send(hello.take())
                while !hello.isEstablished {
                    hello.give(try wire.receive())
                    hello.handshake()
                }
                #expect(try Client(to: plain).ask(get("/b", "Connection: close"))["Location"] == atCDN("/b"))
                hello.write(get("/c"))
                try wire.send(hello.take())
                hello.give(try wire.receive())
                #expect(hello.read()?.contains(atCDN("/c")) == true)
                #expect(try await server.counters().idleConnectionsEnded > 0)
            }
        }

        @Test func `a listener with TLS needs certificates`() async throws {
            let any = try #require(ListenAddress("127.0.0.1:0"))
            let configuration = EdgeServer.Configuration(listeners: [Listener(tls: any)], workers: 1)
            let table = try Setup().table()
            await #expect(throws: EdgeError("there is no certificate to speak TLS with; set --tls-certificate")) {
                try await EdgeServer(configuration, table: table, sequences: SequenceBook().set(for: table)) { _ in }
            }
        }
    }
}

extension String {
    /// Each answer has a number of its own.
    fileprivate var withoutNumbers: String { replacing(/"sequence": ?[0-9]+/, with: "") }
}

extension [UInt8] {
    /// Answers without what is another in each.
    fileprivate var withoutDates: String {
        let lines = split(separator: 0x0A, omittingEmptySubsequences: false).filter { !$0.starts(with: Array("Date: ".utf8)) }
        return String(decoding: Array(lines.joined(separator: [0x0A])), as: UTF8.self).withoutNumbers
    }
}

extension SecureClient {
    /// What comes until the end, however that comes.
    fileprivate func everything() -> [UInt8] {
        var all: [UInt8] = []
        while let text = try? receive(), !text.isEmpty { all += [UInt8](latin1: text) }
        return all
    }
}
