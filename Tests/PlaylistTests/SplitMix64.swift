/// Random numbers with a seed (Steele, Lea, Flood 2014).
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Changes, takes out, doubles or puts in a few bytes.
    mutating func mutate(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        let start = Int.random(in: 0..<bytes.count, using: &self)
        let end = min(bytes.count, start + Int.random(in: 1...12, using: &self))
        let odd = Array("\"<>&;,=:/#.{$}\n\r %![]-'?".utf8)
        switch Int.random(in: 0..<4, using: &self) {
        case 0: bytes[start] = odd.randomElement(using: &self) ?? 0
        case 1: bytes.removeSubrange(start..<end)
        case 2: bytes.insert(contentsOf: bytes[start..<end], at: start)
        default: bytes.insert(odd.randomElement(using: &self) ?? 0, at: start)
        }
    }
}
