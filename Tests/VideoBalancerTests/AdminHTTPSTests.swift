import Foundation
import Glibc
import Testing

/// The control plane by TLS, as curl and the program's own commands meet it.
@Suite(.onThreads)
struct AdminHTTPSTests {
    private static let token = "0123456789abcdef0123456789abcdef"

    private static func balancer(in folder: Folder, _ flags: String...) throws -> Balancer {
        try Balancer(
            in: folder, environment: ["CDN_HOST": "cdn.example.com", "BALANCER_ADMIN_TOKEN": token],
            flags: ["--admin-tls-certificate", "admin.pem", "--admin-tls-key", "admin.key"] + flags)
    }

    /// What curl prints of the control plane: the answer with its head.
    private static func curl(_ balancer: Balancer, _ target: String, _ options: String...) throws -> Command.Finished {
        try Command.run(
            [
                "curl", "--silent", "--show-error", "--include", "--globoff", "--max-time", "20", "--cacert", "admin.pem", "--resolve",
                "admin.example.com:\(balancer.adminPort):127.0.0.1", "--header", "Host: localhost:\(balancer.adminPort)", "--header",
                "Authorization: Bearer \(token)",
            ] + options + ["https://admin.example.com:\(balancer.adminPort)\(target)"], in: balancer.folder)
    }

    @Test func `the control plane speaks TLS alone, tells of its certificate, and its cookie is for HTTPS`() throws {
        let folder = try Folder()
        try folder.makeCertificate("admin", names: "admin.example.com")
        try folder.makeCertificate("players", names: "balancer.example.com")
        let balancer = try Self.balancer(
            in: folder, "--listen-tls", "127.0.0.1:0", "--tls-certificate", "players.pem", "--tls-key", "players.key")
        defer { balancer.end() }
        #expect(try Self.curl(balancer, "/readyz").output.hasPrefix("HTTP/1.1 200 OK"))
        let answer = try Self.curl(balancer, "/api/v1/status").output
        let body = try #require(answer.split(separator: "\r\n\r\n", maxSplits: 1).last)
        let status = try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
        let certificates = try #require(status["certificates"] as? [[String: Any]])
        #expect(certificates.map { $0["port"] as? String } == ["players", "admin"])
        #expect(certificates.map { $0["file"] as? String } == ["players.pem", "admin.pem"])
        #expect(certificates.map { $0["names"] as? [String] } == [["balancer.example.com"], ["admin.example.com"]])
        #expect(certificates.map { $0["state"] as? String } == ["good", "good"])
        // Within the second in which it was made there are 30.
        #expect(certificates.allSatisfy { [29, 30].contains($0["daysLeft"] as? Int) })
        #expect(certificates.allSatisfy { $0["trouble"] is NSNull })
        #expect(status["mixedContent"] as? [String] == ["cdn.example.com", "origin"])
        let metrics = Metrics(try Self.curl(balancer, "/metrics").output)
        for name in ["balancer.example.com", "admin.example.com"] {
            #expect(metrics["balancer_tls_certificate_expiry_timestamp_seconds{name=\"\(name)\"}"] ?? 0 > 1_700_000_000)
        }
        let login = try Self.curl(balancer, "/dashboard/session", "--request", "POST")
        #expect(login.output.contains("; HttpOnly; SameSite=Strict; Secure\r\n"), "\(login)")
        let plain = try Command.run(["curl", "-s", "-i", "--max-time", "20", "http://127.0.0.1:\(balancer.adminPort)/readyz"], in: folder)
        // Regression: it was cut without a word.
        #expect(plain.output.hasPrefix("HTTP/1.1 400 Bad Request\r\n") && plain.output.contains("ask it by https://"), "\(plain)")
        let old = try Self.curl(balancer, "/readyz", "--tls-max", "1.1")
        #expect(old.code != 0)
        #expect(try balancer.log("serving the control plane").map { $0["scheme"] } == ["https"])
        #expect(balancer.errorText.isEmpty)
    }

