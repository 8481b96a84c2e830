import Testing

@testable import Steering

@Suite struct ByteTableTests {
    @Test func `every key is found at its position and no other text is found`() {
        let keys = (0..<10_000).map { "s\($0)" }
        let table = ByteTable(keys)
        for (position, key) in keys.enumerated() where find(key, in: table) != position { Issue.record("\(key) is not at \(position)") }
        for other in ["", "s", "s10000", "s00", "s1 ", " s1", "s1\u{0}", "1s", "s9999s", "é"] { #expect(find(other, in: table) == nil) }
    }

    @Test func `letter case plays no part, and no other bytes are alike`() {
        let table = ByteTable(["cdn-a", "[::1]:80", "k"])
        #expect(find("CDN-A", in: table) == 0)
        #expect(find("cDn-a", in: table) == 0)
        #expect(find("[::1]:80", in: table) == 1)
        #expect(find("cdn\ra", in: table) == nil, "0x0D is 0x2D without bit 5")
        #expect(find("{::1]:80", in: table) == nil, "0x7B is 0x5B with bit 5")
        #expect(find("\u{212A}", in: table) == nil, "the Kelvin sign is a k only in Unicode")
    }

    @Test func `each byte value equals itself alone, letters both cases`() {
        let table = ByteTable(["a", "z", "0", "-", "."])
        for byte in UInt8.min...UInt8.max {
            let bytes = [byte]
            let expected = ["a", "z", "0", "-", "."].firstIndex(of: String(decoding: bytes, as: UTF8.self).lowercased())
            #expect(table.position(of: bytes.span, 0..<1) == expected, "byte \(byte)")
        }
    }

    @Test func `an empty table finds nothing`() {
        #expect(find("", in: ByteTable([])) == nil)
        #expect(find("a", in: ByteTable([])) == nil)
    }

    @Test func `only the range is read`() {
        let text = Array("xs1x".utf8)
        let table = ByteTable(["s1", "s"])
        #expect(table.position(of: text.span, 1..<3) == 0)
        #expect(table.position(of: text.span, 1..<2) == 1)
        #expect(table.position(of: text.span, 0..<4) == nil)
    }

    private func find(_ text: String, in table: ByteTable) -> Int? {
        let bytes = Array(text.utf8)
        return table.position(of: bytes.span, 0..<bytes.count)
    }
}
