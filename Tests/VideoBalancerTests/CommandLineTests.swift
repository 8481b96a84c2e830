import Foundation
import Glibc
import Testing

/// The commands besides `serve`.
@Suite(.onThreads)
struct CommandLineTests {
    /// Faults in six places, each with its JSON pointer.
    static let faulty = #"""
        {"version":1,"origin":{"domains":["origin-cluster"],"servers":["s[9-1]"],"every":-1},"surprise":true,
         "cdns":[{"name":"a","url":"ftp://a"},{"name":"a","url":"http://b.example.com","weight":5000}],"redirect":{"status":200}}
        """#
    static let pointers = ["/origin/servers/0", "/origin/every", "/surprise", "/cdns/0/url", "/cdns/1/weight", "/redirect/status"]

    @Test func `check names every fault of a catalog with exit code 78, and none of a good one`() throws {
        let folder = try Folder()
        try folder.write(CommandLineTests.faulty, to: "bad.json")
        let bad = try folder.balancer("check", "bad.json")
        #expect(bad.code == 78, "\(bad)")
        for pointer in CommandLineTests.pointers {
            #expect(bad.errorLines.contains { $0.contains("bad.json: \(pointer): ") }, "\(pointer): \(bad)")
        }
        try folder.write(Sample.catalog(), to: "good.json")
        let good = try folder.balancer("check", "good.json")
        #expect(good.code == 0, "\(good)")
        // That it is reached by HTTP alone is no fault.
        #expect(good.error.isEmpty, "\(good)")
    }

    @Test(arguments: ["{", "[]", "", "{\"version\":2}", "nul"])
    func `check refuses what is no catalog with exit code 78`(text: String) throws {
        let folder = try Folder()
        try folder.write(text, to: "bad.json")
        let finished = try folder.balancer("check", "bad.json")
        #expect(finished.code == 78, "\(finished)")
        #expect(finished.errorLines.allSatisfy { $0.hasPrefix("video-balancer: bad.json") }, "\(finished)")
        let absent = try folder.balancer("check", "absent.json")
        #expect(absent.code == 78, "\(absent)")
        #expect(absent.errorLines.count == 1)
    }

    @Test func `import refuses a faulty catalog with exit code 78 and all its faults, and the old one stays`() throws {
        let folder = try Folder()
        let balancer = try Balancer(in: folder)
        defer { balancer.end() }
        let before = try folder.balancer("catalog", "export", "--database", folder.database).output
        try folder.write(CommandLineTests.faulty, to: "bad.json")
        let finished = try folder.balancer("catalog", "import", "bad.json", "--database", folder.database)
        #expect(finished.code == 78, "\(finished)")
        for pointer in CommandLineTests.pointers { #expect(finished.error.contains(pointer), "\(pointer): \(finished)") }
        #expect(try folder.balancer("catalog", "export", "--database", folder.database).output == before)
        #expect(try balancer.get(Sample.target).location == Sample.atCDN)
    }

    @Test func `import reads YAML, and what export prints can be imported again`() throws {
        let folder = try Folder()
        let yaml = """
            version: 1
            origin:
              domains: [origin-cluster, "origin.example.com:8080"]
              servers: ["s[1-5]", film]
              scheme: https
              every: 3
              scope: server
            cdns:
              - {name: a, url: "http://a.example.com", weight: 3}
              - name: b
                url: https://b.example.com/films
                enabled: false
            selection: {strategy: rotate, every: 4}
            redirect: {status: 307}
            """
        try folder.write(yaml, to: "catalog.yaml")
        let first = try folder.balancer("catalog", "import", "catalog.yaml", "--database", folder.database)
        #expect(first.acknowledgedRevision == 1, "\(first)")
        let exported = try folder.balancer("catalog", "export", "--database", folder.database)
        #expect(exported.code == 0)
        let document = try JSONSerialization.jsonObject(with: Data(exported.output.utf8)) as? [String: Any]
        #expect((document?["origin"] as? [String: Any])?["every"] as? Int == 3)
        #expect((document?["redirect"] as? [String: Any])?["status"] as? Int == 307)

        try folder.write(exported.output, to: "exported.json")
        let second = try folder.balancer("catalog", "import", "exported.json", "--database", folder.database)
        #expect(second.acknowledgedRevision == 2, "\(second)")
        #expect(try folder.balancer("catalog", "export", "--database", folder.database).output == exported.output)
    }

    @Test func `import with an expected revision refuses a stale one with the newest revision's number`() throws {
        let folder = try Folder()
        try folder.importCatalog(Sample.catalog(every: 1))
        try folder.importCatalog(Sample.catalog(every: 2))
        try folder.write(Sample.catalog(every: 3), to: "c.json")
        let stale = try folder.balancer("catalog", "import", "c.json", "--expect", "1", "--database", folder.database)
        #expect(stale.code == 1, "\(stale)")
        #expect(stale.error.contains("2"), "\(stale)")
        let fresh = try folder.balancer("catalog", "import", "c.json", "--expect", "2", "--database", folder.database)
        #expect(fresh.acknowledgedRevision == 3, "\(fresh)")
    }

    @Test func `of many imports at once each acknowledged one has a revision of its own`() throws {
        let folder = try Folder()
        try folder.importCatalog(Sample.catalog())
        let revisions = try concurrently(8) { index in
            try folder.write(Sample.catalog(every: index), to: "c\(index).json")
            let finished = try folder.balancer("catalog", "import", "c\(index).json", "--database", folder.database)
            if finished.code != 0 { #expect(finished.error.contains("changed meanwhile"), "\(finished)") }
            return finished.acknowledgedRevision
        }.compactMap { $0 }
        #expect(Set(revisions).count == revisions.count)
        #expect(revisions.sorted() == Array(2..<(2 + revisions.count)))
    }

    @Test func `migrate goes up and, after a warning, down again`() throws {
        let folder = try Folder()
        func migrate(_ arguments: String...) throws -> Command.Finished {
            try Command.run([Command.binary, "migrate"] + arguments + ["--database", folder.database], in: folder)
        }
        let fresh = try migrate("status")
        #expect(fresh.code == 0, "\(fresh)")
        let steps = fresh.output.split(separator: "\n").count
        #expect(steps > 0)
        #expect(fresh.output.split(separator: "\n").allSatisfy { $0.contains("  pending  ") }, "\(fresh)")
        #expect(try migrate("up").code == 0)
        let after = try migrate("status")
        #expect(after.output.split(separator: "\n").filter { $0.contains("  applied  ") }.count == steps, "\(after)")
        #expect(try migrate("up").output == "")

        try folder.importCatalog(Sample.catalog())
        let warned = try migrate("down", "0")
        #expect(warned.code == 78, "\(warned)")
        #expect(warned.output.contains("would lose"), "\(warned)")
        #expect(try folder.balancer("catalog", "export", "--database", folder.database).code == 0)
        #expect(try migrate("down", "0", "--yes").code == 0)
        #expect(try migrate("status").output.contains("  pending  "))
        let exported = try folder.balancer("catalog", "export", "--database", folder.database)
        #expect(exported.code == 1, "\(exported)")
        #expect(exported.error.contains("migrate up"), "\(exported)")
        #expect(try folder.importCatalog(Sample.catalog()) == 1)
    }

    @Test func `healthcheck exits 0 while the balancer is ready and 1 when it drains or is gone`() throws {
        let balancer = try Balancer(in: try Folder(), "--listen", "[::]:0", "--lame-duck", "60")
        defer { balancer.end() }
        func healthcheck() throws -> CInt { try balancer.folder.balancer("healthcheck", "--listen", "[::]:\(balancer.port)").code }
        #expect(try healthcheck() == 0)
        balancer.process.send(SIGTERM)
        try eventually("draining") { try balancer.get("/readyz").status == 503 }
        #expect(try healthcheck() == 1)
        try balancer.kill()
        let gone = try balancer.folder.balancer("healthcheck", "--listen", "[::]:\(balancer.port)")
        #expect(gone.code == 1)
        #expect(gone.errorLines.count == 1, "\(gone)")
    }

    @Test(arguments: ["", "127.0.0.0/8", "10.0.0.0/8"])
    func `healthcheck works with the PROXY protocol and any trusted list`(trusted: String) throws {
        let balancer = try Balancer(in: try Folder(), "--proxy-protocol", "on", "--trusted-proxies", trusted)
        defer { balancer.end() }
        let finished = try balancer.folder.balancer(
            "healthcheck", "--listen", "127.0.0.1:\(balancer.port)", "--admin", "127.0.0.1:\(balancer.adminPort)",
            environment: ["BALANCER_PROXY_PROTOCOL": "on", "BALANCER_TRUSTED_PROXIES": trusted])
        #expect(finished.code == 0, "\(finished)")
    }

    @Test(arguments: [
        ("every: 010", "c.yaml:3: /origin/every: YAML reads 010 as 8; quote it"),
        ("every: 1:30", "c.yaml:3: /origin/every: YAML reads 1:30 as 90; quote it"),
        ("domains: [NO]", "c.yaml: /origin/domains/0: "), ("domains: [NO]", "quote it, \"NO\""),
    ])
    func `what YAML reads as something else than it looks like is told to be quoted`(line: String, said: String) throws {
        let folder = try Folder()
        try folder.write(
            "version: 1\norigin:\n  \(line)\n  servers: [s1]\ncdns: [{name: a, url: 'http://a.example.com'}]\n", to: "c.yaml")
        let finished = try folder.balancer("check", "c.yaml")
        #expect(finished.code == 78 && finished.error.contains(said), "\(finished)")
    }

    @Test func `a byte order mark before a catalog is passed over, and a key that stands twice is named`() throws {
        let folder = try Folder()
        try folder.write("\u{FEFF}" + Sample.catalog(), to: "good.json")
        #expect(try folder.balancer("check", "good.json").code == 0)
        try folder.write(
            "\u{FEFF}version: 1\norigin: {domains: [a], servers: [s1]}\ncdns: [{name: a, url: 'http://a.example.com'}]\n", to: "good.yaml")
        #expect(try folder.balancer("check", "good.yaml").code == 0)
        try folder.write("{\"version\":1,\n \"version\":1}", to: "bad.json")
        let finished = try folder.balancer("check", "bad.json")
        #expect(finished.code == 78 && finished.error.contains("bad.json: not valid JSON: the key \"version\" stands twice"), "\(finished)")
    }

    @Test(arguments: [["explain", "/s1/a"], ["catalog", "export"], ["key", "list"], ["database", "show"]])
    func `regression: who reads a database that is not there is told so, and none is made`(command: [String]) throws {
        let folder = try Folder()
        let finished = try Command.run([Command.binary] + command, in: folder)
        #expect(finished.code == 78, "\(finished)")
        #expect(finished.errorLines.count == 1 && finished.error.contains("video-balancer.db: there is no such database in \(folder.path)"))
        #expect(!folder.exists("video-balancer.db"))
    }

    @Test func `explain tells the next decision and takes no number`() throws {
        let balancer = try Balancer(in: try Folder(), environment: ["CDN_HOST": "cdn.example.com", "ORIGIN_EVERY": "2"])
        defer { balancer.end() }
        let url = String(Sample.target.dropFirst("/?video=".count))
        _ = try balancer.get(Sample.target)
        try eventually("the saved sequence") {
            try balancer.folder.exists("balancer.db.state") && balancer.folder.text("balancer.db.state").contains("\"redirects\":\"1\"")
        }
        for _ in 0..<3 {
            let finished = try balancer.folder.balancer("explain", url, "--database", balancer.folder.database)
            #expect(finished.code == 0, "\(finished)")
            #expect(finished.output.contains("301 \(Sample.atOrigin)"), "\(finished)")
            #expect(finished.output.contains("redirect number 2"), "\(finished)")
        }
        #expect(try balancer.get(Sample.target, "Accept: application/json").json("sequence") == "2")
        let refused = try balancer.folder.balancer("explain", "http://elsewhere/v", "--database", balancer.folder.database)
        #expect(refused.code == 1, "\(refused)")
        #expect(refused.output.contains("unknown-host"), "\(refused)")
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `a completion script is printed`(shell: String) throws {
        let finished = try Folder().balancer("--generate-completion-script", shell)
        #expect(finished.code == 0)
        #expect(finished.output.contains("healthcheck"))
    }

    @Test func `help names every setting with its variable, and the version is printed`() throws {
        let folder = try Folder()
        let help = try folder.balancer("serve", "--help")
        #expect(help.code == 0)
        for name in ["LISTEN", "ADMIN", "DATABASE", "STATE", "WORKERS", "HEAD_TIMEOUT", "LAME_DUCK", "DRAIN_TIMEOUT", "LOG_FORMAT"] {
            #expect(help.output.contains("BALANCER_\(name)"), "\(name)")
        }
        let version = try folder.balancer("--version")
        #expect(version.code == 0)
        #expect(version.output.contains("."))
    }

    @Test(arguments: [["serve", "--bogus"], ["bogus"], ["check"], ["catalog", "import", "--expect", "x", "f"]])
    func `a usage error exits 64 and says how to use it`(arguments: [String]) throws {
        let finished = try Command.run([Command.binary] + arguments, in: try Folder(), seconds: 20)
        #expect(finished.code == 64, "\(finished)")
        #expect(finished.error.contains("Usage:"), "\(finished)")
    }
}
