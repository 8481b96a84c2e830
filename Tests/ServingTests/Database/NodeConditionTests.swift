import Storage
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

    @Test func `regression: a catalog that a newer version wrote is not said to be a database that does not answer`() {
        let lines = Lines()
        let condition = NodeCondition(trouble: nil, logger: lines.logger)
        let error = StorageError(.unreadableRevision(5), at: "balancer.db", "/delivery: is not a known key; known here: version")
        condition.databaseIs(.init(error), revision: 4)
        #expect(lines.all.withLock { $0 } == ["the newest catalog cannot be read here; redirects go on with revision 4"])
        #expect(condition.trouble?.reason.contains("if a newer version of this program wrote it, upgrade this balancer") == true)
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
