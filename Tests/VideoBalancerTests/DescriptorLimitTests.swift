import DatabaseServers
import Foundation
import Glibc
import Testing

/// Little of what a system can run out of: descriptors, address space.
@Suite(.serialized, .onThreads)
struct DescriptorLimitTests {
    private static func withLimit(_ limit: Int) -> [String] { ["prlimit", "--nofile=\(limit):\(limit)"] }

    /// The process ended within half a minute before: libdispatch traps when it gets no descriptor.
    @Test(arguments: [256, 1024])
    func `regression: three times the limit in connections, from three processes, costs no redirect and reaches nothing else`(
        limit: Int
    ) throws {
        let folder = try Folder()
        let cdn = try Balancer(in: try Folder())
        defer { cdn.end() }
        _ = try folder.importCatalog(
            """
            {"version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s[1-99]"], "every": 0},
             "cdns": [{"name": "cdn", "url": "http://127.0.0.1:\(cdn.port)",
              "probe": {"path": "/livez", "interval": 1, "timeout": 1, "rise": 1, "fall": 1}}]}
            """)
        let balancer = try Balancer(
            in: folder, environment: ["BALANCER_ADMIN_TOKEN": Editor.token], wrapper: Self.withLimit(limit))
        defer { balancer.end() }
        let isUp = { try balancer.metrics()["balancer_target_up{kind=\"cdn\",name=\"cdn\"}"] == 1 }
        try eventually("the CDN to be probed") { try isUp() }
        let tool = try Tool.crowd.get()
        let seconds = Tier.runs(12, soak: 600)
        let crowds = (0..<3).map { _ in
            Background { try Command.run([tool, "\(balancer.port)", "\(limit)", "\(seconds)"], in: folder, seconds: Double(seconds + 60)) }
        }
        let editor = Editor(balancer)
        let end = ContinuousClock.now + .seconds(seconds)
        var (edits, maximumOpen) = (0, 0)
        while ContinuousClock.now < end {
            edits += 1
            #expect(editor.edit(every: edits % 2, comment: "\(edits)") == .accepted(revision: edits + 1))
            #expect(try balancer.admin("/readyz").status == 200)
            #expect(try isUp(), "the probe has no descriptor")
            maximumOpen = max(maximumOpen, try FileManager.default.contentsOfDirectory(atPath: "/proc/\(balancer.process.id)/fd").count)
            pause(0.2)
        }
        for crowd in crowds {
            let finished = try crowd.result()
            #expect(finished.code == 0, "\(finished)")
        }
        let metrics = try balancer.metrics()
        #expect(metrics["balancer_accept_pauses_total{reason=\"limit\"}"] ?? 0 > 0, "the limit was not reached")
        #expect(metrics["balancer_accept_pauses_total{reason=\"exhausted\"}"] == 0)
        #expect(metrics["balancer_idle_connections_ended_total"] ?? 0 > 0)
        #expect(maximumOpen < limit - 16, "\(maximumOpen) descriptors")
        #expect(try balancer.get(Sample.target).status == 301)
        #expect(try balancer.stop() == .exited(0))
    }

    @Test func `clients of the admin port cannot take the descriptors of others: further ones wait`() throws {
        let balancer = try Balancer(in: try Folder(), wrapper: Self.withLimit(256))
        defer { balancer.end() }
        let crowd = try (0..<220).map { _ in try HTTPConnection("127.0.0.1", balancer.adminPort) }
        for connection in crowd.prefix(30) { try connection.send("GET /readyz HTTP/1.1\r\n") }
        pause(1)
        #expect(try balancer.openDescriptors() < 200)
        for _ in 0..<50 { #expect(try balancer.get(Sample.target).status == 301) }
        withExtendedLifetime(crowd) {}
    }

    @Test func `a limit of open files that is too low for a start is a line that says which is enough`() throws {
        let error = #expect(throws: Balancer.NotServing.self) {
            try Balancer(in: try Folder(), "--workers", "8", wrapper: Self.withLimit(128))
        }
        #expect(error?.ending == .exited(1))
        #expect(error?.error.contains("the limit of open files is 128, but 8 workers need at least ") == true, "\(error?.error ?? "")")
    }

    @Test func `the soft limit of open files is raised to the hard one`() throws {
        let balancer = try Balancer(in: try Folder(), wrapper: ["prlimit", "--nofile=256:2000"])
        defer { balancer.end() }
        #expect(try balancer.metrics()["process_max_fds"] == 2000)
    }

    /// It was a trap in SwiftNIO, which got no thread.
    @Test(arguments: [(1_024_000_000, 2), (400_000_000, 2), (1_024_000_000, 64)])
    func `regression: a limit of address space gives a start that works or a line`(bytes: Int, workers: Int) throws {
        do {
            let balancer = try Balancer(in: try Folder(), "--workers", "\(workers)", wrapper: ["prlimit", "--as=\(bytes)"])
            defer { balancer.end() }
            #expect(try balancer.get(Sample.target).status == 301)
            #expect(try balancer.stop() == .exited(0))
        } catch let error as Balancer.NotServing {
            #expect(error.ending == .exited(1))
            #expect(error.error.contains("cannot start ") && error.error.contains("ulimit -v"), "\(error.error)")
            #expect(workers > 2 || bytes < 1_000_000_000, "a thousand MB are enough for two workers")
        }
    }

    @Test func `every descriptor is close-on-exec, under load too`() throws {
        let balancer = try Balancer(in: try Folder())
        defer { balancer.end() }
        let clients = try (0..<20).map { _ in try balancer.connection() }
        for (index, client) in clients.enumerated() {
            if index % 2 == 0 { _ = try client.get(Sample.target) } else { try client.send("GET / HTTP/1.1\r\n") }
        }
        let admin = try HTTPConnection("127.0.0.1", balancer.adminPort)
        #expect(try admin.get("/readyz").status == 200)
        try eventually("all to be accepted") { try balancer.metrics()["balancer_connections_open"] == 20 }
        let folder = "/proc/\(balancer.process.id)"
        var seen = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: "\(folder)/fdinfo") {
            // Standard streams are the parent's; one that is closed meanwhile has no flags.
            guard let number = Int(name), number > 2, let info = try? String(contentsOfFile: "\(folder)/fdinfo/\(name)", encoding: .utf8),
                let flags = info.firstMatch(of: /flags:\s+([0-7]+)/)?.1, let value = Int(flags, radix: 8)
            else { continue }
            seen += 1
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/fd/\(name)")
            #expect(value & 0o2000000 != 0, "\(name) is \(target ?? "closed")")
        }
        #expect(seen > 40, "\(seen) descriptors")
    }

    /// Swift's crash handler kept the ports for over a minute.
    @Test(arguments: [SIGILL, SIGSEGV, SIGABRT])
    func `regression: a crash ends the process at once, and the next one gets its ports`(signal: CInt) throws {
        let ports = try (0..<2).map { _ in try FreePort.take() }
        let start = { try Balancer(in: try Folder(), "--listen", "127.0.0.1:\(ports[0])", "--admin", "127.0.0.1:\(ports[1])") }
        let first = try start()
        defer { first.end() }
        let clients = try (0..<4).map { _ in try first.connection() }
        for client in clients { #expect(try client.get(Sample.target).status == 301) }
        first.process.send(signal)
        #expect(try first.process.wait(seconds: 5) == .killed(by: signal))
        let second = try start()
        defer { second.end() }
        #expect(try second.get(Sample.target).status == 301)
    }
}
