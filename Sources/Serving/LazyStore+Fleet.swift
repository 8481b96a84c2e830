import Storage

extension LazyStore: FleetStore {
    func poll() async throws -> Polled? { try await read(within: patience.poll) { try await $0.poll() } }
    func register(_ node: FleetNode) async throws { try await write { try await $0.register(node) } }
    func deregister(_ id: String) async throws { try await write { try await $0.deregister(id) } }
    func nodes() async throws -> [FleetNode] { try await read(within: patience.poll) { try await $0.nodes() } }
    func tidy(now: Int64) async throws { try await write { try await $0.tidy(now: now) } }
    func newestTraffic() async throws -> Int64? { try await read { try await $0.newestTraffic() } }
    func write(_ batch: TrafficBatch) async throws { try await write { try await $0.write(batch) } }
    func foldTraffic(of node: String, now: Int64) async throws { try await write { try await $0.foldTraffic(of: node, now: now) } }
    func traffic(_ question: TrafficQuestion) async throws -> [TrafficSum] { try await read { try await $0.traffic(question) } }
}
