import Synchronization
import Testing

@testable import Edge

@Suite struct QuietReportTests {
    private final class Log: Sendable {
        let lines = Mutex<[String]>([])
        let now = Atomic(1000)
    }

    @Test func `a kind of line is passed on once a minute, with how many were held back`() {
        let log = Log()
        let report = QuietReport(clock: { log.now.load(ordering: .relaxed) }, to: { line in log.lines.withLock { $0.append(line) } })
        for second in [1000, 1001, 1059] {
            log.now.store(second, ordering: .relaxed)
            report(.exhausted, "no descriptors")
        }
        report(.proxyHeader, "no header")
        log.now.store(1060, ordering: .relaxed)
        report(.exhausted, "no descriptors")
        report(.exhausted, "no descriptors")
        #expect(
            log.lines.withLock { $0 } == [
                "no descriptors", "no header", "no descriptors (2 more like this since the last one logged)",
            ])
    }
}
