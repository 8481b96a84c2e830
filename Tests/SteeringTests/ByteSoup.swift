/// Byte strings that a reader of video URLs should stumble over: noise, valid URLs with faults put in, and the grammar's pieces
/// in any order.
enum ByteSoup {
    private static let pieces: [[UInt8]] =
        [
            "http://", "https://", "HTTP://", "http%3A%2F%2F", "http%253A//", "s1", "S2", "s9", "live", ".", "origin-cluster",
            "o.example:8080",
            ".origin-cluster", "cdn.example.com", "/live/", "[::1]:81/x/y/", ":80", "/", "//", "/..", "/.", "..", "%2e", "%2E%2e", "%2f",
            "%2F..",
            "%5c", "%252e", "%25", "%", "%0d%0a", "%00", "\r\n", "\r\nSet-Cookie: a=b", "\u{0}", " ", "\t", "?", "?video=", "&", "&video=",
            "avoid=", "#", "@", "user:p@", "\\", "lb/?video=", "lb/origin?video=", "é", "\u{FEFF}", "{}", "[", "|", "\"", "<", ";", "=",
            "+",
        ].map { Array($0.utf8) } + [[0x80], [0xFF], [0xC0, 0xAF], [0x7F], [0xED, 0xA0, 0x80]]

    private static let urls: [[UInt8]] = [
        "http://s1.origin-cluster/video/1488/xcg2djHckad.m3u8", "https://s2.o.example:8080/a/b?c=d", "http://s3.origin-cluster",
        "http://cdn.example.com/s1/video/1.ts?x", "https://cdn.example.com/live/s2/a", "http://[::1]:81/x/y/s3/z", "s1/video/a.ts",
        "S2?a=b",
        "live/s1/x", "http://lb/?video=http://s1.origin-cluster/a", "https://lb:8000/origin?video=http%3A%2F%2Fs2.origin-cluster%2Fb%2Fc",
        "http://lb?x=y&video=http://cdn.example.com/s3/q", "http://live.origin-cluster/%C3%A9/%2F",
    ].map { Array($0.utf8) }

    static func next(_ random: inout SplitMix64) -> [UInt8] {
        switch random.below(10) {
        case 0: return (0..<random.below(40)).map { _ in random.byte() }
        case 1, 2: return (0..<random.number(1...10)).flatMap { _ in random.one(of: pieces) }
        case 3: return [UInt8]("http://s1.origin-cluster/".utf8) + (0..<random.below(6)).flatMap { _ in random.one(of: pieces) }
        default: return mutated(&random)
        }
    }

    private static func mutated(_ random: inout SplitMix64) -> [UInt8] {
        var bytes = random.one(of: urls)
        if random.chance(20) { bytes = encoded(bytes) }
        for _ in 0..<random.below(4) {
            let place = random.below(bytes.count + 1)
            switch random.below(6) {
            case 0 where place < bytes.count: bytes[place] = random.byte()
            case 1 where place < bytes.count: bytes.remove(at: place)
            case 2 where place < bytes.count: bytes.replaceSubrange(place...place, with: encoded([bytes[place] ^ 0x80]))
            case 3: bytes.removeSubrange(place...)
            case 4: bytes += random.one(of: pieces)
            default: bytes.insert(contentsOf: random.one(of: pieces), at: place)
            }
        }
        if random.chance(15) { bytes = encoded(bytes) }
        if random.chance(10) { bytes = Array("http://lb/?video=".utf8) + bytes }
        return bytes
    }
}
