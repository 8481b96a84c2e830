import DatabaseServers
import Foundation
import Glibc
import Testing

/// What hangs holds nothing up that must be quick: verdicts, health pages, the end.
@Suite(.onThreads)
struct HangTests {
    private static let environment = ["CDN_HOST": "cdn.example.com", "BALANCER_ADMIN_TOKEN": Editor.token]

    /// Edits that wait for a lock, each on a thread of its own.
    private func edits(_ balancer: Balancer, _ count: Int) -> [Background<Editor.Outcome>] {
        (0..<count).map { number in Background { Editor(balancer).edit(every: 20 + number, comment: "e\(number)") } }
    }

    /// The lock is let go once the data plane has ended, or not at all.
    @Test(arguments: [true, false])
    func `SIGTERM ends a balancer whose edit waits for a lock, and the edit is answered`(isLetGo: Bool) throws {
        let folder = try Folder()
        let balancer = try Balancer(in: folder, environment: Self.environment, "--drain-timeout", "1")
        defer { balancer.end() }
        let holder = try LockHolder(folder, "BEGIN IMMEDIATE")
        defer { holder.end() }
        let editing = edits(balancer, 1)
        pause(1)
        balancer.process.send(SIGTERM)
        if isLetGo {
            try eventually("the data plane's end") { try !balancer.log("stopped").isEmpty }
            holder.end()
        }
        #expect(try balancer.process.wait(seconds: 20) == .exited(0))
        switch try editing[0].result(seconds: 20) {
        case .accepted: #expect(isLetGo)
        case .failed(let reason): #expect(reason.hasPrefix("503"), "\(reason)")
        case .stale: Issue.record("nobody else has edited")
        }
    }

    @Test func `SIGTERM ends a start that waits for another process's migration`() throws {
        let folder = try Folder()
        let far = Int(Date().timeIntervalSince1970 * 1000) + 29_000
        _ = try folder.sqlite(
            """
            CREATE TABLE balancer_lease (id INTEGER NOT NULL PRIMARY KEY, owner VARCHAR(64) NOT NULL, expires BIGINT NOT NULL);
            INSERT INTO balancer_lease VALUES (1, 'somebody else', \(far));
            """)
        let serving = try Command.start(
            [Command.binary, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--database", folder.database], in: folder,
            environment: Self.environment)
        defer { serving.process.end() }
        try eventually("a line that says what is waited for") { serving.output.contains("waiting for the database") }
        serving.process.send(SIGTERM)
        #expect(try serving.process.wait() == .exited(0))
    }

    private static func server() async throws -> MariaDBServer {
        let server = try await MariaDBServer()
        try await server.start()
        let grant = "CREATE DATABASE balancer; CREATE USER balancer@'%' IDENTIFIED BY 'x'; GRANT ALL ON balancer.* TO balancer@'%'"
        let answer = try await server.ask(grant)
        guard answer.code == 0 else { throw Failure(answer.output) }
        return server
    }

    @Test(.enabled(if: MariaDBServer.isInstalled, "mariadb-server is not installed"))
    func `a database that is hung is shown as degraded, and readyz and metrics answer all the while`() async throws {
        let server = try await Self.server()
        let balancer = try Balancer(
            in: try Folder(), environment: Self.environment, "--database", "mysql://balancer:x@127.0.0.1:\(server.port)/balancer")
        defer { balancer.end() }
        server.send(SIGSTOP)
        defer { server.send(SIGCONT) }
        try eventually("degraded") { try balancer.metrics()["balancer_degraded"] == 1 }
        #expect(try balancer.admin("/readyz").text.contains("no answer within"))
        #expect(try balancer.get(Sample.target).status == 301)
        #expect(try balancer.stop(seconds: 20) == .exited(0))
    }

    @Test(.enabled(if: MariaDBServer.isInstalled, "mariadb-server is not installed"))
    func `SIGHUP while the database hangs does not hold back SIGTERM`() async throws {
        let server = try await Self.server()
        let balancer = try Balancer(
            in: try Folder(), environment: Self.environment, "--database", "mysql://balancer:x@127.0.0.1:\(server.port)/balancer",
            "--drain-timeout", "1")
        defer { balancer.end() }
        server.send(SIGSTOP)
        defer { server.send(SIGCONT) }
        for _ in 0..<5 { balancer.process.send(SIGHUP) }
        #expect(try balancer.stop(seconds: 20) == .exited(0))
    }
}
