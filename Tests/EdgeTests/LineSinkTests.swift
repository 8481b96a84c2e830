import Foundation
import Glibc
import Synchronization
import Testing

@testable import Edge

/// A pipe of one page or two, so that it is full soon.
private struct Pipe {
    let reader: CInt
    let writer: CInt

    init(isBlocking: Bool, pages: CInt = 1) throws {
        var ends: [CInt] = [0, 0]
        // unsafe: pipe fills the two integers it is lent.
        try #require(unsafe pipe(&ends) == 0)
        (reader, writer) = (ends[0], ends[1])
        _ = fcntl(writer, Pipe.setSize, 4096 * pages)
        if !isBlocking { _ = fcntl(writer, F_SETFL, O_WRONLY | O_NONBLOCK) }
    }

    /// `F_SETPIPE_SZ` of fcntl(2), which Glibc does not lend.
    private static let setSize: CInt = 1031

    func read(_ most: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: most)
        // unsafe: read fills at most `most` bytes of the buffer it is lent.
        let count = unsafe Glibc.read(reader, &bytes, most)
        return Array(bytes[..<max(0, count)])
    }
}

private final class Heard: Sendable {
    let failures = Mutex<[CInt]>([])
    let losses = Mutex<[UInt64]>([])
    var listener: LineSink.Listener {
        .init(
            failed: { code in self.failures.withLock { $0.append(code) } }, recovered: { lost in self.losses.withLock { $0.append(lost) } })
    }
}

struct LineSinkTests {
    private func line(_ number: Int, bytes: Int = 100) -> [UInt8] {
        let text = "\(number) "
        return Array((text + String(repeating: "x", count: bytes - text.utf8.count - 1) + "\n").utf8)
    }

    private func settle(_ isDone: () -> Bool) async throws {
        for _ in 0..<2000 where !isDone() { try await Task.sleep(for: .milliseconds(5)) }
        #expect(isDone())
    }

    @Test(arguments: [true, false])
    func `a reader that stands still costs lines and no time; those before come whole and in order, and the loss is told once`(
        isBlocking: Bool
    ) async throws {
        let pipe = try Pipe(isBlocking: isBlocking)
        defer { close(pipe.reader) }
        let heard = Heard()
        let sink = LineSink(LineFile(descriptor: pipe.writer), name: "test", patience: nil, listener: heard.listener)
        for number in 0..<20_000 { sink.add(line(number)) }
        let lost = sink.totals.dropped
        #expect(lost > 0)
        await sink.flush(within: .milliseconds(50))
        #expect(heard.losses.withLock { $0.isEmpty })
        var bytes: [UInt8] = []
        while bytes.count / 100 < 20_000 - Int(lost) { bytes += pipe.read(4096) }
        let numbers = bytes.split(separator: 0x0A).map { Int(String(decoding: $0.prefix { $0 != 0x20 }, as: UTF8.self)) ?? -1 }
        #expect(numbers == Array(0..<20_000 - Int(lost)))
        try await settle { heard.losses.withLock { $0 == [lost] } }
        try await settle { sink.totals == .init(written: 20_000 - lost, dropped: lost) }
        await sink.close(within: .seconds(5))
    }

    @Test func `a full disk costs lines, is told once, and again only after it worked`() async throws {
        // unsafe: the path is copied during the call.
        let full = unsafe open("/dev/full", O_WRONLY)
        let heard = Heard()
        let file = LineFile(descriptor: full)
        let sink = LineSink(file, name: "test", patience: nil, listener: heard.listener)
        for number in 0..<3 {
            sink.add(line(number))
            await sink.flush(within: .seconds(10))
        }
        #expect(heard.failures.withLock { $0 } == [ENOSPC])
        file.replace(with: unsafe open("/dev/null", O_WRONLY))
        sink.add(line(3))
        try await settle { heard.losses.withLock { $0 == [3] } }
        #expect(sink.totals == .init(written: 1, dropped: 3))
        await sink.close(within: .seconds(5))
    }

    @Test func `a closed pipe is an error and no end`() async throws {
        signal(SIGPIPE, SIG_IGN)
        let pipe = try Pipe(isBlocking: true)
        close(pipe.reader)
        let heard = Heard()
        let sink = LineSink(LineFile(descriptor: pipe.writer), name: "test", patience: nil, listener: heard.listener)
        sink.add(line(0))
        await sink.flush(within: .seconds(10))
        #expect(heard.failures.withLock { $0 } == [EPIPE])
        #expect(sink.totals.dropped == 1)
        await sink.close(within: .seconds(5))
    }

    @Test func `a line that was written in part is completed before the next`() throws {
        let pipe = try Pipe(isBlocking: true, pages: 2)
        defer { close(pipe.reader) }
        let file = LineFile(descriptor: pipe.writer)
        defer { file.close() }
        var asked = 0
        let outcome = file.write(line(0, bytes: 10_000) + line(1)) {
            asked += 1
            return asked > 2
        }
        #expect(outcome == .init(lost: 1, code: EAGAIN))
        #expect(pipe.read(16_384).count == 8192)
        #expect(file.write(line(2)) { false } == .init(lost: 0, code: 0))
        let rest = pipe.read(8192).split(separator: 0x0A)
        #expect(rest.map(\.count) == [10_000 - 8192 - 1, 99])
        #expect(rest.last?.first == UInt8(ascii: "2"))
    }

    @Test func `closing ends in time though nobody reads`() async throws {
        let pipe = try Pipe(isBlocking: true)
        defer { close(pipe.reader) }
        let sink = LineSink(
            LineFile(descriptor: pipe.writer), name: "test", patience: nil, listener: .init(failed: { _ in }))
        for number in 0..<1000 { sink.add(line(number)) }
        await sink.close(within: .milliseconds(20))
        try await settle { sink.totals.written + sink.totals.dropped == 1000 }
        #expect(sink.totals.dropped > 0, "a pipe holds less")
    }
}
