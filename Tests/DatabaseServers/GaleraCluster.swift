import Foundation

/// Three nodes of one Galera cluster on loopback.
public final class GaleraCluster: Sendable {
    public let nodes: [MariaDBServer]
    private let members: String

    private init(nodes: [MariaDBServer], members: String) {
        self.nodes = nodes
        self.members = members
    }

    /// Starts three nodes, one after the other: a joining node copies the data of one that is there.
    public static func start() async throws -> GaleraCluster {
        var nodes: [MariaDBServer] = []
        let ports = try (0..<3).map { _ in try Ports() }
        for index in 0..<3 {
            let port = try FreePort.take()
            nodes.append(try await MariaDBServer(port: port, isEmpty: index > 0, options(index, ports[index], port)))
        }
        let members = ports.map { "127.0.0.1:\($0.group)" }.joined(separator: ",")
        let cluster = GaleraCluster(nodes: nodes, members: members)
        try await nodes[0].start(["--wsrep-cluster-address=gcomm://"], question: synced, answer: "Synced")
        for index in 1..<3 { try await cluster.join(index) }
        return cluster
    }

    /// Starts a node that was killed, or is new.
    public func join(_ index: Int) async throws {
        try await nodes[index].start(["--wsrep-cluster-address=gcomm://\(members)"], question: GaleraCluster.synced, answer: "Synced")
    }

    /// Starts all nodes again after all were killed, as docs/operations.md tells it: from the one that has most.
    ///
    /// - Returns: the number of the last transaction that each node had.
    public func recover() async throws -> [Int] {
        var positions: [Int] = []
        for node in nodes { positions.append(try await node.recoveredPosition()) }
        let first = positions.indices.max { positions[$0] < positions[$1] } ?? 0
        let state = "\(nodes[first].folder)/data/grastate.dat"
        let text = try String(contentsOfFile: state, encoding: .utf8)
        try text.replacing("safe_to_bootstrap: 0", with: "safe_to_bootstrap: 1").write(toFile: state, atomically: false, encoding: .utf8)
        let address = "--wsrep-cluster-address=gcomm://\(members)"
        try await nodes[first].start([address, "--wsrep-new-cluster"], question: GaleraCluster.synced, answer: "Synced")
        for index in nodes.indices where index != first { try await join(index) }
        return positions
    }

    private static let synced = "SHOW STATUS LIKE 'wsrep_local_state_comment'"

    /// What one node listens on besides SQL.
    private struct Ports {
        let group: UInt16
        let increments: UInt16
        let copies: UInt16

        init() throws {
            group = try FreePort.take()
            increments = try FreePort.take()
            copies = try FreePort.take()
        }
    }

    private static func options(_ index: Int, _ ports: Ports, _ sql: UInt16) -> [String] {
        [
            "--binlog-format=ROW", "--default-storage-engine=InnoDB", "--innodb-autoinc-lock-mode=2", "--wsrep-on=ON",
            "--wsrep-provider=/usr/lib/galera/libgalera_smm.so", "--wsrep-cluster-name=test", "--wsrep-node-name=n\(index)",
            "--wsrep-node-address=127.0.0.1:\(ports.group)", "--wsrep-node-incoming-address=127.0.0.1:\(sql)",
            "--wsrep-sst-method=rsync", "--wsrep-sst-receive-address=127.0.0.1:\(ports.copies)",
            "--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:\(ports.group);"
                + "ist.recv_addr=127.0.0.1:\(ports.increments);gcache.size=8M",
        ]
    }
}
