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

    // Its next round is an hour away.
    @Test func `a server that is killed is asked again at once`() async throws {
        let server = try await OddServer(.keeps("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
        let changes = Changes()
        let prober = Prober(allowsLinkLocal: false) { changes.add($0.health, $1) }
        await prober.watch([try ProbeClientTests.target(server.port, #"{"path": "/", "interval": 3600, "timeout": 60, "fall": 1}"#)])
        #expect(try await eventually(seconds: 60) { await prober.reports.first?.good == 1 })
        try await server.die()
        // Refused, or reset while the listener goes.
        #expect(try await eventually(seconds: 60) { changes.all.first?.hasPrefix("cdn-a down: connection re") == true })
        await prober.stop()
    }

    @Test func `no connection stays open when a target goes, or all do`() async throws {
        let server = try await OddServer(.keeps("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
        let prober = Prober(allowsLinkLocal: false) { _, _ in }
        await prober.watch([try ProbeClientTests.target(server.port, #"{"path": "/", "interval": 1, "timeout": 60}"#)])
        #expect(try await eventually(seconds: 60) { await prober.reports.first.map { $0.good > 1 } == true })
        // The older ones end with a newer one.
        #expect(try await eventually(seconds: 60) { server.openConnections == 1 })
        await prober.stop()
        #expect(try await eventually(seconds: 60) { server.openConnections == 0 })
        try await server.stop()
    }

    // In a process of its own: other tests need the pool, and one of them may hold a thread of it.
    @Test func `a verdict comes while all threads of the cooperative pool are held`() async {
        await #expect(processExitsWith: .success) {
            let server = try await OddServer(.says("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"))
            let changed = DispatchSemaphore(value: 0)
            let prober = Prober(allowsLinkLocal: false) { _, _ in changed.signal() }
            // By a name, so that the look-up is in it.
            let probe = #"{"path": "/", "interval": 1, "timeout": 60, "fall": 2, "addresses": "ipv4"}"#
            await prober.watch([try ProbeClientTests.target(server.port, probe, host: "localhost")])
            #expect(ProberTests.holdingThePool { changed.wait(timeout: .now() + 60) } == .success)
            await prober.stop()
            try await server.stop()
        }
    }

    /// Blocks one thread with the body and all others until it returns.
    private static func holdingThePool<Value>(_ body: () -> Value) -> Value {
        let others = ProcessInfo.processInfo.activeProcessorCount - 1
        let held = DispatchSemaphore(value: 0)
        let letGo = DispatchSemaphore(value: 0)
        for _ in 0..<others {
            Task.detached {
                held.signal()
                letGo.waitHere()
            }
        }
        for _ in 0..<others { held.wait() }
        defer { for _ in 0..<others { letGo.signal() } }
        return body()
    }

    @Test func `a listener that takes its time holds no probe up, and hears everything in order`() async throws {
        let sick = "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"
        let well = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        let server = try await OddServer(.turns([sick, well, sick, well]))
        let changes = Changes()
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let prober = Prober(allowsLinkLocal: false) { snapshot, change in
            for await _ in gate { break }
            changes.add(snapshot.health, change)
        }
        let target = try ProbeClientTests.target(server.port, #"{"path": "/", "interval": 1, "timeout": 60, "rise": 1, "fall": 1}"#)
        await prober.watch([target])
        #expect(try await eventually(seconds: 60) { await prober.reports.first.map { $0.good + $0.bad >= 4 } == true })
        #expect(changes.all.isEmpty)
        open.finish()
        #expect(try await eventually(seconds: 60) { changes.all.count == 4 })
        #expect(changes.all.map { $0.contains(" up: ") } == [false, true, false, true])
        #expect(changes.all.map { $0.contains("down: [\"cdn-a\"]") } == [true, false, true, false])
        await prober.stop()
        try await server.stop()
    }

    @Test func `a probe that is changed, or a CDN that is renamed, stays down until it has spoken; at another place it begins anew`()
        async throws
    {
        let server = try await OddServer(.says("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"))
        let prober = Prober(allowsLinkLocal: false) { _, _ in }
        let target = { (probe: String, name: String, host: String) in
            try ProbeClientTests.target(server.port, probe, host: host, name: name)
        }
        let quick = #"{"path": "/", "interval": 1, "timeout": 60, "fall": 1}"#
        await prober.watch([try target(quick, "cdn-a", "127.0.0.1")])
        #expect(try await eventually(seconds: 60) { await prober.health.downCDNs == ["cdn-a"] })
        let slow = #"{"path": "/other", "interval": 3600, "timeout": 60, "fall": 9}"#
        #expect(await prober.watch([try target(slow, "cdn-a", "127.0.0.1")]).health.downCDNs == ["cdn-a"])
        #expect(await prober.watch([try target(slow, "cdn-b", "127.0.0.1")]).health.downCDNs == ["cdn-b"])
        #expect(await prober.watch([try target(slow, "cdn-b", "127.0.0.2")]).health == .allUp)
        await prober.stop()
        try await server.stop()
    }

    @Test func `what one prober knew the next begins with`() async throws {
        let server = try await OddServer(
            .turns(["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"]))
        let target = try ProbeClientTests.target(server.port, #"{"path": "/", "interval": 1, "timeout": 60, "fall": 1}"#)
        let first = Prober(allowsLinkLocal: false) { _, _ in }
        await first.watch([target])
        #expect(try await eventually(seconds: 60) { await first.health == Health(downCDNs: ["cdn-a"]) })
        let memories = await first.memories
        await first.stop()
        #expect(memories.map(\.reason) == ["status 500, not 200"] && memories.allSatisfy { $0.hasBeenGood && $0.isRecent })
        let second = Prober(allowsLinkLocal: false, remembering: memories) { _, _ in }
        #expect(await second.watch([target]).health == Health(downCDNs: ["cdn-a"]))
        #expect(await second.watch([]).health == .allUp)
        #expect(await second.watch([target]).health == .allUp, "what was remembered counts for the first targets only")
        await second.stop()
        try await server.stop()
    }

    @Test func `a probe that was never good is said to be unproven`() async throws {
        let server = try await OddServer(.says("HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n"))
        let prober = Prober(allowsLinkLocal: false) { _, _ in }
        await prober.watch([try ProbeClientTests.target(server.port, #"{"path": "/", "interval": 1, "timeout": 60, "fall": 1}"#)])
        #expect(try await eventually(seconds: 60) { await prober.health == Health(downCDNs: ["cdn-a"], unprovenCDNs: ["cdn-a"]) })
        await prober.stop()
        try await server.stop()
    }
}

extension DispatchSemaphore {
    /// Blocks a thread of the cooperative pool, as a call that hangs does.
    fileprivate func waitHere() { wait() }
}
