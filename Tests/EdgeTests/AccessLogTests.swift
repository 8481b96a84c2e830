import Foundation
import Steering
import Synchronization
import Testing

@testable import Edge

@Suite final class AccessLogTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "access-log-\(UUID().uuidString)")
    private var path: String { folder.appending(path: "access.log").path() }

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private struct Line: Decodable, Equatable {
        let time: String
        let client: String
        let request: String
        let status: Int
        var target: String?
        var cdn: String?
        var rule: String?
        var sequence: Int?
        var reason: String?
        var pathways: [String]?
        var ttl: Int?
    }

    private func lines() throws -> [Line] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
    }

    private func log(every: Int = 1, masks: Bool = false, spare: Int = 4) throws -> AccessLog {
        try AccessLog(.init(path: path, every: every, masksClients: masks), spareBuffers: spare) { Issue.record("\($0)") }
    }

    private func asker(_ log: AccessLog, _ setup: Setup = Setup(every: 3)) throws -> Asker {
        let table = try setup.table()
        return Asker(responder: Responder(table: table, sequences: SequenceBook().set(for: table), log: log, clock: { 784_111_777 }))
    }

    @Test func `a line of a steering answer tells its pathways and its TTL`() async throws {
        let log = try log()
        var asker = try asker(log, Setup(every: 3, steers: true))
        for target in ["/steering/hls/s1/a?session=1", "/steering/dash/s1/a?session=3"] { _ = asker.ask("GET \(target) HTTP/1.1") }
        asker.responder.flushLog()
        await log.close()
        let lines = try lines()
        #expect(lines.map(\.pathways) == [["cdn-a", "origin"], ["origin", "cdn-a"]])
        #expect(lines.map(\.request) == ["GET /steering/hls/s1/a?session=1", "GET /steering/dash/s1/a?session=3"])
        #expect(lines.map(\.reason) == ["hashed", "every-nth"] && lines.map(\.status) == [200, 200])
        #expect(lines.allSatisfy { (260...360).contains($0.ttl ?? 0) && $0.sequence == nil && $0.target == nil })
    }

    @Test func `a line tells the request, the decision and its reason`() async throws {
        let log = try log()
        var asker = try asker(log)
        for line in ["GET /s1/a HTTP/1.1", "HEAD /?video=http://s2.origin-cluster/b HTTP/1.1", "GET /s1/c HTTP/1.1"] { _ = asker.ask(line) }
        for line in ["GET /?video=http://elsewhere/x HTTP/1.1", "GET /livez HTTP/1.1", "PUT / HTTP/1.1", "nonsense"] { _ = asker.ask(line) }
        _ = asker.ask("POST /origin HTTP/1.1", ["Content-Length: 30"], body: #""http://s1.origin-cluster/body""#)
        asker.responder.flushLog()
        await log.close()
        let lines = try lines()
        let told = lines.map { "\($0.request) \($0.status) \($0.target ?? "-") \($0.cdn ?? "-") \($0.sequence ?? 0) \($0.reason ?? "-")" }
        #expect(
            told == [
                "GET /s1/a 301 cdn cdn-a 1 weighted", "HEAD /?video=http://s2.origin-cluster/b 301 cdn cdn-a 2 weighted",
                "GET /s1/c 301 origin - 3 every-nth", "GET /?video=http://elsewhere/x 403 - - 0 unknown-host", "GET /livez 200 - - 0 -",
                "PUT / 405 - - 0 method-not-allowed", " 400 - - 0 bad-method", "POST /origin 301 cdn cdn-a 4 weighted",
            ])
        #expect(lines.allSatisfy { $0.time == "1994-11-06T08:49:37Z" && $0.client == "192.0.2.1" })
        #expect(log.totals == .init(written: 8, dropped: 0))
    }

    @Test func `one in so many is logged, and clients as networks`() async throws {
        let log = try log(every: 10, masks: true)
        var asker = try asker(log)
        for _ in 0..<50 { _ = asker.ask("GET /s1/a HTTP/1.1") }
        asker.client = try #require(ClientAddress("2001:db8:1:2:3::4"))
        for _ in 0..<50 { _ = asker.ask("GET /s1/a HTTP/1.1") }
        asker.responder.flushLog()
        await log.close()
        #expect(try lines().map(\.client) == Array(repeating: "192.0.2.0", count: 5) + Array(repeating: "2001:db8:1::", count: 5))
    }

    @Test func `whatever a target holds, a line is JSON and has a bound`() async throws {
        let log = try log()
        var asker = try asker(log)
        let long = String(repeating: "x", count: 5000)
        let paths = [#"/s1/"quoted""#, #"/s1/back\slash"#, "/s1/%22", "/s1/{}[]|^`", "/s1/" + long]
        for path in paths { _ = asker.ask("GET \(path) HTTP/1.1") }
        asker.responder.flushLog()
        await log.close()
        let lines = try lines()
        #expect(lines.count == paths.count)
        #expect(lines.last?.request == "GET /s1/" + long.prefix(AccessLines.maximumTargetBytes - 4) + "…")
    }

    @Test func `IPv4 addresses are written as they are described`() {
        var random = SplitMix64(for: "IPv4 as text")
        for _ in 0..<10_000 {
            let address = ClientAddress(ipv4: UInt32(truncatingIfNeeded: random.next()))
            var bytes: [UInt8] = []
            address.append(to: &bytes)
            #expect(String(decoding: bytes, as: UTF8.self) == address.description)
        }
    }

    @Test func `a full disk costs lines, which are counted and reported once, and answers go on`() async throws {
        let said = Said()
        let log = try AccessLog(.init(path: "/dev/full"), spareBuffers: 2) { said.add($0) }
        var asker = try asker(log)
        for _ in 0..<5000 { #expect(asker.ask("GET /s1/a HTTP/1.1").hasPrefix("HTTP/1.1 301 ")) }
        try await settle(&asker, log, lines: 5000)
        await log.close()
        #expect(log.totals.written == 0 && log.totals.dropped == 5000)
        #expect(said.lines.count == 1)
        #expect(said.lines[0].contains("/dev/full") && said.lines[0].contains("No space left on device"))
    }

    @Test func `a reader that stops reading costs lines and no time, and the lines before and after are whole`() async throws {
        // unsafe: the paths are copied during the calls.
        let made = unsafe mkfifo(path, 0o600)
        #expect(made == 0)
        let reader = unsafe open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        let said = Said()
        let log = try AccessLog(.init(path: path), spareBuffers: 2) { said.add($0) }
        var asker = try asker(log)
        for _ in 0..<20_000 { _ = asker.ask("GET /s1/a HTTP/1.1") }
        try await settle(&asker, log, lines: 20_000)
        let before = everything(from: reader)
        #expect(before.count > 1000 && log.totals.dropped > 0)
        _ = asker.ask("GET /s2/last HTTP/1.1")
        asker.responder.flushLog()
        await log.close()
        let after = everything(from: reader)
        let last = (before + after).split(separator: 0x0A).last.map { Data($0) } ?? Data()
        #expect(try JSONDecoder().decode(Line.self, from: last).request == "GET /s2/last")
        #expect(said.lines.count == 1)
    }

    /// Hands lines over until all have been written or dropped; a thread that is behind takes them later.
    private func settle(_ asker: inout Asker, _ log: AccessLog, lines: UInt64) async throws {
        for _ in 0..<2000 {
            asker.responder.flushLog()
            if log.totals.written + log.totals.dropped >= lines { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("\(log.totals) of \(lines) lines")
    }

    /// All that there is to read now.
    private func everything(from descriptor: CInt) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe read(descriptor, &chunk, chunk.count)
            if count <= 0 { return bytes }
            bytes += chunk[0..<count]
        }
    }

    @Test func `after a rotation lines go to the new file`() async throws {
        let log = try log()
        var asker = try asker(log)
        _ = asker.ask("GET /s1/old HTTP/1.1")
        try await settle(&asker, log, lines: 1)
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        log.reopen()
        for _ in 0..<2000 where !FileManager.default.fileExists(atPath: path) { try await Task.sleep(for: .milliseconds(5)) }
        _ = asker.ask("GET /s1/new HTTP/1.1")
        asker.responder.flushLog()
        await log.close()
        #expect(try lines().map(\.request) == ["GET /s1/new"])
        #expect(try String(contentsOfFile: path + ".1", encoding: .utf8).contains("GET /s1/old"))
    }

    @Test(arguments: ["/nowhere/access.log", "/", ""])
    func `a file that cannot be opened is named`(path: String) {
        let error = #expect(throws: EdgeError.self) { _ = try AccessLog(.init(path: path), spareBuffers: 1) { _ in } }
        #expect(error?.description.contains("cannot open the access log \(path)") == true)
    }
}

/// Lines for the operator, collected.
private final class Said: Sendable {
    private let all = Mutex<[String]>([])
    var lines: [String] { all.withLock { $0 } }
    func add(_ line: String) { all.withLock { $0.append(line) } }
}