    @Test func `healthcheck asks the control plane by TLS where it asks it at all`() throws {
        let folder = try Folder()
        try folder.makeCertificate("admin", names: "admin.example.com")
        let balancer = try Self.balancer(in: folder, "--proxy-protocol", "on", "--trusted-proxies", "10.0.0.0/8")
        defer { balancer.end() }
        func healthcheck() throws -> Command.Finished {
            try folder.balancer(
                "healthcheck", "--listen", "127.0.0.1:\(balancer.port)", "--admin", "127.0.0.1:\(balancer.adminPort)",
                environment: [
                    "BALANCER_PROXY_PROTOCOL": "on", "BALANCER_TRUSTED_PROXIES": "10.0.0.0/8",
                    "BALANCER_ADMIN_TLS_CERTIFICATE": "admin.pem", "BALANCER_ADMIN_TLS_KEY": "admin.key",
                ])
        }
        let finished = try healthcheck()
        #expect(finished.code == 0 && finished.output == "127.0.0.1:\(balancer.adminPort) /readyz 200\n", "\(finished)")
        try balancer.kill()
        let gone = try healthcheck()
        #expect(gone.code != 0 && gone.errorLines.count == 1 && gone.error.contains("does not answer by HTTPS"), "\(gone)")
    }

    @Test func `new files are shown after SIGHUP, and broken ones leave the old ones`() throws {
        let folder = try Folder()
        try folder.makeCertificate("admin", names: "admin.example.com")
        try folder.makeCertificate("new", names: "new.example.com")
        let balancer = try Self.balancer(in: folder)
        defer { balancer.end() }
        func shown() throws -> String {
            let command = "openssl s_client -connect 127.0.0.1:\(balancer.adminPort) < /dev/null 2>&1 | grep subject="
            return try Command.run(["sh", "-c", command], in: folder).output
        }
        #expect(try shown() == "subject=CN = admin.example.com\n")
        try folder.move("new.pem", to: "admin.pem")
        balancer.process.send(SIGHUP)
        try eventually("a line about the broken pair") {
            try balancer.log("the new certificate cannot be used: the one loaded before stays until good files are there").count == 1
        }
        #expect(try shown() == "subject=CN = admin.example.com\n")
        try folder.move("new.key", to: "admin.key")
        balancer.process.send(SIGHUP)
        try eventually("the new certificate") { try shown() == "subject=CN = new.example.com\n" }
    }

    @Test func `each name gets its certificate, as on the players' port, and other names and none the first`() throws {
        let folder = try Folder()
        try folder.makeCertificate("admin", names: "admin.example.com")
        for name in ["a.example.com", "*.example.org"] {
            try folder.makeCertificate("more/\(name.prefix(1) == "a" ? "a" : "w")", names: name)
        }
        let balancer = try Balancer(
            in: folder, environment: ["CDN_HOST": "cdn.example.com", "BALANCER_ADMIN_TOKEN": Self.token],
            flags: ["--admin-tls-certificate", "admin.pem", "--admin-tls-certificate", "more", "--admin-tls-key", "admin.key"])
        defer { balancer.end() }
        func shown(_ name: String) throws -> String {
            let flag = name.isEmpty ? "-noservername" : "-servername \(name)"
            let command = "openssl s_client -connect 127.0.0.1:\(balancer.adminPort) \(flag) < /dev/null 2>&1 | grep ^subject="
            return try Command.run(["sh", "-c", command], in: folder).output
        }
        #expect(try shown("a.example.com") == "subject=CN = a.example.com\n")
        #expect(try shown("x.example.org") == "subject=CN = *.example.org\n")
        for other in ["admin.example.com", "unknown.example.net", ""] { #expect(try shown(other) == "subject=CN = admin.example.com\n") }
        try folder.makeCertificate("new", names: "a.example.com,b.example.com")
        for ending in ["key", "pem"] { try folder.move("new.\(ending)", to: "more/a.\(ending)") }
        balancer.process.send(SIGHUP)
        try eventually("the new name") { try shown("b.example.com") == "subject=CN = a.example.com\n" }
        #expect(balancer.errorText.isEmpty)
    }

    @Test func `other authorities for clients are asked after SIGHUP, and a broken file leaves the old ones and is told of`() throws {
        let folder = try Folder()
        try folder.makeCertificate("admin", names: "admin.example.com")
        for name in ["ann", "bob"] { try folder.makeClientCertificate(name, authority: "authority-of-\(name)") }
        try folder.copy("authority-of-ann.pem", to: "ca.pem")
        let balancer = try Self.balancer(in: folder, "--admin-client-ca", "ca.pem")
        defer { balancer.end() }
        func getsIn(_ name: String) throws -> Bool {
            try Self.curl(balancer, "/readyz", "--cert", "\(name).pem", "--key", "\(name).key").output.hasPrefix("HTTP/1.1 200 OK")
        }
        #expect(try getsIn("ann") && !getsIn("bob"))
        let told = "the new authorities for clients cannot be used: those loaded before stay until a good file is there"
        for (count, content) in ["", "nothing", String(try folder.text("authority-of-bob.pem").prefix(300))].enumerated() {
            try folder.write(content, to: "ca.pem")
            balancer.process.send(SIGHUP)
            try eventually("a line about the broken file") { try balancer.log(told).count == count + 1 }
        }
        #expect(
            try balancer.log(told).map { $0["error"] } == [
                "ca.pem is empty", "ca.pem has no certificate; it must be PEM: BEGIN CERTIFICATE",
                "ca.pem: certificate 1 cannot be read; it is damaged or cut off",
            ])
        #expect(try getsIn("ann") && !getsIn("bob"))
        let metrics = Metrics(try Self.curl(balancer, "/metrics", "--cert", "ann.pem", "--key", "ann.key").output)
        #expect(metrics["balancer_tls_certificate_troubles{port=\"admin-clients\"}"] == 1)
        #expect(metrics["balancer_tls_certificate_expiry_timestamp_seconds{name=\"authority-of-ann\"}"] ?? 0 > 1_700_000_000)
        try folder.write(folder.text("authority-of-bob.pem"), to: "ca.pem")
        balancer.process.send(SIGHUP)
        try eventually("the other authority") { try getsIn("bob") }
        #expect(try !getsIn("ann"))
        #expect(balancer.errorText.isEmpty)
    }

