import Testing

@testable import Steering

@Suite struct ExplanationTests {
    private func steps(_ catalog: Document, _ url: String, _ about: String) throws -> [String] {
        let table = RoutingTable(try Catalog(catalog), revision: 1)
        return table.explain(url, avoiding: nil, at: 0, sequences: SequenceBook().set(for: table)).steps
            .filter { $0.about == about }.map(\.text)
    }

    @Test func `parameters that would go on are told, and only where some would`() throws {
        let origin = Setup(every: 1).document
        let passing = origin.setting("/redirect/passParameters", .array([.string("CMCD"), .string("_HLS_msn")]))
        #expect(try steps(passing, "/s1/a", "pass") == [])
        let text = "parameters beside video that are passed on: CMCD, _HLS_msn"
        #expect(try steps(passing, "http://s1.origin-cluster/a", "pass") == [text])
        #expect(try steps(origin, "http://s1.origin-cluster/a", "pass") == [])
    }

    @Test func `a scheme that is kept is told, and only where it is kept`() throws {
        let origin = Setup(every: 1).document
        let keeping = origin.setting("/origin/keepScheme", .bool(true))
        let read = "an origin URL: server s1, domain origin-cluster"
        #expect(try steps(keeping, "https://s1.origin-cluster/a", "read") == ["\(read), the origin by https"])
        #expect(try steps(keeping, "https://s1.origin-cluster/a", "answer") == ["301 https://s1.origin-cluster/a"])
        #expect(try steps(keeping, "/s1/a", "read") == ["a path at the balancer: server s1, domain origin-cluster"])
        #expect(try steps(origin, "https://s1.origin-cluster/a", "read") == [read])
        #expect(try steps(origin, "https://s1.origin-cluster/a", "answer") == ["301 http://s1.origin-cluster/a"])
    }
}
