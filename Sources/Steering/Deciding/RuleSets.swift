/// Sets of rules, one bit each, in one array: so that what matches by server, path, client and its place is an intersection.
struct RuleSets: Sendable {
    /// 64-bit words a set.
    let stride: Int
    private(set) var words: [UInt64] = []
    private var known: [[UInt64]: Int] = [:]

    init(rules: Int) { stride = (rules + 63) / 64 }

    /// - Returns: where the set begins in `words`; equal sets stand there once.
    mutating func place(_ set: [UInt64]) -> Int {
        if let place = known[set] { return place }
        let place = words.count
        words += set
        known[set] = place
        return place
    }

    /// Gives back the memory that only compiling needs.
    mutating func seal() { known = [:] }

    func set(at place: Int) -> [UInt64] { Array(words[place..<place + stride]) }

    /// A set of the rules that satisfy the test.
    func set(_ rules: Int, where isMember: (Int) -> Bool) -> [UInt64] {
        var set = [UInt64](repeating: 0, count: stride)
        for rule in 0..<rules where isMember(rule) { set[rule / 64] |= 1 << UInt64(rule % 64) }
        return set
    }

    /// Whether two sets have a rule in common.
    func intersect(_ a: Int, _ b: Int) -> Bool {
        for word in 0..<stride where words[a + word] & words[b + word] != 0 { return true }
        return false
    }

    static func union(_ a: [UInt64], _ b: [UInt64]) -> [UInt64] { zip(a, b).map { $0 | $1 } }
}
