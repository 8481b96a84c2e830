extension Rendezvous {
    /// The CDNs that may win, with their weights: who comes first at a key, and who next.
    final class Race: Sendable {
        /// Sixty-four CDNs of the catalog of which at least one may win.
        private struct Column {
            let position: Int
            /// The top bit of each lane whose CDN may win.
            let present: Draws.Lanes
            let maximumWeight: Double
        }

        let shares: [(cdn: Int, weight: Int)]
        private let draws: Draws
        private let columns: [Column]
        /// By CDN; infinite where one may not win.
        private let inverseWeights: [Double]
        private let weight: Double

        /// - Parameter shares: weights over 0.
        init(_ draws: Draws, _ shares: [(cdn: Int, weight: Int)]) {
            self.draws = draws
            self.shares = shares
            weight = shares.reduce(0) { $0 + Double($1.weight) }
            let byColumn = Dictionary(grouping: shares) { $0.cdn / Draws.laneCount }
            columns = byColumn.sorted { $0.key < $1.key }.map { position, shares in
                var present = Draws.Lanes.zero
                for share in shares {
                    let lane = share.cdn % Draws.laneCount
                    present[lane / 8] |= 0x80 << UInt64(lane % 8 * 8)
                }
                return Column(position: position, present: present, maximumWeight: Double(shares.map(\.weight).max() ?? 0))
            }
            var inverse = [Double](repeating: .infinity, count: (shares.map(\.cdn).max() ?? -1) + 1)
            for share in shares { inverse[share.cdn] = 1 / Double(share.weight) }
            inverseWeights = inverse
        }

        /// The smallest draws of a key, in order.
        ///
        /// - Parameters:
        ///   - wanted: how many, 1…4; there may be fewer, or more.
        ///   - last: they come after this one.
        ///   - isUsable: is asked of those alone that may be among them as far as is known.
        func first(_ wanted: Int, at key: UInt64, after last: Draw = .beforeAll, where isUsable: (Int) -> Bool) -> Winners {
            let key = draws.key(key)
            // In a mean of 1 / (weight · ln 2) one comes: with so many awaited, those that are wanted mostly are among them.
            var awaited = last == .beforeAll ? wanted + 3 : shares.count
            while true {
                let bound = awaited < shares.count ? Double(awaited) * 1.4427 / weight : .infinity
                var winners = Winners(wanted: wanted, bound: bound)
                run(key, after: last, into: &winners, where: isUsable)
                // Behind the bound some may have been passed over.
                if winners[wanted - 1].time <= bound { return winners }
                awaited *= 4
            }
        }

        private func run(_ key: Draws.Key, after last: Draw, into winners: inout Winners, where isUsable: (Int) -> Bool) {
            let logarithms = Logarithm.table
            var (product, sieve) = (-1.0, Sieve(0))
            for column in columns {
                if winners.bound * column.maximumWeight != product {
                    product = winners.bound * column.maximumWeight
                    sieve = Sieve(product)
                }
                let drawn = draws.first(key, column: column.position)
                var left = Race.bits(sieve.passed(drawn) & column.present)
                while left != 0 {
                    let (byte, word) = left.trailingZeroBitCount.quotientAndRemainder(dividingBy: 8)
                    left &= left &- 1
                    let cdn = column.position &* Draws.laneCount &+ word &* 8 &+ byte
                    let bits = draws.all(key, cdn: cdn, first: drawn[word] >> UInt64(byte &* 8) & 0xFF)
                    let draw = Draw(time: Logarithm.negativeBinary(bits, logarithms) * inverseWeights[cdn], cdn: cdn)
                    if last < draw, isUsable(cdn) { winners.insert(draw) }
                }
            }
        }

        /// The top bits of all lanes: bit w of byte b is that of lane 8 w + b.
        @inline(__always)
        private static func bits(_ lanes: Draws.Lanes) -> UInt64 {
            let quarters = lanes.lowHalf | lanes.highHalf
            let either = quarters.lowHalf | quarters.highHalf
            if either[0] | either[1] == 0 { return 0 }
            let low = lanes[0] >> 7 | lanes[1] >> 6 | lanes[2] >> 5 | lanes[3] >> 4
            return low | lanes[4] >> 3 | lanes[5] >> 2 | lanes[6] >> 1 | lanes[7]
        }

        /// Lets first bytes pass whose draws may come by a time.
        private struct Sieve {
            private let summand: Draws.Lanes
            private let open: Draws.Lanes

            /// - Parameter product: the time by the weight. −log₂ x ≥ 1.4 (1 − x) for all x up to 1.
            init(_ product: Double) {
                let below = product * (256 * 0.715) + 1e-3
                let least = below < 127 ? 255 - UInt64(below) : 0x80
                summand = Draws.Lanes(repeating: 0x0101_0101_0101_0101 &* (0x100 - least))
                // Bytes below 0x80 pass together or not at all.
                open = Draws.Lanes(repeating: below < 127 ? 0 : EightBytes.all(0x80))
            }

            /// The top bit of each lane that passes; other bits mean nothing.
            @inline(__always)
            func passed(_ lanes: Draws.Lanes) -> Draws.Lanes {
                ((lanes & Draws.Lanes(repeating: EightBytes.all(0x7F))) &+ summand) & (lanes | open)
            }
        }
    }

    /// The four smallest of the draws that were put in.
    struct Winners {
        private var draws = (Draw.afterAll, Draw.afterAll, Draw.afterAll, Draw.afterAll)
        private let wanted: Int
        /// Later ones are not looked for.
        fileprivate private(set) var bound: Double

        /// None.
        init() { self.init(wanted: 4, bound: 0) }

        fileprivate init(wanted: Int, bound: Double) { (self.wanted, self.bound) = (wanted, bound) }

        @inline(__always)
        fileprivate mutating func insert(_ draw: Draw) {
            var draw = draw
            (draws.0, draw) = (min(draws.0, draw), max(draws.0, draw))
            (draws.1, draw) = (min(draws.1, draw), max(draws.1, draw))
            (draws.2, draw) = (min(draws.2, draw), max(draws.2, draw))
            draws.3 = min(draws.3, draw)
            bound = min(bound, self[wanted - 1].time)
        }

        var count: Int {
            (draws.0 < .afterAll ? 1 : 0) + (draws.1 < .afterAll ? 1 : 0) + (draws.2 < .afterAll ? 1 : 0) + (draws.3 < .afterAll ? 1 : 0)
        }

        /// - Parameter position: below `count`.
        subscript(position: Int) -> Draw {
            switch position {
            case 0: draws.0
            case 1: draws.1
            case 2: draws.2
            default: draws.3
            }
        }
    }
}
