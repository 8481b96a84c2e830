import Testing

/// Descriptors change hands between the fast path, the slow path, the sweep and the kernel, thousands a second.
@Suite(.serialized, .onThreads)
struct DescriptorReuseTests {
    @Test func `connections of all kinds get their own answers, leave no descriptor behind, and make no loop spin`() throws {
        let count = Tier.runs(20_000, soak: 1_000_000)
        let balancer = try Balancer(in: try Folder(), "--workers", "1", "--head-timeout", "1", "--idle-timeout", "1")
        defer { balancer.end() }
        #expect(try ConnectionReport(balancer, "2000", "7").code == 0)
        try eventually("no open connection") { try balancer.metrics()["balancer_connections_open"] == 0 }
        let before = try balancer.openDescriptors()
        let turnsBefore = try Self.turns(balancer)

        let report = try ConnectionReport(balancer, "\(count)", "1488", "300", seconds: 7200)
        #expect(report.code == 0, "\(report)")
        #expect(report["wrong"] == 0)
        #expect(report["missing"] == 0)
        #expect(report["unexpected"] == 0)
        #expect(report["connections"] == count)
        #expect(report["answers"] > count && report["timeouts"] > count / 200 && report["swept"] > 0, "the mix is not mixed: \(report)")

        try eventually("no open connection") { try balancer.metrics()["balancer_connections_open"] == 0 }
        try eventually("as many descriptors as before") { try balancer.openDescriptors() <= before + 1 }
        // A turn is for something: a connection, bytes, an end, or a second. One that spins makes a hundred thousand a second.
        let turns = try Self.turns(balancer) - turnsBefore
        let events = Double(2 * report["connections"] + report["steps"])
        #expect(turns > 0)
        #expect(turns < 2 * events + 10_000, "\(turns) turns of the loop for \(events) events")
    }

    private static func turns(_ balancer: Balancer) throws -> Double {
        guard let turns = try balancer.metrics()["balancer_loop_turn_seconds_count"] else { throw Failure("no metric counts the turns") }

        return turns
    }
}
