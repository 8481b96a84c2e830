import Testing

@testable import Edge

@Suite struct DescriptorBudgetTests {
    @Test(arguments: [(256, 106, 64), (1024, 618, 256), (65536, 53_226, 4096), (1_048_576, 1_028_074, 4096)])
    func `connections get what is left beside a reserve that grows with the limit`(limit: Int, connections: Int, admin: Int) throws {
        let budget = try DescriptorBudget(limit: limit, used: 2, workers: 2, cores: 2)
        #expect(budget.connections == connections)
        #expect(budget.adminConnections == admin)
    }

    @Test func `a limit that is too low is a sentence with the number that is enough`() throws {
        let error = #expect(throws: EdgeError.self) { try DescriptorBudget(limit: 64, used: 10, workers: 8, cores: 8) }
        let needed = try #require(error?.description.firstMatch(of: /at least (\d+)/)?.1)
        let number = try #require(Int(needed))
        #expect(throws: Never.self) { try DescriptorBudget(limit: number, used: 10, workers: 8, cores: 8) }
        #expect(throws: EdgeError.self) { try DescriptorBudget(limit: number - 1, used: 10, workers: 8, cores: 8) }
    }
}
