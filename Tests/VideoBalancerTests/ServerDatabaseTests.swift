import DatabaseServers
import Foundation
import Testing

/// A balancer on a MariaDB server.
@Suite(.onThreads, .enabled(if: MariaDBServer.isInstalled, "mariadb-server is not installed"))
struct ServerDatabaseTests {
    private let environment = ["CDN_HOST": "cdn.example.com", "BALANCER_ADMIN_TOKEN": Editor.token]

    /// A server with a database `balancer` and a user of the same name.
    private func server() async throws -> MariaDBServer {
        let server = try await MariaDBServer()
        try await server.start()
        let answer = try await server.ask(
            "CREATE DATABASE balancer; CREATE USER balancer@'%' IDENTIFIED BY 'gehe/im'; GRANT ALL ON balancer.* TO balancer@'%'")
        guard answer.code == 0 else { throw Failure(answer.output) }
        return server
    }

    private func url(_ server: MariaDBServer) -> String { "mysql://balancer:gehe%2Fim@127.0.0.1:\(server.port)/balancer" }

    @Test func `several that start at once on an empty database migrate it once, make one catalog, and see one another's edits`()
        async throws
    {
        let server = try await server()
        let url = url(server)
        let balancers = try concurrently(3) { [environment] _ in
            try Balancer(in: try Folder(), environment: environment, "--database", url)
        }
        defer { balancers.forEach { $0.end() } }
        for balancer in balancers { #expect(try balancer.get(Sample.target).location == Sample.atCDN) }
        #expect(Editor(balancers[0]).edit(every: 1, comment: "a") == .accepted(revision: 2))
        for balancer in balancers { try balancer.waitForRevision(2) }
        #expect(try balancers[2].get(Sample.target).location == Sample.atOrigin)
        #expect(try Editor(balancers[1]).history().map(\.id) == [2, 1])
        let states = try await server.ask("SELECT COUNT(*) FROM balancer_migrations WHERE state <> 'applied'", database: "balancer")
        #expect(states.output == "0\n")
        for balancer in balancers {
            #expect(try balancer.log().allSatisfy { !["error", "critical"].contains($0.level) })
        }
    }

    @Test func `the classic variables name the database, and the password may come from a file`() async throws {
        let server = try await server()
        let folder = try Folder()
        try folder.write("gehe/im\n", to: "password")
        let variables = [
            "DB_HOST": "127.0.0.1", "DB_PORT": "\(server.port)", "DB_NAME": "balancer", "DB_USER": "balancer", "DB_PASS_FILE": "password",
        ]
        for command in [["migrate", "up"], ["migrate", "status"]] {
            let finished = try Command.run([Command.binary] + command, in: folder, environment: variables)
            #expect(finished.code == 0, "\(finished)")
            #expect(finished.output.contains("1  applied"), "\(finished)")
        }
        let named = ["DB_PASS": "gehe/im"]
        let address = "mysql://balancer@127.0.0.1:\(server.port)/balancer"
        let finished = try folder.balancer("migrate", "down", "0", "--database", address, environment: named)
        #expect(finished.code == 78 && finished.output.contains("would lose: every revision"), "\(finished)")
        #expect(try folder.balancer("migrate", "down", "0", "--yes", "--database", address, environment: named).code == 0)
        let denied = try folder.balancer("key", "list", "--database", address, environment: ["DB_PASS": "sEcr3t"])
        #expect(denied.code == 1 && denied.errorLines.count == 1, "\(denied)")
        #expect(denied.error.contains("\(address): the server refuses this user or password"), "\(denied)")
        #expect(!denied.error.contains("sEcr3t"))
    }

    @Test func `a server that stops and comes back costs no redirect; the API says why, and takes edits again`() async throws {
        let server = try await server()
        let balancer = try Balancer(in: try Folder(), environment: environment, "--database", url(server))
        defer { balancer.end() }
        let editor = Editor(balancer)
        #expect(editor.edit(every: 0, comment: "before") == .accepted(revision: 2))
        let isOver = Flag()
        let load = (0..<2).map { _ in
            Background {
                let connection = try balancer.connection()
                var count = 0
                while !isOver.isUp {
                    guard try connection.get(Sample.target).status == 301 else { throw Failure("no redirect") }
                    count += 1
                }
                return count
            }
        }
        server.kill()
        try eventually("degraded") { try balancer.metrics()["balancer_degraded"] == 1 }
        guard case .failed(let why) = editor.edit(every: 1, comment: "meanwhile") else { throw Failure("an edit without a database") }
        #expect(why.hasPrefix("503 ") && why.contains("127.0.0.1:\(server.port)/balancer: the server cannot be reached"), "\(why)")
        #expect(!why.contains("gehe"))
        pause(Double(Tier.runs(5, soak: 600)))
        #expect(try balancer.get("/readyz").status == 200)
        #expect(try balancer.admin("/readyz").text.hasPrefix("ready, degraded: mysql://balancer@127.0.0.1"))
        let lines = try balancer.log().filter { $0.message.hasPrefix("the database does not answer") }
        #expect((1...3).contains(lines.count), "\(lines.map { $0["error"] ?? "" })")
        try await server.start()
        try eventually("recovery") { try balancer.admin("/readyz").text == "ready\n" }
        // Another connection: the first was idle for longer than the admin port keeps one.
        #expect(Editor(balancer).edit(every: 1, comment: "after") == .accepted(revision: 3))
        isOver.raise()
        #expect(try load.map { try $0.result() }.reduce(0, +) > 1000)
    }

    @Test func `a start while the server is down or hangs serves the last good catalog, and recovers`() async throws {
        let server = try await server()
        let folder = try Folder()
        let first = try Balancer(in: folder, environment: environment, "--database", url(server))
        defer { first.end() }
        #expect(Editor(first).edit(every: 1, comment: "kept") == .accepted(revision: 2))
        try first.stop()
        for hangs in [false, true] {
            if hangs { server.send(SIGSTOP) } else { server.kill() }
            let balancer = try Balancer(in: folder, environment: [:], "--database", url(server))
            defer { balancer.end() }
            #expect(try balancer.get(Sample.target).location == Sample.atOrigin)
            #expect(try balancer.get("/readyz").status == 200)
            #expect(try balancer.admin("/readyz").text.contains("degraded"))
            if hangs { server.send(SIGCONT) } else { try await server.start() }
            try eventually("recovery", within: 30) { try balancer.admin("/readyz").text == "ready\n" }
            try balancer.stop()
        }
    }

    @Test func `without a state file a start without the server ends in one line that names it`() throws {
        let port = try FreePort.take()
        let finished = try Folder().balancer(
            "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--database", "mysql://u:geheim@127.0.0.1:\(port)/b",
            environment: environment)
        #expect(finished.code == 1, "\(finished)")
        #expect(finished.errorLines.count == 1, "\(finished)")
        #expect(finished.error.contains("mysql://u@127.0.0.1:\(port)/b: the server cannot be reached"), "\(finished)")
        #expect(!finished.error.contains("geheim"))
    }
}
