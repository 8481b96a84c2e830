import Testing

@testable import Steering

@Suite struct ByteStringsTests {
    @Test func `each string is at its position, also empty ones and those beside them`() {
        let strings = ["", "a", "", "origin-cluster", "ä", ""]
        let packed = ByteStrings(strings)
        #expect(packed.count == strings.count)
        for (position, string) in strings.enumerated() {
            #expect(Array(packed.bytes[packed.range(position)]) == Array(string.utf8))
            var out: [UInt8] = []
            out.append(addingCapacity: string.utf8.count) { packed.append(position, to: &$0) }
            #expect(out == Array(string.utf8))
        }
        #expect(packed.longest == 14)
    }

    @Test func `bytes that do not fit are not appended`() async {
        await #expect(processExitsWith: .failure) {
            var out: [UInt8] = []
            out.append(addingCapacity: 3) { $0.append(copying: [1, 2, 3, 4].span) }
        }
    }
}
