import Testing

@testable import Steering

/// What is judged eight bytes at a time is judged as byte by byte.
@Suite struct EightBytesTests {
    /// Bytes beside the limits, where a borrow or a carry of a neighbour would show.
    private static let edges: [UInt8] = [
        0, 1, 0x1F, 0x20, 0x21, 0x2E, 0x2F, 0x30, 0x3F, 0x40, 0x7E, 0x7F, 0x80, 0x81, 0xAE, 0xAF, 0xFE, 0xFF,
    ]

    @Test func `the first byte that passes is the right one, whatever stands beside it`() {
        var random = SplitMix64(for: "eight bytes")
        for _ in 0..<100_000 {
            let (text, byte) = (soup(8, &random), edge(&random))
            // The text has eight bytes.
            let eight = unsafe EightBytes(text.span, unchecked: 0)
            expectFirst(text, eight.equal(byte), "equal to \(byte)") { $0 == byte }
            expectFirst(text, eight.equal(byte | 2, whateverBits: 2), "equal to \(byte) but for a bit") { $0 | 2 == byte | 2 }
            if byte <= 0x80 { expectFirst(text, eight.below(byte), "below \(byte)") { $0 < byte } }
            if (1...0x80).contains(byte) { expectFirst(text, eight.atLeast(byte), "at least \(byte)") { $0 >= byte } }
        }
    }

    @Test func `of a range every byte is judged rightly`() {
        var random = SplitMix64(for: "eight bytes within")
        for _ in 0..<100_000 {
            let text = soup(8, &random)
            let range = UInt8(ascii: "0")...UInt8.random(in: 0x30...0x7F, using: &random)
            // The text has eight bytes.
            let eight = unsafe EightBytes(text.span, unchecked: 0)
            let passed = eight.within(range)
            for index in text.indices where (passed >> (8 * index) & 0xFF) != (range.contains(text[index]) ? 0x80 : 0) {
                Issue.record("byte \(index) of \(text) in \(range)")
            }
        }
    }

    @Test func `nothing is read beyond a text's ends`() async {
        await #expect(processExitsWith: .failure) { _ = [UInt8](repeating: 0, count: 20).span.firstIndex(of: 1, in: 5..<21) }
        await #expect(processExitsWith: .failure) { _ = [UInt8](repeating: 0, count: 20).span.firstIndex(of: 1, in: -1..<12) }
        await #expect(processExitsWith: .failure) { _ = [UInt8](repeating: 0, count: 3).span.firstIndex(of: 1, in: 2..<4) }
        await #expect(processExitsWith: .failure) { _ = [UInt8](repeating: 0, count: 20).span.hasNone(in: 12..<21) { $0.equal(1) } }
        await #expect(processExitsWith: .failure) {
            let text = [UInt8](repeating: 0, count: 20)
            _ = text.span.equals([UInt8](repeating: 0, count: 10).span, 2..<11, in: 2..<11)
        }
        await #expect(processExitsWith: .failure) {
            let text = [UInt8](repeating: 0, count: 20)
            _ = [UInt8](repeating: 0, count: 10).span.equals(text.span, 8..<11, in: 8..<11)
        }
    }

    @Test func `a search finds what a loop finds, in every part of a text`() {
        var random = SplitMix64(for: "searches")
        for _ in 0..<2_000 {
            let text = soup(Int.random(in: 0...40, using: &random), &random)
            let byte = edge(&random)
            for start in 0...text.count {
                let end = Int.random(in: start...text.count, using: &random)
                let found = text.span.firstIndex(of: byte, in: start..<end)
                #expect(found == text[start..<end].firstIndex(of: byte) ?? end)
            }
        }
    }

    @Test func `texts are equal when all their bytes are`() {
        var random = SplitMix64(for: "equal texts")
        for count in 0...40 {
            let text = soup(count + 6, &random)
            let copy = soup(2, &random) + text[3..<3 + count] + soup(9, &random)
            #expect(areEqual(copy, 2..<2 + count, text, 3..<3 + count))
            #expect(!areEqual(copy, 2..<3 + count, text, 3..<3 + count), "another length")
            for changed in 0..<count {
                var other = copy
                other[2 + changed] &+= 1
                #expect(!areEqual(other, 2..<2 + count, text, 3..<3 + count), "\(count) bytes, \(changed) differs")
            }
        }
    }

    @Test func `no neighbours are overlooked, wherever they stand`() {
        for count in 8...40 {
            for place in 0..<count - 1 {
                var text = [UInt8](repeating: UInt8(ascii: "x"), count: count + 2)
                (text[place + 1], text[place + 2]) = (UInt8(ascii: "/"), UInt8(ascii: "."))
                let passes = text.span.hasNone(in: 1..<count + 1) { $0.equal(UInt8(ascii: "/")) << 8 & $0.equal(UInt8(ascii: ".")) }
                #expect(!passes, "at \(place) of \(count)")
                text[place + 2] = UInt8(ascii: "x")
                let hasNoDot = text.span.hasNone(in: 1..<count + 1) { $0.equal(UInt8(ascii: ".")) }
                #expect(hasNoDot, "none of \(count)")
            }
        }
        let short = [UInt8](repeating: 0, count: 7)
        let isLookedAt = short.span.hasNone(in: 0..<7) { _ in 0 }
        #expect(!isLookedAt, "seven bytes are too short to be looked at")
    }

    private func soup(_ count: Int, _ random: inout SplitMix64) -> [UInt8] {
        (0..<count).map { _ in
            Bool.random(using: &random) ? edge(&random) : UInt8.random(in: 0...255, using: &random)
        }
    }

    private func edge(_ random: inout SplitMix64) -> UInt8 {
        EightBytesTests.edges[Int.random(in: EightBytesTests.edges.indices, using: &random)]
    }

    private func areEqual(_ one: [UInt8], _ first: Range<Int>, _ other: [UInt8], _ second: Range<Int>) -> Bool {
        other.span.equals(one.span, first, in: second)
    }

    private func expectFirst(_ text: [UInt8], _ passed: UInt64, _ test: String, _ isRight: (UInt8) -> Bool) {
        if EightBytes.first(passed) != text.firstIndex(where: isRight) ?? 8 { Issue.record("the first that is \(test) in \(text)") }
    }
}
