import Foundation
import Glibc
import TLSPeer
import Testing

/// HTTPS as clients of others speak it: curl and openssl against the binary.
@Suite(.onThreads)
struct HTTPSTests {
    /// A balancer with HTTPS beside HTTP, and its clients.
    final class Secure: Sendable {
        let balancer: Balancer
        let port: UInt16

        convenience init(in folder: Folder, _ flags: String..., wrapper: [String] = []) throws {
            try self.init(in: folder, flags: flags, wrapper: wrapper)
        }

        init(in folder: Folder, environment: [String: String] = [:], flags: [String], wrapper: [String] = []) throws {
            balancer = try Balancer(
                in: folder, environment: ["CDN_HOST": "cdn.example.com", "ORIGIN_EVERY": "0"].merging(environment) { $1 },
                flags: ["--listen-tls", "127.0.0.1:0"] + flags, wrapper: wrapper)
            let lines = try balancer.log("serving redirects by HTTPS")
            guard let address = lines.first?["listen"], let port = UInt16(address.split(separator: ":").last ?? "") else {
                balancer.end()
                throw Failure("it does not say where HTTPS is served")
            }
            self.port = port
        }

        /// What curl prints: the answer with its head.
        func curl(_ target: String, name: String = "balancer.example.com", _ options: String...) throws -> Command.Finished {
            try Command.run(
                [
                    "curl", "--silent", "--show-error", "--include", "--globoff", "--max-time", "20", "--resolve",
                    "\(name):\(port):127.0.0.1",
                ] + options + ["https://\(name):\(port)\(target)"], in: balancer.folder)
        }

        /// What `openssl s_client` prints.
        func openssl(_ options: String..., input: String = "/dev/null") throws -> String {
            let command = "openssl s_client -connect 127.0.0.1:\(port) \(options.joined(separator: " ")) < \(input) 2>&1"
            return try Command.run(["sh", "-c", command], in: balancer.folder).output
        }
    }

