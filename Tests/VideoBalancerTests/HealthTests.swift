import DatabaseServers
import Foundation
import Testing

/// Health checks against real nginx servers as CDNs.
@Suite(.serialized, .onThreads, .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/sbin/nginx")))
struct HealthTests {
    /// An nginx that answers `/healthz` and nothing else.
    private final class CDN {
        let port: UInt16
        private let folder: Folder
        private var process: ChildProcess?

        init(in folder: Folder, port: UInt16) throws {
            self.folder = folder
            self.port = port
            try folder.write(
                """
                daemon off; worker_processes 1; pid nginx-\(port).pid; error_log stderr;
                events { worker_connections 64; }
                http { access_log off; server { listen 127.0.0.1:\(port); location = /healthz { return 200 "ok\\n"; } } }
                """, to: "nginx-\(port).conf")
            try start()
        }

        func start() throws {
            process = try ChildProcess(
                ["/usr/sbin/nginx", "-p", folder.path, "-c", folder.path("nginx-\(port).conf")], environment: [:], folder: folder.path,
                output: folder.path("nginx-\(port).out"), error: folder.path("nginx-\(port).err"))
        }

        func send(_ signal: CInt) throws {
            guard let process else { return }
            // Its worker is in its group.
            _ = kill(-process.id, signal)
        }

        func end() {
            process?.end()
            process = nil
        }
    }

    private static func catalog(_ ports: [UInt16]) -> String {
        let cdns = ports.enumerated().map { index, port in
            """
            {"name": "cdn-\(index)", "url": "http://127.0.0.1:\(port)",
             "probe": {"path": "/healthz", "interval": 1, "timeout": 1, "rise": 2, "fall": 2}}
            """
        }
        return """
            {"version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s[1-99]"], "every": 10},
             "cdns": [\(cdns.joined(separator: ","))]}
            """
    }

    private func names(_ balancer: Balancer, _ count: Int = 60) throws -> Set<String> {
        var names: Set<String> = []
        try balancer.connection().get(Sample.target, count: count) {
            names.insert($0.location?.split(separator: "/").dropFirst().first.map(String.init) ?? "")
        }
        return names
    }

    /// How a CDN can fail: its process is gone (refused), or it is stopped and takes connections that it never answers (black hole).
    @Test(arguments: [SIGKILL, SIGSTOP])
    func `a CDN that fails gets nothing within interval × fall + timeout, and its share again within interval × rise`(_ signal: CInt) throws
    {
        let folder = try Folder()
        let ports = try (0..<3).map { _ in try FreePort.take() }
        let cdns = try ports.map { try CDN(in: folder, port: $0) }
        defer { cdns.forEach { $0.end() } }
        _ = try folder.importCatalog(HealthTests.catalog(ports))
        let balancer = try Balancer(in: folder)
        defer { balancer.end() }
        let up = { (index: Int) in try balancer.metrics()["balancer_target_up{kind=\"cdn\",name=\"cdn-\(index)\"}"] }
        try eventually("all CDNs to be probed") { try (0..<3).allSatisfy { try up($0) == 1 } }
        let all = Set(ports.map { "127.0.0.1:\($0)" })
        #expect(try names(balancer).isSuperset(of: all))

        let began = ContinuousClock.now
        if signal == SIGKILL { cdns[1].end() } else { try cdns[1].send(signal) }
        try eventually("cdn-1 to be down", within: 30) { try up(1) == 0 }
        let took = ContinuousClock.now - began
        print("down after \(took)")
        // The verdict is on the wire: the log line comes before the tables, so one request may still cross it.
        try eventually("no redirect there") { try !names(balancer).contains("127.0.0.1:\(ports[1])") }
        for _ in 0..<20 { #expect(try !names(balancer).contains("127.0.0.1:\(ports[1])")) }
        #expect(try balancer.log().contains { $0.message.hasPrefix("cdn cdn-1 does not work") })

        if signal == SIGKILL { try cdns[1].start() } else { try cdns[1].send(SIGCONT) }
        try eventually("cdn-1 to be back", within: 30) { try names(balancer).isSuperset(of: all) }
        #expect(try balancer.log().contains { $0.message == "cdn cdn-1 works again" })
        #expect(try balancer.stop() == .exited(0))
    }

    @Test func `with more of the weight down than the threshold allows health is ignored, and the log says so once`() throws {
        let folder = try Folder()
        let ports = try (0..<3).map { _ in try FreePort.take() }
        _ = try folder.importCatalog(HealthTests.catalog(ports))
        let balancer = try Balancer(in: folder)
        defer { balancer.end() }
        let message = "too little of the weight works: health is ignored, see failover.panicThreshold"
        try eventually("panic", within: 30) { try !balancer.log(message).isEmpty }
        try eventually("all to be down", within: 30) {
            let metrics = try balancer.metrics()
            return (0..<3).allSatisfy { metrics["balancer_target_up{kind=\"cdn\",name=\"cdn-\($0)\"}"] == 0 }
        }
        #expect(try names(balancer).isSuperset(of: ports.map { "127.0.0.1:\($0)" }))
        #expect(try balancer.log(message).count == 1)
    }

    @Test func `a rule of the catalog is on the wire, and simulate plays the same`() throws {
        let folder = try Folder()
        let rules = """
            [{"name": "live", "when": {"paths": ["/live/"]}, "every": 0, "cdns": {"cdn-1": 1}, "status": 302},
             {"name": "secret", "when": {"paths": ["/secret/"]}, "deny": true}]
            """
        let text = HealthTests.catalog([1, 2]).replacing(
            "\"origin\":", with: "\"rules\": \(rules), \"redirect\": {\"links\": true}, \"origin\":")
        _ = try folder.importCatalog(text)
        try folder.write(text, to: "catalog.json")
        let balancer = try Balancer(in: folder)
        defer { balancer.end() }
        for _ in 0..<20 {
            let answer = try balancer.get("/?video=http://s1.origin-cluster/live/x.m3u8")
            #expect(answer.status == 302 && answer.location == "http://127.0.0.1:2/s1/live/x.m3u8")
        }
        #expect(try balancer.get("/?video=http://s1.origin-cluster/secret/x").status == 403)
        let linked = try balancer.get("/?video=http://s1.origin-cluster/v/x.m3u8")
        #expect(
            linked["Link"]?.hasSuffix("http://s1.origin-cluster/v/x.m3u8>; rel=duplicate; pri=2") == true, "\(linked["Link"] ?? "none")")
        let played = try folder.balancer(
            "simulate", "catalog.json", "--requests", "1000", "--viewers", "1000", "--down", "cdn-1", environment: [:], seconds: 30)
        #expect(played.code == 0 && played.output.contains("cdn-0                    900 "), "\(played)")
        // About half of the viewers were on the other CDN; some of a thousand draws are of one viewer.
        let moved = played.output.split(separator: "\n").last?.split(separator: " ").dropFirst(3).first.flatMap { Int($0) } ?? 0
        #expect((200...800).contains(moved), "\(played)")
    }
}
