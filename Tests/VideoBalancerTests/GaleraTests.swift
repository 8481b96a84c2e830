import DatabaseServers
import Foundation
import Testing

/// Three balancers on three nodes of one Galera cluster.
@Suite(.serialized, .onThreads, .enabled(if: MariaDBServer.isClusterInstalled, "mariadb-server or galera-4 is not installed"))
struct GaleraTests {
    @Test func `each accepted edit is in the history once, also when a node is killed under load; redirects go on`() async throws {
        // Its own cluster: this one loses nodes.
        let cluster = try await GaleraCluster.start()
        try await cluster.nodes[0].ask("CREATE DATABASE balancer; CREATE USER b@'%' IDENTIFIED BY 'p'; GRANT ALL ON balancer.* TO b@'%'")
        let hosts = cluster.nodes.map { "127.0.0.1:\($0.port)" }
        // Each has another node first, so that all three are written to.
        let urls = (0..<3).map { first in "mysql://b:p@\((hosts[first...] + hosts[..<first]).joined(separator: ","))/balancer" }
        let balancers = try concurrently(3) { index in
            try Balancer(
                in: try Folder(), environment: ["CDN_HOST": "cdn.example.com", "BALANCER_ADMIN_TOKEN": Editor.token], "--database",
                urls[index])
        }
        defer { balancers.forEach { $0.end() } }

        let ledger = Ledger()
        let edits = Tier.runs(500, soak: 10_000)
        let ports = (0..<8).map { balancers[$0 % 3].adminPort }
        try EditLoad(over: ports, ledger, name: "cas", limit: edits).finish(seconds: 3600)
        #expect(ledger.failureCount == 0, "\(ledger.reasons)")
        try ledger.check(try Editor(balancers[1]).history(), "after \(ledger.acceptedCount) edits")

        let isOver = Flag()
        let players = Background {
            var count = 0
            let connections = try balancers.map { try $0.connection() }
            while !isOver.isUp {
                for connection in connections {
                    guard try connection.get(Sample.target).status == 301 else { throw Failure("no redirect") }
                    count += 1
                }
            }
            return count
        }
        let writers = EditLoad(over: ports, ledger, name: "kill")
        pause(1)
        cluster.nodes[0].kill()
        let killed = ContinuousClock.now
        let known = ledger.acceptedCount + ports.count
        try eventually("edits after the kill", within: 60) { ledger.acceptedCount > known }
        print("Galera, one node of three killed: \(ContinuousClock.now - killed) until more edits were accepted than could be in flight")
        pause(1)
        try writers.stop()
        try ledger.check(try Editor(balancers[0]).history(), "after the kill")
        print("Galera: \(ledger.acceptedCount) edits accepted, \(ledger.failureCount) failed: \(ledger.reasons)")
        try await cluster.join(0)
        try ledger.check(try Editor(balancers[2]).history(), "after the node came back")
        isOver.raise()
        #expect(try players.result() > 100)
    }
}
