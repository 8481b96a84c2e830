import Foundation
import Testing

/// A configuration that cannot work ends the start with a line that names what is wrong; one that can is read in its order.
@Suite(.onThreads)
struct ConfigurationTests {
    @Test func `a first start without CDN_HOST exits 78 naming CDN_HOST`() throws {
        let finished = try serve()
        #expect(finished.code == 78, "\(finished)")
        #expect(finished.errorLines.count == 1, "\(finished)")
        #expect(finished.error.contains("CDN_HOST"))
    }

    @Test(arguments: [
        ["CDN_HOST": "cdn.example.com", "ORIGIN_EVERY": "abc"],
        ["CDN_HOST": "cdn.example.com", "ORIGIN_EVERY": "-1"],
        ["CDN_HOST": "cdn.example.com", "ORIGIN_DOMAINS": "not a host"],
        ["CDN_HOST": "cdn.example.com", "ORIGIN_SERVERS": "s[9-1]"],
    ])
    func `a bad variable of the first catalog exits 78 and is named`(environment: [String: String]) throws {
        let finished = try serve(environment)
        let name = try #require(environment.keys.first { $0 != "CDN_HOST" })
        #expect(finished.code == 78, "\(finished)")
        #expect(finished.errorLines.count == 1, "\(finished)")
        #expect(finished.errorLines.allSatisfy { $0.hasPrefix("video-balancer: \(name) ") }, "\(finished)")
    }

    @Test func `all faults of the first catalog are told at once`() throws {
        let finished = try serve([
            "CDN_HOST": "cdn.example.com,no host", "ORIGIN_EVERY": "abc", "ORIGIN_DOMAINS": "a,a", "ORIGIN_SERVERS": "s[x]",
        ])
        #expect(finished.code == 78, "\(finished)")
        for name in ["CDN_HOST", "ORIGIN_EVERY", "ORIGIN_DOMAINS", "ORIGIN_SERVERS"] {
            #expect(finished.error.contains(name), "\(finished)")
        }
    }

