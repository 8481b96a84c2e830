import Testing

@testable import Edge

@Suite struct DescriptorBudgetTests {
    @Test(arguments: [(256, 106, 64), (1024, 618, 256), (65536, 53_226, 4096), (1_048_576, 1_028_074, 4096)])
    func `connections get what is left beside a reserve that grows with the limit`(limit: Int, connections: Int, admin: Int) throws {
        let budget = try DescriptorBudget(limit: limit, used: 2, workers: 2, listeners: 1, cores: 2)
        #expect(budget.connections == connections)
        #expect(budget.adminConnections == admin)
    }

    @Test func `a limit that is too low is a sentence with the number that is enough`() throws {
        let error = #expect(throws: EdgeError.self) { try DescriptorBudget(limit: 64, used: 10, workers: 8, listeners: 1, cores: 8) }
        let needed = try #require(error?.description.firstMatch(of: /at least (\d+)/)?.1)
        let number = try #require(Int(needed))
        #expect(throws: Never.self) { try DescriptorBudget(limit: number, used: 10, workers: 8, listeners: 1, cores: 8) }
        #expect(throws: EdgeError.self) { try DescriptorBudget(limit: number - 1, used: 10, workers: 8, listeners: 1, cores: 8) }
    }

    @Test func `each listener takes a socket of each worker`() throws {
        let one = try DescriptorBudget(limit: 1024, used: 2, workers: 3, listeners: 1, cores: 2)
        let three = try DescriptorBudget(limit: 1024, used: 2, workers: 3, listeners: 3, cores: 2)
        #expect(one.connections - three.connections == 2 * 3)
    }

    @Test func `more inherited sockets than workers make a worker for each`() throws {
        let inherited = try #require(try InheritedSockets(environment: ["LISTEN_FDS": "5", "LISTEN_PID": "7"], process: 7))
        let address = try #require(ListenAddress("127.0.0.1:0"))
        #expect([Listener(address), Listener(inherited)].workers(atLeast: 2) == 5)
        #expect([Listener(address), Listener(inherited)].workers(atLeast: 9) == 9)
        #expect([Listener(address)].workers(atLeast: 2) == 2)
    }
}
