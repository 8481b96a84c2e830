import Synchronization
import Testing

@testable import Serving

struct NodeConditionTests {
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
