import Testing

/// Counting goes on where it stopped.
@Suite(.onThreads)
struct RestartTests {
    @Test func `after SIGTERM and a new start the sequence goes on exactly, and so does the ring`() throws {
        let folder = try Folder()
        var targets: [String] = []
        var sequence: [String?] = []
        for requests in [7, 5, 8] {
            let balancer = try Balancer(in: folder)
            defer { balancer.end() }
            if targets.isEmpty { try balancer.waitForRevision(folder.importCatalog(Sample.catalog(every: 5, weights: [2, 1]))) }
            for _ in 0..<requests {
                let answer = try balancer.get(Sample.target, "Accept: application/json")
                targets.append(Sample.target(of: answer.location))
                sequence.append(try answer.json("sequence"))
            }
            #expect(try balancer.stop() == .exited(0))
        }
        #expect(sequence == (1...20).map { "\($0)" })
        let origins = targets.indices.filter { targets[$0] == "origin" }
        #expect(origins == [4, 9, 14, 19])
        let slots = targets.filter { $0 != "origin" }
        // 2:1 over rings of three: each three in a row have the first CDN twice.
        for start in stride(from: 0, to: 15, by: 3) { #expect(slots[start..<(start + 3)].filter { $0 == "cdn-0" }.count == 2, "\(slots)") }
    }

    @Test func `after SIGKILL only numbers that were not saved yet are taken a second time`() throws {
        let folder = try Folder()
        let first = try Balancer(in: folder)
        defer { first.end() }
        for _ in 0..<4 { _ = try first.get(Sample.target) }
        try eventually("four redirects in the state file") {
            try folder.exists("balancer.db.state") && folder.text("balancer.db.state").contains("\"redirects\":\"4\"")
        }
        for _ in 0..<3 { _ = try first.get(Sample.target) }
        try first.kill()

        let second = try Balancer(in: folder)
        defer { second.end() }
        let number = Int(try second.get(Sample.target, "Accept: application/json").json("sequence") ?? "") ?? 0
        // Saved was 4 at least; the last three were taken within the second before the kill, or were saved too.
        #expect((5...8).contains(number))
    }

    @Test func `a catalog change does not begin a new count`() throws {
        let balancer = try Balancer(in: try Folder())
        defer { balancer.end() }
        for _ in 0..<5 { _ = try balancer.get(Sample.target) }
        try balancer.waitForRevision(balancer.folder.importCatalog(Sample.catalog(every: 6)))
        #expect(Sample.target(of: try balancer.get(Sample.target).location) == "origin")
    }
}
