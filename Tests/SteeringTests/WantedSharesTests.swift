import Testing

@testable import Steering

@Suite struct WantedSharesTests {
    private func shares(
        _ weights: [Int], every: Int, selection: String = #"{"strategy": "weighted"}"#, down: Set<String> = []
    ) throws -> [Double] {
        let document = Setup(every: every, cdns: Setup.cdns(weights: weights)).document
        let catalog = try Catalog(document.setting("/selection", try Document(json: selection)))
        let wanted = RoutingTable(catalog, revision: 1, health: Health(downCDNs: down)).wantedShares
        return [wanted.origin] + wanted.cdns
    }

    private func isClose(_ a: [Double], _ b: [Double]) -> Bool { a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-9 } }

    @Test func `N takes its part first, weights share the rest`() throws {
        #expect(isClose(try shares([3, 1], every: 10), [0.1, 0.675, 0.225]))
        #expect(isClose(try shares([3, 1], every: 0), [0, 0.75, 0.25]))
        #expect(isClose(try shares([3, 1], every: 1), [1, 0, 0]))
        #expect(isClose(try shares([1, 0], every: 2), [0.5, 0.5, 0]))
    }

    @Test func `each strategy shares in its own way`() throws {
        #expect(isClose(try shares([3, 1], every: 2, selection: #"{"strategy": "rotate", "every": 7}"#), [0.5, 0.25, 0.25]))
        #expect(isClose(try shares([3, 1], every: 2, selection: #"{"strategy": "ordered"}"#), [0.5, 0.5, 0]))
        #expect(isClose(try shares([3, 1], every: 2, selection: #"{"strategy": "hash"}"#), [0.5, 0.375, 0.125]))
    }

    @Test func `what is down gets nothing, and the origin gets what no CDN can take`() throws {
        #expect(isClose(try shares([2, 1, 1], every: 2, down: ["cdn-1"]), [0.5, 1.0 / 3, 0, 1.0 / 6]))
        #expect(isClose(try shares([0, 0], every: 10), [1, 0, 0]))
    }
}
