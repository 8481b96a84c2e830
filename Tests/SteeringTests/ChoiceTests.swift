import Testing

@testable import Steering

@Suite struct ChoiceTests {
    @Test(arguments: [
        Catalog.Selection.weighted, .rotate(every: 3), .ordered, .hash(on: .film, viewer: .network),
    ])
    func `the preferred CDN is the first in order of preference`(selection: Catalog.Selection) {
        let choice = Choice(selection, [(cdn: 4, name: "a", weight: 3), (cdn: 1, name: "b", weight: 2), (cdn: 7, name: "c", weight: 1)])
        var found: Set<Int> = []
        for place: UInt64 in 0..<1000 {
            var order = choice.order(from: place)
            let first = choice.first(from: place)
            #expect(first == order.next())
            found.formUnion([first].compactMap { $0 })
        }
        if case .ordered = selection { #expect(found == [4]) } else { #expect(found == [4, 1, 7]) }
    }

    @Test func `without CDNs there is none`() {
        #expect(Choice(.weighted, []).first(from: 0) == nil)
    }
}
