import Testing

@testable import Steering

@Suite struct ChoiceTests {
    @Test(arguments: [
        Catalog.Selection.weighted, .rotate(every: 3), .ordered, .hash(on: .film, viewer: .network),
    ])
    func `the preferred CDN is the first in order of preference`(selection: Catalog.Selection) {
        let draws = Draws(names: (0..<8).map { "cdn-\($0)" })
        let choice = Choice(selection, [(cdn: 4, weight: 3), (cdn: 1, weight: 2), (cdn: 7, weight: 1)], draws)
        var found: Set<Int> = []
        for place: UInt64 in 0..<1000 {
            var order = choice.order(from: place)
            let first = choice.first(from: place)
            #expect(first == order.next(of: choice))
            found.formUnion([first].compactMap { $0 })
        }
        if case .ordered = selection { #expect(found == [4]) } else { #expect(found == [4, 1, 7]) }
    }

    @Test func `without CDNs there is none`() {
        #expect(Choice(.weighted, [], Draws(names: [])).first(from: 0) == nil)
    }
}
