import Testing

/// The database goes away under a serving balancer, or is not there at its start.
@Suite(.onThreads)
struct DatabaseTroubleTests {
    @Test(arguments: Database.Trouble.allCases)
    func `while the database is unusable redirects go on, one log line says so, readyz stays 200, and it recovers`(
        _ trouble: Database.Trouble
    ) throws {
        let folder = try Folder()
        let database = try Database(in: folder)
        let balancer = try Balancer(in: folder, "--database", database.url, "--state", folder.path("state"))
        defer { balancer.end() }
        #expect(try balancer.get(Sample.target).status == 301)
        try database.backUp()

        try database.bring(trouble)
        try eventually("degraded") { try balancer.metrics()["balancer_degraded"] == 1 }
        for _ in 0..<20 {
            #expect(try balancer.get(Sample.target).status == 301)
            pause(0.1)
        }
        let ready = try balancer.admin("/readyz")
        #expect(ready.status == 200)
        #expect(ready.text.contains("degraded"))
        #expect(try balancer.get("/readyz").status == 200)
        let lines = try balancer.log().filter { $0.message.hasPrefix("the database does not answer") }
        #expect(lines.map(\.level) == ["error"], "\(lines)")
        #expect(lines.first?["error"]?.contains("balancer.db") == true, "\(lines)")

        try database.restore()
        try eventually("recovery") { try balancer.metrics()["balancer_degraded"] == 0 }
        #expect(try balancer.admin("/readyz").text == "ready\n")
        #expect(try balancer.log("the database answers again").count == 1)
        let finished = try importCatalog(Sample.catalog(every: 1), into: database.url, in: folder)
        #expect(finished.code == 0, "\(finished)")
        try eventually("the new catalog") { try balancer.get(Sample.target).location == Sample.atOrigin }
    }

    @Test func `a writer that holds the lock makes an import fail in one line while redirects go on`() throws {
        let folder = try Folder()
        let balancer = try Balancer(in: folder)
        defer { balancer.end() }
        let holder = try LockHolder(folder, "BEGIN IMMEDIATE")
        defer { holder.end() }
        let finished = try importCatalog(Sample.catalog(every: 1), into: folder.database, in: folder)
        #expect(finished.code == 1)
        #expect(finished.errorLines.count == 1, "\(finished)")
        #expect(finished.error.contains("is locked"), "\(finished)")
        #expect(try balancer.get(Sample.target).location == Sample.atCDN)
        #expect(try balancer.admin("/readyz").status == 200)
        holder.end()
        #expect(try importCatalog(Sample.catalog(every: 1), into: folder.database, in: folder).code == 0)
        try balancer.waitForRevision(2)
    }

    @Test func `a start while another process has the database to itself serves the last good catalog, and recovers`() throws {
        let folder = try Folder()
        try startAndStop(in: folder)
        let holder = try LockHolder(folder, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
        defer { holder.end() }
        let balancer = try Balancer(in: folder)
        defer { balancer.end() }
        #expect(try balancer.get(Sample.target).location == Sample.atCDN)
        #expect(try balancer.admin("/readyz").text.contains("degraded"))
        holder.end()
        try eventually("recovery", within: 30) { try balancer.admin("/readyz").text == "ready\n" }
    }

    @Test func `a start with a damaged database serves the last good catalog from the state file, goes on counting, and says so`() throws {
        let folder = try Folder()
        try startAndStop(in: folder, requests: 9)
        try folder.removeDatabase()
        try folder.write(String(repeating: "garbage ", count: 4096), to: "balancer.db")
        let balancer = try Balancer(in: folder, environment: [:])
        defer { balancer.end() }
        #expect(try balancer.get(Sample.target).location == Sample.atOrigin)
        #expect(try balancer.get(Sample.target).location == Sample.atCDN)
        let ready = try balancer.admin("/readyz")
        #expect(ready.status == 200)
        #expect(ready.text.contains("degraded"))
        #expect(try balancer.log("the database does not answer; serving the last good catalog from the state file").count == 1)
    }

    @Test func `a start with a damaged database and without a state file ends in one line that names it`() throws {
        let folder = try Folder()
        try folder.write(String(repeating: "garbage ", count: 4096), to: "balancer.db")
        let finished = try serve(in: folder)
        #expect(finished.code != 0)
        #expect(finished.errorLines.count == 1, "\(finished)")
        #expect(finished.error.contains("balancer.db") && finished.error.contains("not a SQLite database"), "\(finished)")
        #expect(try folder.text("balancer.db").hasPrefix("garbage"))
    }

    @Test func `a damaged state file is passed over with a warning when the database is good`() throws {
        let folder = try Folder()
        try startAndStop(in: folder)
        try folder.remove("balancer.db.state.previous")
        try folder.write("video-balancer-state 1 cut", to: "balancer.db.state")
        let balancer = try Balancer(in: folder)
        defer { balancer.end() }
        #expect(try balancer.get(Sample.target).status == 301)
        #expect(try balancer.log("state file passed over").map(\.level) == ["warning"])
    }

    @Test(.enabled(if: Unprivileged.canRunBalancer, "no unprivileged user can run the binary where it is"))
    func `a read-only database refuses an import in one line while redirects go on`() throws {
        let folder = try Folder()
        let user = try Unprivileged(folder)
        let balancer = try Balancer(in: folder, wrapper: user.wrapper)
        defer { balancer.end() }
        try folder.write(Sample.catalog(every: 1), to: "next.json")
        try folder.setMode(0o444, of: "balancer.db")
        try folder.setMode(0o555)
        defer { try? folder.setMode(0o755) }
        let finished = try Command.run(
            user.wrapper + [Command.binary, "catalog", "import", "next.json", "--database", folder.database], in: folder)
        #expect(finished.code == 1, "\(finished)")
        #expect(finished.errorLines.count == 1, "\(finished)")
        #expect(finished.error.contains("is read-only"), "\(finished)")
        #expect(try balancer.get(Sample.target).status == 301)
        #expect(try balancer.admin("/readyz").status == 200)
    }

    private func startAndStop(in folder: Folder, requests: Int = 1) throws {
        let balancer = try Balancer(in: folder)
        defer { balancer.end() }
        for _ in 0..<requests { _ = try balancer.get(Sample.target) }
        try balancer.stop()
    }

    private func importCatalog(_ text: String, into url: String, in folder: Folder) throws -> Command.Finished {
        try folder.write(text, to: "next.json")
        return try folder.balancer("catalog", "import", "next.json", "--database", url)
    }

    private func serve(in folder: Folder) throws -> Command.Finished {
        try folder.balancer(
            "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--database", folder.database,
            environment: ["CDN_HOST": "cdn.example.com"])
    }
}
