import Testing

/// A disk that is full or broken from the N-th write on, for every N.
@Suite(.serialized, .onThreads, .enabled(if: Strace.works, "strace may not trace here"))
struct DiskFaultTests {
    static let faults = [
        Strace.Fault(call: "pwrite64", error: "ENOSPC"), Strace.Fault(call: "pwrite64", error: "EIO"),
        Strace.Fault(call: "fdatasync", error: "EIO"),
    ]

    @Test(arguments: faults)
    func `an import beside a serving balancer fails in one line, loses nothing acknowledged, and redirects go on`(
        _ fault: Strace.Fault
    ) throws {
        let folder = try Folder()
        let balancer = try Balancer(in: folder)
        defer { balancer.end() }
        var newest = 1
        var unharmed = 0
        for first in 1...200 where unharmed < 3 {
            let finished = try importCatalog(every: newest + 1, in: folder, fault, from: first)
            let stored = try storedRevision(folder)
            if finished.code == 0 {
                unharmed += 1
                #expect(finished.acknowledgedRevision == newest + 1)
                #expect(stored == newest + 1)
            } else {
                expectOneLine(finished, first)
                #expect((newest...(newest + 1)).contains(stored), "call \(first)")
            }
            newest = stored
            #expect(try balancer.get(Sample.target).status == 301)
        }
        #expect(unharmed == 3)
        let revision = try folder.importCatalog(Sample.catalog(every: 7))
        #expect(revision == newest + 1)
        try balancer.waitForRevision(revision)
        #expect(try balancer.admin("/readyz").text == "ready\n")
    }

    @Test(arguments: faults)
    func `an import into a new database fails in one line, and the database opens`(_ fault: Strace.Fault) throws {
        var unharmed = 0
        for first in 1...200 where unharmed < 3 {
            let folder = try Folder()
            let finished = try importCatalog(every: 3, in: folder, fault, from: first)
            if finished.code == 0 {
                unharmed += 1
            } else {
                expectOneLine(finished, first)
            }
            try endLease(folder)
            let acknowledged = finished.acknowledgedRevision ?? 0
            let revision = try folder.importCatalog(Sample.catalog(every: 4))
            #expect((acknowledged + 1...acknowledged + 2).contains(revision), "call \(first)")
            #expect(try storedRevision(folder) == revision)
        }
        #expect(unharmed == 3)
    }

    @Test(arguments: faults)
    func `a first start either serves or ends in one line, and the next one serves`(_ fault: Strace.Fault) throws {
        let last = Tier.isSoak ? 40 : 24
        for first in stride(from: 1, through: last, by: Tier.isSoak ? 1 : 3) {
            let folder = try Folder()
            do {
                let balancer = try Balancer(in: folder, wrapper: Strace.failing(fault, from: first))
                defer { balancer.end() }
                #expect(try balancer.get(Sample.target).location == Sample.atCDN)
            } catch let failed as Balancer.NotServing {
                #expect(failed.ending == .exited(1), "\(failed)")
                #expect(failed.error.split(separator: "\n").count == 1, "\(failed)")
            }
            try endLease(folder)
            let next = try Balancer(in: folder)
            defer { next.end() }
            #expect(try next.get(Sample.target).status == 301)
        }
    }

    @Test func `a state file that cannot be written is one log line, and redirects go on`() throws {
        let balancer = try Balancer(in: try Folder(), wrapper: Strace.failing(.init(call: "fsync", error: "EIO"), from: 1))
        defer { balancer.end() }
        func lines() throws -> [LogLine] { try balancer.log().filter { $0.message.hasPrefix("the state file cannot be written") } }
        try eventually("the log line") {
            #expect(try balancer.get(Sample.target).status == 301)
            return try !lines().isEmpty
        }
        for _ in 0..<25 {
            #expect(try balancer.get(Sample.target).status == 301)
            pause(0.1)
        }
        #expect(try lines().map(\.level) == ["error"])
        #expect(try balancer.admin("/readyz").status == 200)
    }

    private func importCatalog(every: Int, in folder: Folder, _ fault: Strace.Fault, from first: Int) throws -> Command.Finished {
        try folder.write(Sample.catalog(every: every), to: "catalog.json")
        let command = [Command.binary, "catalog", "import", "catalog.json", "--database", folder.database]
        return try Command.run(Strace.failing(fault, from: first) + command, in: folder)
    }

    private func storedRevision(_ folder: Folder) throws -> Int {
        #expect(try folder.sqlite("PRAGMA integrity_check") == "ok")
        return Int(try folder.sqlite("SELECT COALESCE(MAX(id), 0) FROM balancer_revisions")) ?? -1
    }

    /// A failed migration may leave its lease, which ends by itself after half a minute: these tests do not wait for it.
    private func endLease(_ folder: Folder) throws {
        guard folder.exists("balancer.db") else { return }
        let tables = try folder.sqlite("SELECT name FROM sqlite_master")
        if tables.contains("balancer_lease") { _ = try folder.sqlite("UPDATE balancer_lease SET owner = '', expires = 0") }
    }

    private func expectOneLine(_ finished: Command.Finished, _ first: Int) {
        #expect(finished.code == 1, "call \(first): \(finished)")
        #expect(finished.errorLines.count == 1, "call \(first): \(finished)")
        #expect(finished.acknowledgedRevision == nil, "call \(first): \(finished)")
    }
}
