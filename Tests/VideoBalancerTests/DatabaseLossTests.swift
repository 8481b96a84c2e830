import DatabaseServers
import Foundation
import Testing

/// The database has lost its catalog, or is another one: who is right is said by a person, never by a first start.
@Suite(.onThreads)
struct DatabaseLossTests {
    /// Names another CDN than the stored catalog, as a first start would take it over.
    private static let strange = ["CDN_HOST": "strange.example.com", "BALANCER_ADMIN_TOKEN": Editor.token]
    private static let known = ["CDN_HOST": "cdn.example.com", "BALANCER_ADMIN_TOKEN": Editor.token]

    private func startAndStop(in folder: Folder) throws {
        let balancer = try Balancer(in: folder, environment: Self.known)
        defer { balancer.end() }
        #expect(try balancer.get(Sample.target).location == Sample.atCDN)
        try balancer.stop()
    }

    private func expectKnownCatalog(_ balancer: Balancer, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try eventually("degraded") { try balancer.metrics()["balancer_degraded"] == 1 }
        #expect(try balancer.admin("/readyz").text.contains("degraded"), sourceLocation: sourceLocation)
        for _ in 0..<9 {
            let location = try balancer.get(Sample.target).location
            #expect(location == Sample.atCDN || location == Sample.atOrigin, sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: [false, true])
    func `a restart on an emptied database goes on with the catalog of the state file`(isDeleted: Bool) throws {
        let folder = try Folder()
        try startAndStop(in: folder)
        try folder.removeDatabase()
        if !isDeleted { try folder.write("", to: "balancer.db") }
        let balancer = try Balancer(in: folder, environment: Self.strange)
        defer { balancer.end() }
        try expectKnownCatalog(balancer)
        #expect(try balancer.admin("/readyz").text.contains("video-balancer database refill"))
        try balancer.stop()
        #expect(try folder.text("balancer.db.state").contains("http://cdn.example.com"))
        #expect(try !folder.text("balancer.db.state").contains("strange"))
    }

    @Test func `a restart on an emptied database needs no variable of a first start`() throws {
        let folder = try Folder()
        try startAndStop(in: folder)
        try folder.removeDatabase()
        let balancer = try Balancer(in: folder, environment: [:])
        defer { balancer.end() }
        try expectKnownCatalog(balancer)
    }

    @Test func `refill stores the catalog of the state file, and the running balancer follows it`() throws {
        let folder = try Folder()
        try startAndStop(in: folder)
        try folder.removeDatabase()
        let balancer = try Balancer(in: folder, environment: Self.strange)
        defer { balancer.end() }
        try expectKnownCatalog(balancer)
        let finished = try folder.balancer("database", "refill", "--database", folder.database)
        #expect(finished.code == 0 && finished.output == "revision 1\n", "\(finished)")
        try eventually("recovery") { try balancer.admin("/readyz").text == "ready\n" }
        #expect(Editor(balancer).edit(every: 1, comment: "a") == .accepted(revision: 2))
        #expect(try balancer.get(Sample.target).location == Sample.atOrigin)
    }

    @Test func `the API settles an emptied database in favour of the balancer`() throws {
        let folder = try Folder()
        try startAndStop(in: folder)
        try folder.removeDatabase()
        let balancer = try Balancer(in: folder, environment: Self.strange)
        defer { balancer.end() }
        try expectKnownCatalog(balancer)
        guard case .failed(let refusal) = Editor(balancer).edit(every: 1, comment: "a") else {
            Issue.record("an edit was stored in a database that is not followed")
            return
        }
        #expect(refusal.hasPrefix("503"), "\(refusal)")
        let body = #"{"wins": "balancer"}"#
        let connection = try HTTPConnection("127.0.0.1", balancer.adminPort)
        try connection.send(
            "POST /api/v1/database/settle HTTP/1.1\r\nHost: admin\r\nAuthorization: Bearer \(Editor.token)\r\n"
                + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        let answer = try connection.answer()
        #expect(answer.status == 200, "\(answer.text)")
        #expect(try balancer.admin("/readyz").text == "ready\n")
        #expect(Editor(balancer).edit(every: 1, comment: "b") == .accepted(revision: 2))
    }

    @Test func `another database is followed after adopt, which the whole fleet hears of by the database itself`() throws {
        let (folder, other) = (try Folder(), try Folder())
        try startAndStop(in: folder)
        try other.write(Sample.catalog(every: 1), to: "moved.json")
        #expect(try other.balancer("catalog", "import", "moved.json", "--database", folder.database(in: other)).code == 0)
        let balancer = try Balancer(
            in: folder, environment: Self.known, "--database", folder.database(in: other), "--state", folder.path("balancer.db.state"))
        defer { balancer.end() }
        try expectKnownCatalog(balancer)
        let finished = try folder.balancer(
            "database", "adopt", "--database", folder.database(in: other), "--state", folder.path("balancer.db.state"))
        #expect(finished.code == 0, "\(finished)")
        try eventually("recovery") { try balancer.admin("/readyz").text == "ready\n" }
        #expect(try balancer.get(Sample.target).location == Sample.atOrigin)
    }

    @Test func `an empty database and a state file that cannot be read are no first start`() throws {
        let folder = try Folder()
        try startAndStop(in: folder)
        try folder.removeDatabase()
        try folder.write("video-balancer-state 1 cut", to: "balancer.db.state")
        try folder.remove("balancer.db.state.previous")
        let finished = try folder.balancer(
            "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--database", folder.database, environment: Self.strange)
        #expect(finished.code == 78, "\(finished)")
        #expect(finished.errorLines.count == 1 && finished.error.contains("no first start"), "\(finished)")
        #expect(try folder.text("balancer.db.state") == "video-balancer-state 1 cut")
    }

    @Test(.enabled(if: MariaDBServer.isInstalled, "mariadb-server is not installed"))
    func `a database that was dropped and made anew replaces nobody's catalog, not even after a restart`() async throws {
        let server = try await MariaDBServer()
        try await server.start()
        let grant = "CREATE DATABASE balancer; CREATE USER balancer@'%' IDENTIFIED BY 'x'; GRANT ALL ON balancer.* TO balancer@'%'"
        #expect(try await server.ask(grant).code == 0)
        let flags = ["--database", "mysql://balancer:x@127.0.0.1:\(server.port)/balancer"]
        let (folder, staying) = (try Folder(), try Folder())
        let first = try Balancer(in: folder, environment: Self.known, flags[0], flags[1])
        defer { first.end() }
        let second = try Balancer(in: staying, environment: Self.known, flags[0], flags[1])
        defer { second.end() }
        try eventually("a saved state") { folder.exists("video-balancer.state") }
        #expect(try await server.ask("DROP DATABASE balancer; CREATE DATABASE balancer").code == 0)
        try expectKnownCatalog(second)
        try first.stop()
        let restarted = try Balancer(in: folder, environment: Self.strange, flags[0], flags[1])
        defer { restarted.end() }
        try expectKnownCatalog(restarted)
        try expectKnownCatalog(second)
        #expect(try !folder.text("video-balancer.state").contains("strange"))
    }
}

extension Folder {
    /// The address of the database in another folder.
    fileprivate func database(in other: Folder) -> String { "sqlite:" + other.path("balancer.db") }
}
