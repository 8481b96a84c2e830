/// The history of traffic.
extension SQLStore {
    /// Stores a part of a minute; a second time it changes nothing.
    public func write(_ batch: TrafficBatch) async throws { try await write { try await TrafficTable(connection: $0).write(batch) } }

    /// Folds old minutes into hours and old hours into days, and drops days that are too old.
    ///
    /// - Parameters:
    ///   - node: whose rows are folded as soon as they may be; those of others, in case they are gone for good, later.
    ///   - now: seconds since 1970, UTC.
    public func foldTraffic(of node: String, now: Int64) async throws {
        try await write { try await TrafficTable(connection: $0).fold(of: node, now: now) }
    }

    /// When traffic was last counted, in seconds since 1970, UTC, whichever node it was: what a clock that has jumped is compared with. The
    /// newest few minutes do not count, which it may have stored itself. nil while there is no history.
    public func newestTraffic() async throws -> Int64? { try await read { try await TrafficTable(connection: $0).newest() } }

    public func traffic(_ question: TrafficQuestion) async throws -> [TrafficSum] {
        try await read { try await TrafficTable(connection: $0).sums(question) }
    }
}
