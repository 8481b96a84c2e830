import Testing

@testable import Edge

@Suite struct CountersTests {
    @Test func `adding sums every counter and merges names`() {
        var one = Counters()
        one.redirectsToOrigin = 1
        one.redirectsToCDN = ["a": 1]
        one.countRefusal(400, "x")
        one.otherAnswers = 2
        one.connectionsAccepted = 3
        one.connectionsOpen = 1
        var two = Counters()
        two.redirectsToCDN = ["a": 1, "b": 1]
        two.countRefusal(400, "x")
        two.countRefusal(403, "x")
        two.connectionsAccepted = 5
        two.add(one)
        #expect(two.redirectsToOrigin == 1)
        #expect(two.redirectsToCDN == ["a": 2, "b": 1])
        #expect(two.refusals == [.init(status: 400, reason: "x"): 2, .init(status: 403, reason: "x"): 1])
        #expect(two.otherAnswers == 2)
        #expect(two.connectionsAccepted == 8)
        #expect(two.connectionsOpen == 1)
    }
}