    @Test func `with an authority for clients nobody gets in without a certificate of it`() throws {
        let folder = try Folder()
        try folder.makeCertificate("admin", names: "admin.example.com")
        try folder.makeCertificate("other", names: "ann")
        for name in ["ann", "bob"] {
            try folder.makeClientCertificate(name, authority: "authority-of-\(name)")
        }
        let balancer = try Self.balancer(in: folder, "--admin-client-ca", "authority-of-ann.pem")
        defer { balancer.end() }
        for tls in ["--tlsv1.3", "--tls-max=1.2"] {
            let flags = tls.split(separator: "=").map(String.init)
            let extra = flags.count > 1 ? flags[1] : "--silent"
            let good = try Self.curl(balancer, "/readyz", "--cert", "ann.pem", "--key", "ann.key", flags[0], extra)
            #expect(good.output.hasPrefix("HTTP/1.1 200 OK"), "\(good)")
            for bad in [[], ["--cert", "bob.pem", "--key", "bob.key"], ["--cert", "other.pem", "--key", "other.key"]] {
                let refused = try Command.run(
                    ["curl", "-s", "-i", "--max-time", "20", "--insecure", flags[0], extra] + bad
                        + ["https://127.0.0.1:\(balancer.adminPort)/readyz"], in: folder)
                #expect(refused.code != 0 && refused.output.isEmpty, "\(bad): \(refused)")
            }
        }
        #expect(balancer.errorText.isEmpty)
    }

