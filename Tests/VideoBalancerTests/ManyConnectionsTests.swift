import Foundation
import Glibc
import Testing

/// Thousands of connections at once, idle or slow, and millions one after the other: what they cost in memory.
@Suite(.serialized, .onThreads)
struct ManyConnectionsTests {
    @Test func `an idle connection costs at most 64 bytes of user memory`() throws {
        let count = Tier.runs(5_000, soak: 19_000)
        try Self.allowDescriptors(count + 500)
        let balancer = try Balancer(in: try Folder(), "--workers", "1", "--idle-timeout", "600")
        defer { balancer.end() }
        #expect(try ConnectionReport(balancer, "16000", "requests", "160", "16").code == 0)
        let before = try balancer.privateMemory()
        let idle = try (0..<count).map { _ in
            let connection = try balancer.connection()
            #expect(try connection.get(Sample.target).status == 301)
            return connection
        }
        let grown = try balancer.privateMemory() - before
        #expect(grown <= 64 * count, "\(grown / count) bytes each for \(count) connections")
        print("\(count) idle connections: \(grown) bytes more, \(grown / count) each")
        for connection in [idle[0], idle[count / 2], idle[count - 1]] { #expect(try connection.get(Sample.target).status == 301) }
        #expect(try balancer.metrics()["balancer_connections_open"] == Double(count))
    }

    @Test func `resident memory stays flat over millions of requests and many reconnects`() throws {
        let count = Tier.runs(1_000_000, soak: 50_000_000)
        let balancer = try Balancer(in: try Folder(), "--workers", "1")
        defer { balancer.end() }
        #expect(try ConnectionReport(balancer, "\(count / 10)", "requests", "48", "16", seconds: 3600).code == 0)
        let before = try balancer.privateMemory()
        let report = try ConnectionReport(balancer, "\(count)", "requests", "48", "16", seconds: 7200)
        #expect(report.code == 0 && report["answers"] == count && report["connections"] >= count / 50, "\(report)")
        let grown = try balancer.privateMemory() - before
        #expect(grown <= 2 << 20, "\(grown) bytes more after \(count) requests")
        print("\(report["answers"]) requests on \(report["connections"]) connections: \(grown) bytes more")
    }

    @Test(.enabled(if: Tier.isSoak, "two minutes of slowhttptest: make soak"))
    func `ten thousand slow clients of slowhttptest end at their deadline beside a served one`() throws {
        try Self.allowDescriptors(12_000)
        let folder = try Folder()
        let balancer = try Balancer(in: folder)
        defer { balancer.end() }
        _ = try balancer.get(Sample.target)
        let before = try balancer.privateMemory()
        let slow = try Command.start(
            [
                "slowhttptest", "-H", "-c", "10000", "-r", "1000", "-l", "120", "-i", "10", "-p", "3", "-u",
                "http://127.0.0.1:\(balancer.port)/",
            ], in: folder)
        defer { slow.process.end() }
        let normal = try balancer.connection()
        var (asked, most) = (0, 0)
        var maximumOpen = 0.0
        while slow.process.poll() == nil {
            #expect(try normal.get(Sample.target).status == 301)
            #expect(try balancer.get(Sample.target).status == 301)
            asked += 2
            if asked % 100 == 0 {
                most = max(most, try balancer.privateMemory() - before)
                maximumOpen = max(maximumOpen, try balancer.metrics()["balancer_connections_open"] ?? 0)
            }
            pause(0.01)
        }
        #expect(most <= 80 << 20, "\(most >> 20) MiB more")
        #expect(maximumOpen > 1_000, "slowhttptest had only \(maximumOpen) connections open")
        let refused = try balancer.metrics().refusals(408, "head-timeout")
        #expect(refused > 5_000, "only \(refused) slow heads were refused")
        print("\(asked) normal requests answered; \(maximumOpen) open at most, \(refused) refused, \(most >> 20) MiB more")
        try eventually("no open connection but the normal one", within: 30) {
            try balancer.metrics()["balancer_connections_open"] ?? 9 <= 1
        }
    }

    /// Raises this process's limit; the balancer inherits it.
    static func allowDescriptors(_ count: Int) throws {
        var limit = rlimit()
        // unsafe: both calls read and write the one struct they are lent.
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_cur < rlim_t(count) else { return }
        limit.rlim_cur = rlim_t(count)
        guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw Failure("this test needs \(count) open files; raise the limit")
        }
    }
}

extension Balancer {
    /// Bytes of memory that are its own: not of files, not shared (proc(5)).
    func privateMemory() throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process.id)/smaps_rollup", encoding: .utf8)
        let kilobytes = text.split(separator: "\n").filter { $0.hasPrefix("Anonymous:") }.compactMap { line in
            Int(line.dropFirst("Anonymous:".count).dropLast(2).trimmingCharacters(in: .whitespaces))
        }
        guard let first = kilobytes.first else { throw Failure("no Anonymous in \(text)") }
        return first * 1024
    }
}
