/// Weighted rendezvous hashing (Thaler and Ravishankar, 1998; weights by Schindelhauer and Schomaker, 2005): each CDN draws an
/// exponentially distributed time from the key, and the first wins. A CDN that goes moves only its own keys; nothing is stored.
package enum Rendezvous {
    /// One CDN that may win.
    struct Entry: Sendable {
        let cdn: Int
        /// Drawn from its name, so that it keeps its keys wherever it stands in the catalog.
        let seed: UInt64
        let inverseWeight: Double

        init(cdn: Int, name: String, weight: Int) {
            self.cdn = cdn
            let bytes = Array(name.lowercased().utf8)
            seed = Rendezvous.hash(bytes.span, 0..<bytes.count, Rendezvous.start)
            inverseWeight = 1 / Double(weight)
        }

        /// The smallest over all entries wins. Nil where it is surely later than `bound`, which is told without a logarithm:
        /// −log₂ x ≥ 1.4 (1 − x) for all x up to 1.
        func time(of key: UInt64, upTo bound: Double) -> Double? {
            let hash = Rendezvous.mixed(key ^ seed)
            if Double(~hash) * 0x1p-64 * 1.4 * inverseWeight > bound { return nil }
            return Logarithm.negativeBinary(hash) * inverseWeight
        }
    }

    /// What a CDN drew from a key.
    struct Draw: Comparable {
        let time: Double
        let cdn: Int

        static let beforeAll = Draw(time: -.infinity, cdn: -1)
        static let afterAll = Draw(time: .infinity, cdn: -1)

        /// Two that drew the same: the one that stands first in the catalog.
        static func < (a: Draw, b: Draw) -> Bool { a.time < b.time || (a.time == b.time && a.cdn < b.cdn) }
    }

    /// The smallest draw, or the next one after another; nil when there is none.
    static func winner(of entries: [Entry], _ key: UInt64, after last: Draw = .beforeAll) -> Draw? {
        var best = Draw.afterAll
        for entry in entries {
            guard let time = entry.time(of: key, upTo: best.time) else { continue }
            let mine = Draw(time: time, cdn: entry.cdn)
            if last < mine, mine < best { best = mine }
        }
        return best == .afterAll ? nil : best
    }

    /// The four smallest draws in order, or all with `afterAll` behind them: as many as a session is told, in one pass.
    static func winners(of entries: [Entry], _ key: UInt64) -> (Draw, Draw, Draw, Draw) {
        var (a, b, c, d) = (Draw.afterAll, Draw.afterAll, Draw.afterAll, Draw.afterAll)
        for entry in entries {
            guard let time = entry.time(of: key, upTo: d.time) else { continue }
            let mine = Draw(time: time, cdn: entry.cdn)
            if mine < a {
                (a, b, c, d) = (mine, a, b, c)
            } else if mine < b {
                (b, c, d) = (mine, b, c)
            } else if mine < c {
                (c, d) = (mine, c)
            } else if mine < d {
                d = mine
            }
        }
        return (a, b, c, d)
    }

    static let start: UInt64 = 0xCBF2_9CE4_8422_2325

    /// FNV-1a; goes on from `hash`.
    static func hash(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, _ hash: UInt64) -> UInt64 {
        var hash = hash
        for index in range { hash = Rendezvous.hash(bytes[index], hash) }
        return hash
    }

    static func hash(_ byte: UInt8, _ hash: UInt64) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }

    /// Spreads a hash over all bits (the finalizer of SplitMix64, Steele et al., 2014).
    package static func mixed(_ value: UInt64) -> UInt64 {
        var value = value &+ 0x9E37_79B9_7F4A_7C15
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

/// Logarithms without a C library, alike on every machine.
enum Logarithm {
    /// log₂ of 1 + i/1024.
    private static let table: [Double] = (0...1024).map { step in
        // log₂(x) = 2/ln 2 · artanh((x − 1)/(x + 1)), whose series converges fast for x ≤ 2.
        let ratio = Double(step) / (2048 + Double(step))
        var (power, sum) = (ratio, 0.0)
        for term in 0..<24 {
            sum += power / Double(2 * term + 1)
            power *= ratio * ratio
        }
        return sum * 2.885_390_081_777_926_8
    }

    /// −log₂((value + 1) / 2⁶⁴), off by less than 2·10⁻⁷: between two steps of the table a straight line is that close.
    static func negativeBinary(_ value: UInt64) -> Double {
        let value = max(1, value)
        let zeros = value.leadingZeroBitCount
        let fraction = value << zeros & 0x7FFF_FFFF_FFFF_FFFF
        let step = Int(fraction >> 53)
        let rest = Double(fraction & 0x1F_FFFF_FFFF_FFFF) * 0x1p-53
        return Double(zeros + 1) - (table[step] + (table[step + 1] - table[step]) * rest)
    }
}
