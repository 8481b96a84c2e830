/// What several balancers share through one database.
extension SQLStore {
    /// What a node must follow. Waits for no other call, and feeds what this balancer knows of the others' lives.
    ///
    /// - Returns: nil when no revision is stored.
    public func poll() async throws -> Polled? {
        try await read(within: patience.poll) { [self] connection in
            guard let answer = try await NodeTable(connection: connection).poll() else { return nil }
            let silent = pulse.observe(answer.seen, now: now(), uptime: uptime())
            return Polled(
                head: answer.head, keys: answer.keys, nodesSeen: answer.seen.count - silent.count,
                writeTrouble: connection.writeTrouble(serverIsReadOnly: answer.isServerReadOnly)?.description)
        }
    }

    /// Writes a node down, in place of what it wrote before.
    public func register(_ node: FleetNode) async throws { try await write { try await NodeTable(connection: $0).register(node) } }

    /// Takes a node off the list; it stopped.
    public func deregister(_ id: String) async throws { try await write { try await NodeTable(connection: $0).deregister(id) } }

    /// All nodes by name, 1000 at most.
    public func nodes() async throws -> [FleetNode] {
        try await read(within: patience.poll) { [self] connection in
            var nodes = try await NodeTable(connection: connection).nodes()
            let silent = silent(of: nodes)
            for index in nodes.indices { nodes[index].isSilent = silent[nodes[index].id] != nil }
            return nodes
        }
    }

    /// Removes what has served its time: silent nodes unseen for long, uses of keys that are gone. Only what this balancer itself has seen
    /// to be silent goes: a clock that has jumped makes nobody old.
    ///
    /// - Parameter now: milliseconds since 1970, UTC.
    public func tidy(now: Int64) async throws {
        try await write { [self] connection in
            let table = NodeTable(connection: connection)
            let nodes = try await table.nodes()
            let silent = silent(of: nodes)
            let forgotten = nodes.filter { node in
                guard let silence = silent[node.id] else { return false }
                return node.seen < now - FleetNode.forgottenAfter || silence >= .milliseconds(FleetNode.forgottenAfter)
            }
            try await table.forget(forgotten.map(\.id))
            try await KeyTable(connection: connection).forgetUses()
        }
    }

    private nonisolated func silent(of nodes: [FleetNode]) -> [String: Duration] {
        pulse.observe(Dictionary(nodes.map { ($0.id, $0.seen) }) { first, _ in first }, now: now(), uptime: uptime())
    }
}
