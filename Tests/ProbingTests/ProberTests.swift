import Foundation
import Steering
import Synchronization
import Testing

@testable import Probing

@Suite struct ProberTests {
    private final class Changes: Sendable {
        let lines = Mutex<[String]>([])

        func add(_ health: Health, _ change: Prober.Change) {
            lines.withLock {
                $0.append("\(change.subject.name) \(change.isUp ? "up" : "down"): \(change.reason); down: \(health.downCDNs.sorted())")
            }
        }

        var all: [String] { lines.withLock { $0 } }
    }

    private func eventually(seconds: Int, _ condition: () async -> Bool) async throws -> Bool {
        for _ in 0..<seconds * 50 {
            if await condition() { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return await condition()
    }

    @Test func `a target is reported once when it goes down and once when it comes back`() async throws {
        let sick = "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"
        let well = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        let server = try await OddServer(.turns([well, sick, sick, sick, well, well]))
        let changes = Changes()
        let prober = Prober(allowsLinkLocal: false) { changes.add($0.health, $1) }
        let target = try ProbeClientTests.target(server.port, #"{"path": "/", "interval": 1, "timeout": 60, "rise": 2, "fall": 2}"#)
        #expect(await prober.watch([target]).health == .allUp)
        #expect(try await eventually(seconds: 60) { changes.all.count == 2 })
        #expect(changes.all == ["cdn-a down: status 503, not 200; down: [\"cdn-a\"]", "cdn-a up: 200; down: []"])
        let report = try #require(await prober.reports.first)
        #expect(report.window.isUp && report.bad == 3 && report.good >= 3)
        await prober.stop()
        try await server.stop()
        #expect(await prober.reports.isEmpty)
    }

    @Test func `what is known of a target that stays is kept, one that goes is forgotten`() async throws {
        let server = try await OddServer(.says("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"))
        let prober = Prober(allowsLinkLocal: false) { _, _ in }
        let target = try ProbeClientTests.target(server.port, #"{"path": "/", "interval": 1, "timeout": 60, "fall": 1}"#)
        await prober.watch([target])
        #expect(try await eventually(seconds: 60) { await prober.health.downCDNs == ["cdn-a"] })
        let other = try ProbeClientTests.target(server.port, #"{"path": "/other", "interval": 1, "timeout": 60, "fall": 1}"#)
        #expect(await prober.watch([target, other]).health.downCDNs == ["cdn-a"])
        #expect(await prober.watch([]).health == .allUp)
        await prober.stop()
        try await server.stop()
    }
}
