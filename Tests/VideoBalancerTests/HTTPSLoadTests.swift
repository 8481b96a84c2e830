import Foundation
import Glibc
import TLSPeer
import Testing

/// What HTTPS costs and keeps over many connections, restarts and balancers: the binary beside clients of our own.
@Suite(.serialized, .onThreads)
struct HTTPSLoadTests {
    /// A session of TLS 1.3 over a real socket.
    private final class Client {
        let connection: HTTPConnection
        let tls: TLSClient

        init(_ port: UInt16, resumes: TLSClient.Resumption? = nil) throws {
            connection = try HTTPConnection("127.0.0.1", port)
            tls = TLSClient(.init(versions: 0x304...0x304, resumes: resumes))
            tls.handshake()
            while !tls.isEstablished {
                try connection.send(tls.take())
                let records = try connection.next()
                if records.isEmpty { throw Failure("ended in the handshake") }
                tls.give(records)
                tls.handshake()
                if let failure = tls.failure { throw Failure("no handshake: \(failure)") }
            }
        }

        /// One request; whether it is redirected as it should be.
        func isAnswered(_ fields: String...) throws -> Bool {
            tls.write(HTTPConnection.request(Sample.target, fields))
            try connection.send(tls.take())
            var answer = ""
            while !answer.hasSuffix("\r\n\r\n") {
                let records = try connection.next()
                if records.isEmpty { throw Failure("ended after \(answer)") }
                tls.give(records)
                while let text = tls.read() { answer += text }
            }
            return answer.contains("Location: \(Sample.atCDN)\r\n")
        }
    }

    private static func start(_ folder: Folder, _ flags: String..., environment: [String: String] = [:]) throws -> HTTPSTests.Secure {
        try HTTPSTests.Secure(
            in: folder, environment: environment, flags: ["--tls-certificate", "cert.pem", "--tls-key", "cert.key"] + flags)
    }

