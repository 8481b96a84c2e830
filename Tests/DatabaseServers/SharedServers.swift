/// The servers that all suites of a test run share, each started when the first suite asks.
public actor SharedServers {
    public static let shared = SharedServers()

    private var server: Task<MariaDBServer, any Error>?
    private var cluster: Task<GaleraCluster, any Error>?

    /// One MariaDB. Suites that kill or spoil a server start their own.
    public func mariaDB() async throws -> MariaDBServer {
        let task =
            server
            ?? Task {
                let server = try await MariaDBServer()
                try await server.start()
                return server
            }
        server = task
        return try await task.value
    }

    public func galera() async throws -> GaleraCluster {
        let task = cluster ?? Task { try await GaleraCluster.start() }
        cluster = task
        return try await task.value
    }
}
