import Logging
import Synchronization
import Testing

@testable import Serving

struct NodeConditionTests {
    /// Keeps what was logged.
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
        var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

        private struct Handler: LogHandler {
            let lines: Lines
            var metadata: Logger.Metadata = [:]
            var logLevel = Logger.Level.trace
            subscript(metadataKey key: String) -> Logger.Metadata.Value? {
                get { metadata[key] }
                set { metadata[key] = newValue }
            }
            func log(event: LogEvent) { lines.all.withLock { $0.append("\(event.message)") } }
        }
    }

    @Test func `trouble is told once and its end once`() {
        let lines = Lines()
        let condition = NodeCondition(trouble: nil, logger: lines.logger)
        for _ in 0..<3 { condition.databaseIs(.init(kind: .unanswered, reason: "no answer"), revision: 4) }
        for _ in 0..<3 { condition.databaseIs(nil, revision: 4) }
        #expect(
            lines.all.withLock { $0 } == [
                "the database does not answer; redirects go on with revision 4", "the database answers again",
            ])
    }

    @Test func `another reason is told anew`() {
        let lines = Lines()
        let condition = NodeCondition(trouble: nil, logger: lines.logger)
        condition.databaseIs(.init(kind: .unanswered, reason: "no answer"), revision: 4)
        condition.databaseIs(.init(kind: .unwritable, reason: "is read-only"), revision: 4)
        #expect(lines.all.withLock { $0.count } == 2)
        #expect(condition.trouble?.kind == .unwritable)
    }
}
