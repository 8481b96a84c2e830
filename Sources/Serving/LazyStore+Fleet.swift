import Storage

extension LazyStore: FleetStore {
    func poll() async throws -> Polled? { try await store().poll() }
    func register(_ node: FleetNode) async throws { try await store().register(node) }
    func deregister(_ id: String) async throws { try await store().deregister(id) }
    func nodes() async throws -> [FleetNode] { try await store().nodes() }
    func tidy(now: Int64) async throws { try await store().tidy(now: now) }
    func newestTraffic() async throws -> Int64? { try await store().newestTraffic() }
    func write(_ batch: TrafficBatch) async throws { try await store().write(batch) }
    func foldTraffic(of node: String, now: Int64) async throws { try await store().foldTraffic(of: node, now: now) }
    func traffic(_ question: TrafficQuestion) async throws -> [TrafficSum] { try await store().traffic(question) }
}
