import HTTPTypes
import Testing

@testable import Control

@Suite struct BodyBudgetTests {
    // Regression: each body had a limit and all together none; 600 of 1 MB ended the process.
    @Test func `one caller's bodies have a sum, and leave room for another's`() throws {
        let budget = BodyBudget(.init(maximum: 100, maximumOfKey: 60))
        let first = BodyBudget.Lease(budget, key: "a")
        try first.take(40)
        try first.take(20)
        let problem = #expect(throws: Problem.self) { try BodyBudget.Lease(budget, key: "a").take(1) }
        #expect(problem?.status == .serviceUnavailable && problem?.headers.contains { $0.0 == .retryAfter } == true)
        let other = BodyBudget.Lease(budget, key: "b")
        try other.take(40)
        #expect(throws: Problem.self) { try other.take(1) }
        withExtendedLifetime((first, other)) { #expect(budget.total == 100) }
    }

    @Test func `what was held is given back with its request`() throws {
        let budget = BodyBudget(.init(maximum: 100, maximumOfKey: 100))
        var lease: BodyBudget.Lease? = .init(budget, key: "a")
        try lease?.take(70)
        #expect(budget.total == 70)
        lease = nil
        #expect(budget.total == 0)
        try BodyBudget.Lease(budget, key: "b").take(100)
    }
}
