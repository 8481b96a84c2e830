import Foundation
import Steering
import Testing

@testable import Edge

/// Everything on real sockets, one test at a time: they count descriptors and the kernel's counters.
@Suite(.serialized) struct SocketTests {
    /// A running server with a small catalog.
    static func server(
        _ setup: Setup = Setup(), on address: String = "127.0.0.1:0", workers: Int = 2, limits: Limits = Limits(), usesFastPath: Bool = true
    ) async throws -> EdgeServer {
        let table = try setup.table()
        let configuration = EdgeServer.Configuration(
            listeners: [Listener(try #require(ListenAddress(address)))], workers: workers, limits: limits, usesFastPath: usesFastPath)
        return try await EdgeServer(configuration, table: table, sequences: SequenceBook().set(for: table)) { line in
            Issue.record("the server reports: \(line)")
        }
    }

    /// Runs `body` beside a server and ends that; no connection may be left then.
    static func withServer(
        _ setup: Setup = Setup(), on address: String = "127.0.0.1:0", workers: Int = 2, limits: Limits = Limits(),
        usesFastPath: Bool = true,
        _ body: (EdgeServer) async throws -> Void
    ) async throws {
        let server = try await server(setup, on: address, workers: workers, limits: limits, usesFastPath: usesFastPath)
        do { try await body(server) } catch { Issue.record(error) }
        try await server.stopAccepting()
        #expect(try await server.finish(within: 3) == 0, "connections were cut")
    }

    static var openDescriptors: Int { (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0 }

    /// Waits, up to three seconds, until `condition` holds: for what another thread does soon.
    static func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
        for _ in 0..<300 {
            if try await condition() { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return try await condition()
    }
}
