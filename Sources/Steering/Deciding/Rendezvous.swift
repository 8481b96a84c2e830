/// Weighted rendezvous hashing (Thaler and Ravishankar, 1998; weights by Schindelhauer and Schomaker, 2005): each CDN draws an
/// exponentially distributed time from the key, and the first wins. A CDN that goes moves only its own keys; nothing is stored. A `Race`
/// is run over the CDNs that may win, with what they draw from `Draws`.
package enum Rendezvous {
    /// When a CDN comes, and which: in one number, so that draws are ordered without branches. Of two that come at the same time, the one
    /// that stands first in the catalog.
    struct Draw: Comparable {
        private let code: UInt64

        private static let cdnBits: UInt64 = 0xFFFF
        static let beforeAll = Draw(code: 0)
        static let afterAll = Draw(code: Double.infinity.bitPattern)

        private init(code: UInt64) { self.code = code }

        /// - Parameters:
        ///   - time: above 0; positive numbers have the order of their bits. The last sixteen bits are given up.
        ///   - cdn: below 65,536.
        init(time: Double, cdn: Int) { code = time.bitPattern & ~Draw.cdnBits | UInt64(truncatingIfNeeded: cdn) }

        var cdn: Int { Int(code & Draw.cdnBits) }
        var time: Double { Double(bitPattern: code) }

        static func < (a: Draw, b: Draw) -> Bool { a.code < b.code }
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
    static let table: [Double] = (0...1024).map { step in
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
    ///
    /// - Parameter table: `Logarithm.table`, which takes a call to find.
    @inline(__always)
    static func negativeBinary(_ value: UInt64, _ table: [Double]) -> Double {
        let value = max(1, value)
        let zeros = value.leadingZeroBitCount
        let fraction = value << zeros & 0x7FFF_FFFF_FFFF_FFFF
        let step = Int(fraction >> 53)
        let rest = Double(fraction & 0x1F_FFFF_FFFF_FFFF) * 0x1p-53
        return Double(zeros + 1) - (table[step] + (table[step + 1] - table[step]) * rest)
    }
}