    @Test(arguments: ["--tlsv1.2 --tls-max 1.2", "--tlsv1.3"])
    func `curl gets the same answers by HTTPS as by HTTP`(version: String) throws {
        let folder = try Folder()
        try folder.makeCertificate("cert", names: "balancer.example.com")
        let secure = try Secure(in: folder, "--tls-certificate", "cert.pem", "--tls-key", "cert.key", "--access-log", "access.log")
        defer { secure.balancer.end() }
        let body = #"{"video": "\#(Sample.atOrigin)"}"#
        for options in [[], ["--head"], ["--header", "Accept: application/json"], ["--data", body], ["--http1.0"]] {
            let target = options.contains("--data") ? "/origin" : Sample.target
            let versions = version.split(separator: " ").map(String.init) + (options == ["--http1.0"] ? [] : ["--http1.1"])
            let common = ["curl", "--silent", "--show-error", "--include", "--globoff", "--max-time", "20"] + options
            let plain = try Command.run(common + ["http://127.0.0.1:\(secure.balancer.port)\(target)", "--header", "Host: x"], in: folder)
            let tls = try Command.run(
                common + versions + [
                    "--cacert", "cert.pem", "--resolve", "balancer.example.com:\(secure.port):127.0.0.1", "--header", "Host: x",
                    "https://balancer.example.com:\(secure.port)\(target)",
                ], in: folder)
            #expect(plain.code == 0 && tls.code == 0, "\(plain) \(tls)")
            #expect(tls.output.withoutDate == plain.output.withoutDate, "\(options)")
            #expect(tls.output.contains(Sample.atCDN) || tls.output.contains(Sample.atOrigin))
        }
        let handshakes = try secure.balancer.metrics()
        let name = version.contains("1.2") ? "1.2" : "1.3"
        #expect(handshakes["balancer_tls_handshakes_total{version=\"\(name)\",resumed=\"no\"}"] == 5)
        #expect(secure.balancer.errorText.isEmpty)
        try eventually("lines of the access log") { try folder.text("access.log").contains(#""tls":"\#(name)","resumed":false"#) }
    }

    @Test func `curl gets the same answers by HTTP/2 as by HTTP/1`() throws {
        let folder = try Folder()
        try folder.makeCertificate("cert", names: "balancer.example.com")
        let secure = try Secure(
            in: folder, "--tls-certificate", "cert.pem", "--tls-key", "cert.key", "--access-log", "access.log", "--http2", "any")
        defer { secure.balancer.end() }
        let body = #"{"video": "\#(Sample.atOrigin)"}"#
        let plain = "http://127.0.0.1:\(secure.balancer.port)"
        let tls = "https://127.0.0.1:\(secure.port)"
        var count = 0
        for (first, second) in [("--http1.1", "--http2-prior-knowledge"), ("--http1.1", "--http2")] {
            for (options, target) in [
                ([], Sample.target), (["--head"], Sample.target), (["--header", "Accept: application/json"], Sample.target),
                ([], "/nothing"),
                (["--data", body], "/origin"), (["--request", "OPTIONS"], "/"), ([], "/livez"), (["--request", "PUT"], Sample.target),
            ] {
                func ask(_ version: String) throws -> String {
                    let url = (second == "--http2" ? tls : plain) + target
                    let common = ["curl", "--silent", "--show-error", "--include", "--globoff", "--insecure", "--max-time", "20"]
                    let finished = try Command.run(common + options + [version, url], in: folder)
                    #expect(finished.code == 0, "\(finished)")
                    return finished.output
                }
                let answers = try [ask(first), ask(second)]
                #expect(answers[1].hasPrefix("HTTP/2 "), "\(options) \(target): \(answers[1])")
                #expect(Self.comparable(answers[0]) == Self.comparable(answers[1]), "\(options) \(target)")
                count += 1
            }
        }
        let metrics = try secure.balancer.metrics()
        #expect(metrics["balancer_http2_answers_total"] == Double(count) && metrics["balancer_http2_connections_total"] == Double(count))
        #expect(metrics["balancer_http2_refusals_total{reason=\"bad-frame\"}"] == 0)
        try eventually("lines of the access log") { try folder.text("access.log").contains(#""resumed":false,"protocol":"h2"}"#) }
    }

    /// An answer without what differs by protocol and time: the status, the fields with their names in lower case, the body.
    private static func comparable(_ answer: String) -> [String] {
        let parts = answer.replacing("\r\n", with: "\n").split(separator: "\n\n", maxSplits: 1).map { String($0) }
        let lines = (parts.first ?? "").split(separator: "\n").map { String($0) }
        let status = lines.first?.split(separator: " ").dropFirst().first.map { String($0) } ?? ""
        let fields = lines.dropFirst().map { line in
            let pair = line.split(separator: ":", maxSplits: 1)
            return (pair.first ?? "").lowercased() + ":" + (pair.count > 1 ? pair[1] : "")
        }
        let kept = fields.filter { !$0.hasPrefix("date:") && !$0.hasPrefix("connection:") && !$0.hasPrefix("content-length:") }
        return [status] + kept + [(parts.count > 1 ? parts[1] : "").replacing(/"sequence":[0-9]+/, with: "")]
    }

    @Test func `a name gets its certificate from a folder, and every other name the first`() throws {
        let folder = try Folder()
        for name in ["a.example.com", "b.example.com"] {
            try folder.makeCertificate("certs/\(name)/fullchain", names: name, key: "certs/\(name)/privkey.pem")
        }
        try folder.makeCertificate("certs/c", names: "c.example.com,*.wild.example.com")
        let secure = try Secure(in: folder, "--tls-certificate", "certs")
        defer { secure.balancer.end() }
        func shown(_ name: String) throws -> String {
            try secure.openssl("-servername", name).split(separator: "\n").first { $0.hasPrefix("subject=") }.map(String.init) ?? ""
        }
        #expect(try shown("a.example.com") == "subject=CN = a.example.com")
        #expect(try shown("b.example.com") == "subject=CN = b.example.com")
        #expect(try shown("x.wild.example.com") == "subject=CN = c.example.com")
        #expect(try shown("unknown.example.com") == "subject=CN = c.example.com")
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func `openssl resumes a session`(version: String) throws {
        let folder = try Folder()
        try folder.makeCertificate("cert", names: "balancer.example.com")
        let secure = try Secure(in: folder, "--tls-certificate", "cert.pem", "--tls-key", "cert.key", "--workers", "2")
        defer { secure.balancer.end() }
        try folder.write("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", to: "request")
        let first = try secure.openssl(version, "-ign_eof", "-sess_out session", input: "request")
        #expect(first.contains("HTTP/1.1 200 OK") && first.contains("\nNew, "), "\(first)")
        for _ in 0..<4 {
            let later = try secure.openssl(version, "-ign_eof", "-sess_in session", input: "request")
            #expect(later.contains("HTTP/1.1 200 OK") && later.contains("\nReused, "), "\(later)")
        }
    }

    @Test func `old versions and weak ciphers are refused, and renegotiation is`() throws {
        let folder = try Folder()
        try folder.makeCertificate("cert", names: "balancer.example.com")
        let secure = try Secure(in: folder, "--tls-certificate", "cert.pem", "--tls-key", "cert.key")
        defer { secure.balancer.end() }
        #expect(try secure.openssl("-tls1_1 -cipher ALL:@SECLEVEL=0").contains("alert protocol version"))
        #expect(try secure.openssl("-tls1_2 -cipher AES128-SHA").contains("handshake failure"))
        #expect(try secure.openssl("-alpn spdy/3").contains("no application protocol"))
        try folder.write("R\n", to: "renegotiate")
        #expect(try secure.openssl("-tls1_2", input: "renegotiate").contains("no renegotiation"))
        let plain = try Command.run(["curl", "-s", "-i", "http://127.0.0.1:\(secure.port)/"], in: folder)
        #expect(plain.output.hasPrefix("HTTP/1.1 400 Bad Request") && plain.output.contains("https-only"))
        let metrics = try secure.balancer.metrics()
        for reason in ["version", "no-shared-cipher", "no-shared-protocol", "plain-http", "renegotiation"] {
            #expect(metrics["balancer_tls_handshake_failures_total{reason=\"\(reason)\"}"] == 1, "\(reason)")
        }
    }

    @Test func `files that cannot serve end the start with one line that says why`() throws {
        let folder = try Folder()
        try folder.makeCertificate("a", names: "a.example.com")
        try folder.makeCertificate("b", names: "b.example.com")
        try folder.write("", to: "empty.pem")
        func fault(_ flags: String...) throws -> [Substring] {
            let finished = try Command.run(
                [Command.binary, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--database", folder.database] + flags,
                in: folder, environment: ["CDN_HOST": "cdn.example.com"])
            #expect(finished.code == 78, "\(finished)")
            return finished.errorLines
        }
        let listen = ["--listen-tls", "127.0.0.1:0"]
        let setting = "--tls-certificate (BALANCER_TLS_CERTIFICATE)"
        #expect(
            try fault(listen[0], listen[1], "--tls-certificate", "a.pem", "--tls-key", "none.key").last?
                .contains("\(setting): none.key cannot be read: No such file or directory") == true)
        #expect(
            try fault(listen[0], listen[1], "--tls-certificate", "empty.pem", "--tls-key", "a.key").last?
                .contains("\(setting): empty.pem is empty") == true)
        #expect(
            try fault(listen[0], listen[1], "--tls-certificate", "a.pem", "--tls-key", "b.key").last?
                .contains("\(setting): b.key is not the key of a.pem; give the two files that were issued together") == true)
        #expect(try fault(listen[0], listen[1]).last?.contains("needs --tls-certificate") == true)
        #expect(try fault("--tls-certificate", "a.pem").last?.contains("is of no use without --listen-tls") == true)
        #expect(
            try fault(listen[0], listen[1], "--tls-certificate", "a.pem", "--tls-certificate", "b.pem", "--tls-key", "a.key").last?
                .contains("names 1 keys") == true)
    }

    @Test func `new files are in use after SIGHUP, broken ones are told of and leave the old ones, and no handshake fails`() throws {
        let folder = try Folder()
        try folder.makeCertificate("cert", names: "first.example.com")
        try folder.makeCertificate("other", names: "second.example.com")
        let secure = try Secure(in: folder, "--tls-certificate", "cert.pem", "--tls-key", "cert.key")
        defer { secure.balancer.end() }
        func shown() throws -> String {
            let text = try secure.openssl("-brief")
            return text.contains("first.example.com") ? "first" : text.contains("second.example.com") ? "second" : text
        }
        #expect(try shown() == "first")
        try folder.move("other.pem", to: "cert.pem")
        secure.balancer.process.send(SIGHUP)
        try eventually("a line about the broken pair") {
            try secure.balancer.log("the new certificate cannot be used: the one loaded before stays until good files are there").count == 1
        }
        let line = try secure.balancer.log().last { $0.level == "error" }
        #expect(line?["error"] == "cert.key is not the key of cert.pem; give the two files that were issued together")
        #expect(try shown() == "first")
        try folder.move("other.key", to: "cert.key")
        secure.balancer.process.send(SIGHUP)
        try eventually("the new certificate") { try shown() == "second" }
        #expect(try secure.balancer.log("certificate loaded").map { $0["names"] } == ["second.example.com"])
        let metrics = try secure.balancer.metrics()
        #expect(metrics["balancer_tls_certificate_expiry_timestamp_seconds{name=\"second.example.com\"}"] ?? 0 > 1_700_000_000)
        #expect(metrics["balancer_tls_certificate_expiry_timestamp_seconds{name=\"first.example.com\"}"] == nil)
    }

    @Test func `a self-signed certificate is made for a first try, and said to be one`() throws {
        let folder = try Folder()
        let secure = try Secure(in: folder, "--tls-certificate", "self-signed")
        defer { secure.balancer.end() }
        #expect(try secure.balancer.log().contains { $0.level == "warning" && $0.message.contains("self-signed") })
        #expect(try secure.curl(Sample.target, name: "localhost", "--insecure").output.contains(Sample.atCDN))
    }

    @Test func `SIGTERM lets sessions finish`() throws {
        let folder = try Folder()
        try folder.makeCertificate("cert", names: "balancer.example.com")
        let secure = try Secure(in: folder, "--tls-certificate", "cert.pem", "--tls-key", "cert.key")
        defer { secure.balancer.end() }
        try folder.write("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", to: "request")
        let kept = try Command.start(
            ["sh", "-c", "(cat request; sleep 2; cat request; sleep 20) | openssl s_client -connect 127.0.0.1:\(secure.port) -ign_eof"],
            in: folder)
        defer { kept.process.end() }
        try eventually("a first answer") { kept.output.contains("HTTP/1.1 200 OK") }
        secure.balancer.process.send(SIGTERM)
        try eventually("the last answer", within: 20) { kept.output.contains("Connection: close") }
        #expect(try secure.balancer.process.wait() == .exited(0))
        #expect(try secure.balancer.log("stopped").map { $0["connectionsCut"] } == ["0"])
    }

    @Test(.enabled(if: Strace.works))
    func `a connection of a handshake and one request takes six system calls beside the waits`() throws {
        let folder = try Folder()
        try folder.makeCertificate("cert", names: "balancer.example.com")
        let secure = try Secure(
            in: folder, "--tls-certificate", "cert.pem", "--tls-key", "cert.key", "--workers", "1",
            wrapper: ["strace", "-f", "-o", folder.path("calls"), "-e", "trace=accept4,recvfrom,sendto,close,shutdown,epoll_ctl"])
        defer { secure.balancer.end() }
        // Of its Finished and its request a client may make two packets; this one does not.
        let connection = try HTTPConnection("127.0.0.1", secure.port)
        let client = TLSClient(.init(versions: 0x304...0x304))
        client.handshake()
        try connection.send(client.take())
        while !client.isEstablished {
            client.give(try connection.next())
            client.handshake()
        }
        client.write(HTTPConnection.request(Sample.target, ["Connection: close"]))
        try connection.send(client.take())
        while !client.isToldOfEnd {
            client.give(try connection.next())
            while let text = client.read() { #expect(text.contains(Sample.atCDN)) }
        }
        try eventually("the close") {
            let calls = try folder.callsOfLastConnection("calls")
            return calls.last == "close"
        }
        let calls = try folder.callsOfLastConnection("calls")
        #expect(calls == ["accept4", "recvfrom", "sendto", "epoll_ctl", "recvfrom", "sendto", "close"])
    }
}

extension String {
    /// Without what is another in each answer.
    fileprivate var withoutDate: [Substring] {
        replacing(/"sequence":[0-9]+/, with: "").split(separator: "\r\n").filter { !$0.hasPrefix("Date: ") }
    }
}

extension Folder {
    /// Makes `FILE.pem` and its key by openssl(1).
    func makeCertificate(_ file: String, names: String, key: String? = nil) throws {
        try FileManager.default.createDirectory(
            at: URL(fileURLWithPath: path(file)).deletingLastPathComponent(), withIntermediateDirectories: true)
        let first = names.prefix { $0 != "," }
        let alternatives = names.split(separator: ",").map { "DNS:\($0)" }.joined(separator: ",")
        let finished = try Command.run(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                "/CN=\(first)", "-addext", "subjectAltName=\(alternatives)", "-keyout", key ?? "\(file).key", "-out", "\(file).pem",
            ], in: self)
        guard finished.code == 0 else { throw Failure("openssl: \(finished)") }
    }

    /// Names of the system calls of the thread that has accepted a connection last, from then on; what found nothing is left out.
    fileprivate func callsOfLastConnection(_ file: String) throws -> [String] {
        // A call that another thread's interrupts stands in two lines, of which the second has its result.
        let calls = try text(file).split(separator: "\n").filter { !$0.contains("EAGAIN") }.compactMap {
            $0.firstMatch(of: /^([0-9]+) +(?:<\.\.\. )?([a-z0-9_]+)(?: resumed>|\().* =/).map { (thread: $0.1, name: String($0.2)) }
        }
        guard let start = calls.lastIndex(where: { $0.name == "accept4" }) else { return [] }
        return calls[start...].filter { $0.thread == calls[start].thread }.map(\.name)
    }
}