    private static func key() throws -> String {
        let finished = try Command.run(["openssl", "rand", "-hex", "32"], in: try Folder())
        return finished.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test func `sessions resume at another balancer of the fleet, after restarts and while the keys rotate`() throws {
        let count = Tier.runs(6, soak: 200)
        let (folder, other) = (try Folder(), try Folder())
        for folder in [folder, other] { try folder.makeCertificate("cert", names: "balancer.example.com") }
        var keys = [try Self.key()]
        let file = folder.path("keys")
        try folder.write(keys[0], to: "keys")
        var balancer = try Self.start(folder, "--tls-ticket-keys", file)
        let second = try Self.start(other, "--tls-ticket-keys", file)
        defer {
            balancer.balancer.end()
            second.balancer.end()
        }
        let first = try Client(balancer.port)
        #expect(try first.isAnswered("Connection: close") && !first.tls.isResumed)
        var ticket = first.tls.ticket
        var (asked, resumed) = (0, 0)
        for round in 0..<count {
            if round % 3 == 1 {
                // New keys come first, and the one before stays as long as its tickets may come.
                keys = [try Self.key()] + keys.prefix(1)
                try folder.write(keys.joined(separator: "\n") + "\n", to: "keys.new")
                try folder.move("keys.new", to: "keys")
                second.balancer.process.send(SIGHUP)
                let rotated = round / 3 + 1
                try eventually("new keys") { try second.balancer.log("ticket keys loaded").count == rotated }
            }
            #expect(try balancer.balancer.stop() == .exited(0))
            balancer = try Self.start(folder, "--tls-ticket-keys", file)
            for port in [balancer.port, second.port] {
                let client = try Client(port, resumes: ticket)
                #expect(try client.isAnswered("Connection: close"))
                asked += 1
                resumed += client.tls.isResumed ? 1 : 0
                ticket = client.tls.ticket ?? ticket
            }
        }
        #expect(100 * resumed >= 99 * asked, "\(resumed) of \(asked)")
        print("\(count) restarts: \(resumed) of \(asked) sessions resumed")
    }

    @Test func `a file of ticket keys that cannot be used ends the start with one line, and later leaves the keys before`() throws {
        let folder = try Folder()
        try folder.makeCertificate("cert", names: "balancer.example.com")
        try folder.write("secret", to: "keys")
        let finished = try Command.run(
            [
                Command.binary, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--database", folder.database, "--listen-tls",
                "127.0.0.1:0", "--tls-certificate", "cert.pem", "--tls-key", "cert.key", "--tls-ticket-keys", "keys",
            ], in: folder, environment: ["CDN_HOST": "cdn.example.com"])
        #expect(finished.code == 78)
        let advice = "line 1 is no key; write 64 hexadecimal digits, as `openssl rand -hex 32` makes them"
        #expect(finished.errorLines.last?.contains("--tls-ticket-keys (BALANCER_TLS_TICKET_KEYS): keys: \(advice)") == true)
        #expect(finished.errorLines.allSatisfy { !$0.contains("secret") })

        try folder.write(try Self.key(), to: "keys")
        let secure = try Self.start(folder, "--tls-ticket-keys", "keys")
        defer { secure.balancer.end() }
        let first = try Client(secure.port)
        #expect(try first.isAnswered("Connection: close"))
        try folder.write("secret", to: "keys")
        secure.balancer.process.send(SIGHUP)
        let line = "the new ticket keys cannot be used: those loaded before stay until a good file is there"
        try eventually("a line about the file") { try secure.balancer.log(line).map { $0["error"] } == ["keys: \(advice)"] }
        #expect(try Client(secure.port, resumes: first.tls.ticket).tls.isResumed)
    }

    @Test func `an idle session costs at most 4 KiB of user memory`() throws {
        let count = Tier.runs(500, soak: 5_000)
        try ManyConnectionsTests.allowDescriptors(count + 500)
        let folder = try Folder()
        try folder.makeCertificate("cert", names: "balancer.example.com")
        let secure = try Self.start(folder, "--workers", "1", "--idle-timeout", "600")
        defer { secure.balancer.end() }
        for _ in 0..<20 { #expect(try Client(secure.port).isAnswered()) }
        let before = try secure.balancer.privateMemory()
        // The sockets stay; sessions of our own are dropped, as they are large.
        let idle = try (0..<count).map { _ in
            let client = try Client(secure.port)
            #expect(try client.isAnswered())
            return client.connection
        }
        let grown = try secure.balancer.privateMemory() - before
        #expect(grown <= 4096 * count, "\(grown / count) bytes each for \(count) sessions")
        #expect(try secure.balancer.metrics()["balancer_connections_open"] == Double(idle.count))
        print("\(count) idle sessions: \(grown) bytes more, \(grown / count) each")
    }

    /// A browser's hello with a share of ML-KEM is a kilobyte longer, and kept until the handshake's end.
    @Test(arguments: [("X25519", 8192), ("X25519MLKEM768", 8192 + 512)])
    func `half-open handshakes cost at most 8 KiB each, and a client beside them is served`(groups: String, most: Int) throws {
        let count = Tier.runs(1_000, soak: 10_000)
        try ManyConnectionsTests.allowDescriptors(count + 500)
        let folder = try Folder()
        try folder.makeCertificate("cert", names: "balancer.example.com")
        let secure = try Self.start(folder, "--workers", "1", "--head-timeout", "300", "--idle-timeout", "600")
        defer { secure.balancer.end() }
        let hello = TLSClient(.init(groups: groups))
        hello.handshake()
        let bytes = hello.take()
        let normal = try Client(secure.port)
        for _ in 0..<20 { #expect(try normal.isAnswered()) }
        let before = try secure.balancer.privateMemory()
        let halfOpen = try (0..<count).map { round in
            let connection = try HTTPConnection("127.0.0.1", secure.port)
            try connection.send(bytes)
            #expect(try connection.next().first == 0x16)
            if round % 50 == 0 {
                #expect(try normal.isAnswered())
                #expect(try Client(secure.port).isAnswered("Connection: close"))
            }
            return connection
        }
        let grown = try secure.balancer.privateMemory() - before
        #expect(grown <= min(most * count, 80 << 20), "\(grown / count) bytes each for \(count) handshakes")
        #expect(try secure.balancer.metrics()["balancer_connections_open"] ?? 0 >= Double(halfOpen.count))
        print("\(count) half-open handshakes by \(groups): \(grown) bytes more, \(grown / count) each")
    }

    @Test(.enabled(if: Command.isOptimized, "unoptimised, generic code allocates: BALANCER_BINARY is not set"))
    func `a connection takes at most 4 allocations of ours`() throws {
        let (secure, file) = try Self.startCounted()
        defer { secure.balancer.end() }
        var ticket: TLSClient.Resumption?
        func ask(_ count: Int) throws {
            for round in 0..<count {
                let client = try Client(secure.port, resumes: round % 2 == 0 ? ticket : nil)
                #expect(try client.isAnswered("Connection: close"))
                ticket = client.tls.ticket ?? ticket
            }
        }
        try ask(50)
        let before = try AllocationTests.counts(file)
        #expect(before.ours > 0 && before.fast > before.ours, "nothing is counted: \(before)")
        try ask(200)
        let made = try AllocationTests.counts(file).ours - before.ours
        #expect(made <= 4 * 200, "\(made) allocations for 200 connections")
        print("\(made) allocations of ours for 200 connections")
    }

    @Test func `requests of a session make no allocation of ours`() throws {
        let (secure, file) = try Self.startCounted()
        defer { secure.balancer.end() }
        let kept = try Client(secure.port)
        for _ in 0..<50 { #expect(try kept.isAnswered()) }
        let before = try AllocationTests.counts(file)
        #expect(before.ours > 0 && before.fast > before.ours, "nothing is counted: \(before)")
        for _ in 0..<5_000 { #expect(try kept.isAnswered()) }
        // Once a second the Date is written anew: a few allocations, whatever the load.
        let made = try AllocationTests.counts(file).ours - before.ours
        #expect(made <= 300, "\(made) allocations for 5,000 requests")
        print("\(made) allocations of ours for 5,000 requests")
    }

    private static func startCounted() throws -> (HTTPSTests.Secure, file: String) {
        let folder = try Folder()
        try folder.makeCertificate("cert", names: "balancer.example.com")
        let file = "\(folder.output)/allocations"
        return (try start(folder, "--workers", "1", environment: ["ALLOCATIONS": file, "LD_PRELOAD": try Tool.allocations.get()]), file)
    }

    @Test func `a flood of key updates is ended with an alert, and a client that says something between them is answered`() throws {
        let folder = try Folder()
        try folder.makeCertificate("cert", names: "balancer.example.com")
        let secure = try Self.start(folder)
        defer { secure.balancer.end() }
        func openssl(_ updates: Int) throws -> String {
            // Of each read of its input s_client takes the first letter.
            let input = """
                (for i in $(seq \(updates)); do echo K; sleep 0.02; done; printf 'GET /livez HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'; sleep 0.5)
                """
            let command = "\(input) | openssl s_client -connect 127.0.0.1:\(secure.port) -tls1_3 2>&1"
            return try Command.run(["sh", "-c", command], in: folder).output
        }
        #expect(try openssl(5).contains("HTTP/1.1 200 OK"))
        let flood = try openssl(40)
        #expect(flood.contains("alert unexpected message") && !flood.contains("HTTP/1.1"))
    }

    @Test func `openssl gets the OCSP response that lies beside the certificate, until it is gone`() throws {
        let folder = try Folder()
        let script = """
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=root -keyout root.key -out root.pem
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=a -keyout cert.key -out cert.csr
            openssl x509 -req -in cert.csr -CA root.pem -CAkey root.key -set_serial 7 -days 30 -out cert.pem
            printf 'V\\t361104073306Z\\t\\t07\\tunknown\\t/CN=a\\n' > index
            openssl ocsp -index index -CA root.pem -rsigner root.pem -rkey root.key -issuer root.pem -cert cert.pem -respout cert.ocsp -ndays 1
            """
        let made = try Command.run(["sh", "-ec", script], in: folder)
        #expect(made.code == 0 && folder.exists("cert.ocsp"), "\(made)")
        let secure = try Self.start(folder)
        defer { secure.balancer.end() }
        #expect(try secure.openssl("-status").contains("OCSP Response Status: successful"))
        #expect(try !secure.openssl().contains("OCSP Response Status"))
        try FileManager.default.removeItem(atPath: folder.path("cert.ocsp"))
        secure.balancer.process.send(SIGHUP)
        try eventually("a handshake without it") { try secure.openssl("-status").contains("OCSP response: no response sent") }
        try folder.write("nothing", to: "cert.ocsp")
        secure.balancer.process.send(SIGHUP)
        let line = "the OCSP response cannot be used: its certificate is shown without one"
        try eventually("a line about the file") {
            try secure.balancer.log(line).map { $0["error"] }
                == ["cert.ocsp is no OCSP response that can be read; it must be DER, as `openssl ocsp -respout` writes it"]
        }
    }
}
