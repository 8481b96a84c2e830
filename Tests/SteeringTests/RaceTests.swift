import Testing

@testable import Steering

@Suite struct RaceTests {
    /// All that may win in order, each by its own draw of 64 bits and an exact comparison.
    private static func order(of race: Rendezvous.Race, _ draws: Draws, at key: UInt64) -> [Rendezvous.Draw] {
        let hashed = draws.key(key)
        return race.shares.map { share in
            let lanes = draws.first(hashed, column: share.cdn / Draws.laneCount)
            let lane = share.cdn % Draws.laneCount
            let bits = draws.all(hashed, cdn: share.cdn, first: lanes[lane / 8] >> UInt64(lane % 8 * 8) & 0xFF)
            return Rendezvous.Draw(time: Logarithm.negativeBinary(bits, Logarithm.table) / Double(share.weight), cdn: share.cdn)
        }.sorted()
    }

    private static func draws(_ count: Int) -> Draws { Draws(names: (0..<count).map { "cdn-\($0)" }) }

    /// A catalog's CDNs, some of which take part, with weights that are alike, mixed, or as far apart as a catalog allows.
    private static func race(_ random: inout SplitMix64, _ draws: Draws, cdns: Int) -> Rendezvous.Race {
        let weight = random.one(of: [1, 3, 1000])
        let takingPart = random.number(1...4)
        var shares = (0..<cdns).filter { _ in takingPart > 1 || random.below(8) == 0 }.map { (cdn: $0, weight: random.number(1...weight)) }
        if shares.isEmpty { shares = [(cdn: cdns - 1, weight: 1)] }
        if random.below(4) == 0 { shares[shares.count / 2].weight = 1000 }
        return Rendezvous.Race(draws, shares)
    }

    @Test func `the first four, and the next, are those of all draws, although most are passed over by eight bits`() {
        var random = SplitMix64(for: "race")
        for cdns in [1, 2, 3, 5, 8, 40, 63, 64, 65, 130, 1000] {
            let draws = Self.draws(cdns)
            for _ in 0..<(cdns < 100 ? 100 : 20) {
                let race = Self.race(&random, draws, cdns: cdns)
                let key = random.next()
                let wanted = Self.order(of: race, draws, at: key).map(\.cdn)
                let choice = Choice.rendezvous(race, on: nil, viewer: .network)
                #expect(choice.first(from: key) == wanted[0])
                var (order, found) = (choice.order(from: key), [Int]())
                while found.count < 12, let cdn = order.next(of: choice, where: { _ in true }) { found.append(cdn) }
                #expect(found == Array(wanted.prefix(12)), "\(cdns) CDNs, key \(key)")
            }
        }
    }

    @Test func `those that may not be used are passed over, and be they all but one`() {
        var random = SplitMix64(for: "usable")
        for cdns in [3, 64, 200, 1000] {
            let draws = Self.draws(cdns)
            for _ in 0..<20 {
                let race = Self.race(&random, draws, cdns: cdns)
                let (key, one) = (random.next(), random.one(of: race.shares).cdn)
                let step = random.one(of: [1, 2, 50])
                let isUsable = { (cdn: Int) in cdn == one || (step > 1 && cdn % step == 0) }
                let wanted = Self.order(of: race, draws, at: key).map(\.cdn).filter(isUsable)
                let choice = Choice.rendezvous(race, on: nil, viewer: .network)
                var (order, found) = (choice.order(from: key), [Int]())
                while found.count < 12, let cdn = order.next(of: choice, where: isUsable) { found.append(cdn) }
                #expect(found == Array(wanted.prefix(12)), "\(cdns) CDNs, key \(key)")
            }
        }
    }

    /// The sum of squares by which counts differ from what is wanted: as many as there are counts but one, in the mean.
    private static func squares(_ counts: [Int], wanted: [Double]) -> Double {
        zip(counts, wanted).reduce(0) { sum, pair in
            let difference = Double(pair.0) - pair.1
            return sum + difference * difference / pair.1
        }
    }

    @Test func `each of two hundred CDNs has its share of the sessions within sampling error`() {
        let shares = (0..<200).map { (cdn: $0, weight: 1 + $0 % 4) }
        let race = Rendezvous.Race(Self.draws(200), shares)
        var counts = [Int](repeating: 0, count: 200)
        for session in 1...UInt64(100_000) { counts[race.first(1, at: session) { _ in true }[0].cdn] += 1 }
        // A deviation of 20.
        let squares = Self.squares(counts, wanted: shares.map { Double($0.weight) * 200 })
        #expect((120...280).contains(squares), "\(squares)")
    }

    @Test func `who comes second is independent of who comes first`() {
        let race = Rendezvous.Race(Self.draws(5), (0..<5).map { (cdn: $0, weight: 1) })
        var counts = [Int](repeating: 0, count: 25)
        for session in 0..<UInt64(40_000) {
            let winners = race.first(4, at: session) { _ in true }
            counts[winners[0].cdn * 5 + winners[1].cdn] += 1
        }
        let pairs = counts.filter { $0 > 0 }
        // Twenty pairs: a mean of 19, a deviation of 6.
        let squares = Self.squares(pairs, wanted: pairs.map { _ in 2000 })
        #expect(pairs.count == 20 && squares < 50, "\(squares)")
    }

    @Test func `a CDN draws the same wherever it stands in the catalog, and however its name is spelt`() {
        let (one, two) = (Draws(names: ["a", "b", "c"]), Draws(names: (0..<100).map { "x\($0)" } + ["C", "B", "A"]))
        let few = Rendezvous.Race(one, [(cdn: 0, weight: 5), (cdn: 1, weight: 2), (cdn: 2, weight: 1)])
        let many = Rendezvous.Race(two, [(cdn: 102, weight: 5), (cdn: 101, weight: 2), (cdn: 100, weight: 1)])
        for key: UInt64 in 0..<1000 {
            let (a, b) = (few.first(4, at: key) { _ in true }, many.first(4, at: key) { _ in true })
            #expect(a.count == 3 && b.count == 3)
            for position in 0..<3 { #expect(a[position].cdn == 102 - b[position].cdn) }
        }
    }

    @Test func `the places are those of every node and every version: they never change`() {
        let draws = Draws(names: ["cdn-a", "cdn-b", "cdn-c", "cdn-d"])
        let race = Rendezvous.Race(draws, [(cdn: 0, weight: 1), (cdn: 1, weight: 2), (cdn: 2, weight: 3), (cdn: 3, weight: 4)])
        let places = (1...40).map { race.first(1, at: $0) { _ in true }[0].cdn }
        #expect(
            places == [
                1, 0, 3, 1, 3, 0, 1, 2, 2, 2, 3, 0, 1, 2, 2, 2, 0, 1, 3, 1, 3, 3, 2, 3, 2, 3, 1, 3, 2, 2, 2, 2, 3, 3, 2, 2, 3, 2, 2, 2,
            ])
    }
}
