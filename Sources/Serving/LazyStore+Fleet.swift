import Storage

extension LazyStore: FleetStore {
    func poll(nodesSeenSince since: Int64) async throws -> Polled? { try await store().poll(nodesSeenSince: since) }
    func register(_ node: FleetNode) async throws { try await store().register(node) }
    func deregister(_ id: String) async throws { try await store().deregister(id) }
    func nodes() async throws -> [FleetNode] { try await store().nodes() }
    func tidy(now: Int64) async throws { try await store().tidy(now: now) }
    func write(_ batch: TrafficBatch) async throws { try await store().write(batch) }
    func foldTraffic(of node: String, now: Int64) async throws { try await store().foldTraffic(of: node, now: now) }
    func traffic(_ question: TrafficQuestion) async throws -> [TrafficSum] { try await store().traffic(question) }
}
