import Testing

@testable import Steering

@Suite struct RefusalTests {
    @Test func `malformed is 400, not allowed 403, unknown path 404, no target and no signature in time 503`() {
        let statuses = Dictionary(grouping: Refusal.allCases, by: \.status)
        #expect(statuses[403] == [.unknownHost, .denied])
        #expect(statuses[404] == [.unknownServer])
        #expect(statuses[503] == [.noTarget, .signingBusy])
        #expect(Set(statuses.keys) == [400, 403, 404, 503])
    }

    @Test func `names are unique and safe in a metric's label`() {
        #expect(Set(Refusal.allCases.map(\.name)).count == Refusal.allCases.count)
        for refusal in Refusal.allCases {
            #expect(refusal.name.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x2D }, "\(refusal)")
            #expect(!refusal.detail.isEmpty)
        }
    }
}