    @Test func `all faults of the settings are told at once`() throws {
        let finished = try serve(
            ["CDN_HOST": "cdn.example.com", "BALANCER_BODY_BYTES": "1"], "--listen", "nowhere", "--workers", "many", "--admin", "0.0.0.0")
        #expect(finished.code == 78, "\(finished)")
        for name in ["--listen", "--workers", "--admin", "BALANCER_BODY_BYTES"] { #expect(finished.error.contains(name), "\(finished)") }
    }

    @Test func `a list is the same given at once or in several flags, and names of the admin port are a flag`() throws {
        let finished = try serve(
            ["CDN_HOST": "cdn.example.com"], "--trusted-proxies", "one", "--trusted-proxies", "10.0.0.0/8,two", "--admin-names", "a b")
        #expect(finished.code == 78, "\(finished)")
        for word in ["\"one\"", "\"two\"", "\"a b\""] { #expect(finished.error.contains(word), "\(finished)") }
        #expect(!finished.error.contains("\"10.0.0.0/8\""), "\(finished)")
    }

    @Test(arguments: ["localhost:8000", "127.0.0.1", "127.0.0.1:70000", "[::1:8000", "8000", ""])
    func `a bad address to listen on exits 78 naming the setting`(address: String) throws {
        let finished = try serve(["CDN_HOST": "cdn.example.com"], "--listen", address)
        #expect(finished.code == 78, "\(finished)")
        #expect(finished.error.contains("--listen (BALANCER_LISTEN)"), "\(finished)")
    }

    @Test func `an unknown BALANCER_ name in the environment exits 78 naming it`() throws {
        let finished = try serve(["CDN_HOST": "cdn.example.com", "BALANCER_FOO": "1"])
        #expect(finished.code == 78, "\(finished)")
        #expect(finished.error.contains("BALANCER_FOO"))
    }

    @Test func `an unknown BALANCER_ name in the env file exits 78 naming it`() throws {
        let finished = try serve(["CDN_HOST": "cdn.example.com"], envFile: "# comment\nBALANCER_LISTENN=[::]:9000\n")
        #expect(finished.code == 78, "\(finished)")
        #expect(finished.error.contains("BALANCER_LISTENN"))
    }

    @Test func `an unknown flag exits 64`() throws {
        let finished = try serve(["CDN_HOST": "cdn.example.com"], "--listenn", "[::]:9000")
        #expect(finished.code == 64, "\(finished)")
        #expect(finished.error.contains("--listenn"))
    }

    @Test func `DB_HOST without the database's name exits 78 and says what is missing`() throws {
        let folder = try Folder()
        let finished = try folder.balancer(
            "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
            environment: ["CDN_HOST": "cdn.example.com", "DB_HOST": "db.example.com", "DB_PASS": "geheim"], seconds: 20)
        #expect(finished.code == 78, "\(finished)")
        #expect(finished.error.contains("DB_NAME"))
        #expect(!finished.description.contains("geheim"))
    }

    @Test(arguments: [
        "mysql://user:geheim@db.example.com:port/name", "postgres://u:geheim@h/n", "sqlite:", "sqlite::memory:", "balancer.db",
    ])
    func `a database that cannot be used exits 78 and shows no password`(url: String) throws {
        let finished = try serve(["CDN_HOST": "cdn.example.com"], "--database", url)
        #expect(finished.code == 78, "\(finished)")
        #expect(finished.errorLines.count == 1, "\(finished)")
        #expect(finished.error.contains("BALANCER_DATABASE"), "\(finished)")
        #expect(!finished.description.contains("geheim"))
    }

    @Test func `a port in use ends the start in one line that names it`() throws {
        let balancer = try Balancer(in: try Folder())
        defer { balancer.end() }
        let address = "127.0.0.1:\(balancer.port)"
        let finished = try serve(["CDN_HOST": "cdn.example.com"], "--listen", address)
        #expect(finished.code == 1, "\(finished)")
        #expect(finished.errorLines.count == 1, "\(finished)")
        #expect(finished.error.contains(address), "\(finished)")
        #expect(try balancer.get(Sample.target).status == 301)
    }

    @Test func `a port of the control plane in use ends the start in one line that names it`() throws {
        let balancer = try Balancer(in: try Folder())
        defer { balancer.end() }
        let address = "127.0.0.1:\(balancer.adminPort)"
        let finished = try serve(["CDN_HOST": "cdn.example.com"], "--admin", address)
        #expect(finished.code == 1, "\(finished)")
        #expect(finished.errorLines.count == 1, "\(finished)")
        #expect(finished.error.contains(address) && finished.error.contains("--admin"), "\(finished)")
    }

    @Test func `a setting comes from the flag, else the environment, else the env file, else its default`() throws {
        let folder = try Folder()
        let cdn = ["CDN_HOST": "cdn.example.com"]
        #expect(try workers(folder, cdn) == "\(ProcessInfo.processInfo.activeProcessorCount)")
        try folder.write("# comment\nBALANCER_WORKERS=5\n", to: ".env")
        #expect(try workers(folder, cdn) == "5")
        #expect(try workers(folder, cdn.merging(["BALANCER_WORKERS": "4"]) { $1 }) == "4")
        #expect(try workers(folder, cdn.merging(["BALANCER_WORKERS": "4"]) { $1 }, "--workers", "3") == "3")
    }

    @Test func `the first catalog can come from the env file`() throws {
        let folder = try Folder()
        try folder.write("CDN_HOST=a.example.com,https://b.example.com/films\nORIGIN_EVERY=3\nORIGIN_SERVERS=o1\n", to: ".env")
        let balancer = try Balancer(in: folder, environment: [:])
        defer { balancer.end() }
        let locations = try (0..<3).map { _ in try balancer.get("/?video=http://o1.origin-cluster/v.m3u8").location }
        #expect(
            locations == ["http://a.example.com/o1/v.m3u8", "https://b.example.com/films/o1/v.m3u8", "http://o1.origin-cluster/v.m3u8"])
    }

    @Test func `later starts need no CDN_HOST, and warn when the environment says something else than the database`() throws {
        let folder = try Folder()
        let first = try Balancer(in: folder)
        defer { first.end() }
        try first.stop()
        let second = try Balancer(in: folder, environment: [:])
        defer { second.end() }
        #expect(try second.get(Sample.target).location == Sample.atCDN)
        #expect(try second.log().allSatisfy { $0.level != "warning" })
        try second.stop()
        let third = try Balancer(in: folder, environment: ["CDN_HOST": "other.example.com", "ORIGIN_EVERY": "1"])
        defer { third.end() }
        #expect(try third.get(Sample.target).location == Sample.atCDN)
        let warning = try #require(try third.log().first { $0.level == "warning" })
        #expect(warning["variables"] == "CDN_HOST, ORIGIN_EVERY")
    }

    @Test(arguments: ["--listen", "--admin", "--listen-tls"])
    func `regression: a first start whose port is taken leaves no token behind`(flag: String) throws {
        let folder = try Folder()
        let other = try Balancer(in: Folder(), environment: ["CDN_HOST": "cdn.example.com"])
        defer { other.end() }
        let common = ["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--lame-duck", "0", "--drain-timeout", "1"]
        let tls = ["--listen-tls", "127.0.0.1:0", "--tls-certificate", "self-signed"]
        let command = [Command.binary] + common + tls + ["--database", folder.database, flag, "127.0.0.1:\(other.adminPort)"]
        let finished = try Command.run(command, in: folder, environment: ["CDN_HOST": "cdn.example.com"], seconds: 20)
        #expect(finished.code != 0 && !finished.output.contains("API token"), "\(finished)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.hasSuffix(".token") })
        let keys = try folder.balancer("key", "list", "--database", folder.database)
        // A start that knows at once that its port is taken makes no database either.
        #expect((flag == "--admin" || keys.code == 0) && !keys.output.contains("first-start"), "\(keys)")
    }

    private func serve(_ environment: [String: String] = [:], _ flags: String..., envFile: String? = nil) throws -> Command.Finished {
        let folder = try Folder()
        if let envFile { try folder.write(envFile, to: ".env") }
        // Lets a start that fails late end without waiting for players.
        let common = ["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--lame-duck", "0", "--drain-timeout", "1"]
        let command = [Command.binary] + common + ["--database", folder.database] + flags
        return try Command.run(command, in: folder, environment: environment, seconds: 20)
    }

    private func workers(_ folder: Folder, _ environment: [String: String], _ flags: String...) throws -> String? {
        let command = [Command.binary, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--lame-duck", "0"] + flags
        let running = try Command.start(command, in: folder, environment: environment)
        defer { running.process.end() }
        return try eventually("serving") {
            if let ending = running.process.poll() { throw Failure("serve ended: \(ending)") }
            return try LogLine.parse(running.output).first { $0.message == "serving redirects" }?["workers"]
        }
    }
}