    @Test func `files that cannot serve end the start with one line that says why`() throws {
        let folder = try Folder()
        try folder.makeCertificate("a", names: "a.example.com")
        try folder.makeCertificate("b", names: "b.example.com")
        try folder.write("", to: "empty.pem")
        func fault(_ flags: String...) throws -> String {
            let finished = try Command.run(
                [Command.binary, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--database", folder.database] + flags,
                in: folder, environment: ["CDN_HOST": "cdn.example.com"])
            #expect(finished.code == 78, "\(finished)")
            return String(finished.errorLines.last ?? "")
        }
        let (certificate, key, authority) = ("--admin-tls-certificate", "--admin-tls-key", "--admin-client-ca")
        let setting = "\(certificate) (BALANCER_ADMIN_TLS_CERTIFICATE)"
        #expect(try fault(certificate, "none.pem").contains("\(setting): none.pem cannot be read: No such file or directory"))
        #expect(try fault(certificate, "a.pem", key, "b.key").contains("\(setting): b.key is not the key of a.pem"))
        #expect(try fault(key, "a.key").contains("is of no use without --admin-tls-certificate"))
        #expect(try fault(authority, "a.pem").contains("is of no use without --admin-tls-certificate"))
        #expect(try fault(certificate, "self-signed", key, "a.key").contains("names 1 keys, and there must be one for each"))
        let withPair = [certificate, "a.pem", key, "a.key", authority]
        #expect(
            try fault(withPair[0], withPair[1], withPair[2], withPair[3], withPair[4], "empty.pem")
                .contains("\(authority) (BALANCER_ADMIN_CLIENT_CA): empty.pem is empty"))
        #expect(
            try fault(withPair[0], withPair[1], withPair[2], withPair[3], withPair[4], "none.pem")
                .contains("\(authority) (BALANCER_ADMIN_CLIENT_CA): none.pem cannot be read"))
    }

    @Test func `a control plane that the network reaches without TLS is warned of once, unless that is wanted`() throws {
        func warnings(_ flags: String...) throws -> [String] {
            let balancer = try Balancer(
                in: try Folder(), environment: ["CDN_HOST": "cdn.example.com", "BALANCER_ADMIN_TOKEN": Self.token], flags: flags)
            defer { balancer.end() }
            return try balancer.log().filter { $0.level == "warning" && $0.message.contains("without TLS") }.map(\.message)
        }
        // Of the addresses of this machine's own network, loopback but for the text.
        #expect(try warnings("--admin", "[::ffff:127.0.0.1]:0").count == 1)
        #expect(try warnings("--admin", "[::ffff:127.0.0.1]:0", "--admin-plain", "on") == [])
        #expect(try warnings("--admin", "[::ffff:127.0.0.1]:0", "--admin-tls-certificate", "self-signed") == [])
        #expect(try warnings() == [])
    }

    @Test func `check, explain and a redirect by HTTPS agree on which targets a page refuses`() throws {
        let folder = try Folder()
        try folder.write(
            """
            {"version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s1"], "every": 0},
             "cdns": [{"name": "both", "url": "http://a.example", "httpsUrl": "https://b.example/x"},
                      {"name": "plain", "url": "http://plain.example", "weight": 1}]}
            """, to: "catalog.json")
        let checked = try folder.balancer("check", "catalog.json")
        #expect(checked.code == 0)
        #expect(
            checked.error
                == "video-balancer: catalog.json: pages by HTTPS refuse redirects to plain, which the catalog has by http alone: add "
                + "httpsUrl to a CDN, keepScheme to the origin, where they speak HTTPS\n")
        try folder.importCatalog(folder.text("catalog.json"))
        let video = "http://s1.origin-cluster/v"
        let plain = try folder.balancer("explain", video, "--database", folder.database).output
        #expect(plain.contains("answer    301 http://a.example/s1/v") && !plain.contains("mixed"))
        let secure = try folder.balancer("explain", video, "--https", "--database", folder.database).output
        #expect(secure.contains("answer    301 https://b.example/x/s1/v\nmixed     a page by HTTPS refuses plain"), "\(secure)")
        let simulated = try folder.balancer("simulate", "catalog.json", "--requests", "1010", "--https").output
        #expect(simulated.contains(/(?m)^mixed content +10 +0\.99 %$/), "\(simulated)")
        try folder.makeCertificate("admin", names: "admin.example.com")
        let balancer = try Balancer(
            in: folder, environment: [:], "--listen-tls", "127.0.0.1:0", "--tls-certificate", "admin.pem", "--tls-key", "admin.key")
        defer { balancer.end() }
        let port = try #require(balancer.log("serving redirects by HTTPS").first?["listen"]?.split(separator: ":").last)
        let asked = try Command.run(["curl", "-s", "-i", "-k", "--http1.1", "https://127.0.0.1:\(port)/?video=\(video)"], in: folder)
        #expect(asked.output.contains("Location: https://b.example/x/s1/v\r\n"), "\(asked)")
        #expect(try balancer.get("/?video=\(video)")["Location"] == "http://a.example/s1/v")
    }
}

extension Folder {
    /// Makes a client's certificate, `NAME.pem` and `NAME.key`, and the authority that has issued it.
    fileprivate func makeClientCertificate(_ name: String, authority: String) throws {
        let curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        let script = """
            openssl req -x509 \(curve) -days 30 -subj /CN=\(authority) -keyout \(authority).key -out \(authority).pem &&
            openssl req \(curve) -subj /CN=\(name) -keyout \(name).key -out \(name).csr &&
            openssl x509 -req -in \(name).csr -CA \(authority).pem -CAkey \(authority).key -CAcreateserial -days 30 -out \(name).pem
            """
        let finished = try Command.run(["sh", "-c", script], in: self)
        guard finished.code == 0 else { throw Failure("openssl: \(finished)") }
    }
}
