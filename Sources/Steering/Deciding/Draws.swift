/// What each CDN of a catalog draws from a key: 64 bits, from the CDN's name and the key alone, so that it keeps its keys wherever it stands
/// in the catalog.
///
/// Most CDNs lose by the first eight of their bits. These stand in tables, sixty-four CDNs side by side, so that they are drawn together by
/// four additions without carry (tabulation hashing; Zobrist, 1970; Pătraşcu and Thorup, 2012). The rest is drawn by those alone that may win.
struct Draws: Sendable {
    /// The first bytes that sixty-four CDNs draw: lane i is byte i % 8 of word i / 8.
    typealias Lanes = SIMD8<UInt64>

    static let laneCount = 64
    /// Bits of the key's hash that choose a row of one table.
    private static let rowBits = 6
    private static let tableCount = 4

    /// How many columns of sixty-four lanes the CDNs take; the lanes behind the last CDN mean nothing.
    private let columns: Int
    /// By table, row and column.
    private let lanes: [Lanes]
    /// By CDN.
    private let seeds: [UInt64]

    /// - Parameter names: of the CDNs, in the order of the catalog.
    init(names: [String]) {
        seeds = names.map { name in
            let bytes = Array(name.lowercased().utf8)
            return Rendezvous.hash(bytes.span, 0..<bytes.count, Rendezvous.start)
        }
        columns = (names.count + Draws.laneCount - 1) / Draws.laneCount
        var lanes = [Lanes](repeating: .zero, count: columns * Draws.tableCount << Draws.rowBits)
        for (cdn, seed) in seeds.enumerated() {
            let (column, lane) = cdn.quotientAndRemainder(dividingBy: Draws.laneCount)
            for row in 0..<Draws.tableCount << Draws.rowBits {
                // Another sequence than that of the bits behind, whose keys are hashes too.
                let byte = Rendezvous.mixed(~seed &+ UInt64(row) &* 0xD6E8_FEB8_6659_FD93) >> 56
                lanes[row * columns + column][lane / 8] |= byte << UInt64(lane % 8 * 8)
            }
        }
        self.lanes = lanes
    }

    /// A key, hashed and looked up.
    struct Key {
        fileprivate let hash: UInt64
        fileprivate let rows: SIMD4<Int>
    }

    func key(_ key: UInt64) -> Key {
        let hash = Rendezvous.mixed(key)
        var rows = SIMD4<Int>.zero
        for table in 0..<Draws.tableCount {
            let row = Int(hash >> UInt64(table * Draws.rowBits) & (1 << UInt64(Draws.rowBits) - 1))
            rows[table] = (table << Draws.rowBits + row) * columns
        }
        return Key(hash: hash, rows: rows)
    }

    /// - Parameter column: of a CDN of these.
    @inline(__always)
    func first(_ key: Key, column: Int) -> Lanes {
        let (lanes, rows) = (lanes.span, key.rows)
        // A row begins where all columns of one are still to come.
        return unsafe lanes[unchecked: rows[0] &+ column] ^ lanes[unchecked: rows[1] &+ column] ^ lanes[unchecked: rows[2] &+ column]
            ^ lanes[unchecked: rows[3] &+ column]
    }

    /// All 64 bits.
    ///
    /// - Parameter first: the first eight of them.
    @inline(__always)
    func all(_ key: Key, cdn: Int, first: UInt64) -> UInt64 { first << 56 | Rendezvous.mixed(key.hash ^ seeds[cdn]) >> 8 }
}
