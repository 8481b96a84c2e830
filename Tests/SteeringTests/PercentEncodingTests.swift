import Testing

@testable import Steering

@Suite struct PercentEncodingTests {
    @Test(arguments: [
        ("", ""), ("abc", "abc"), ("%41%5a%5A", "AZZ"), ("a%2Fb", "a/b"), ("%2541", "%41"), ("%25%34%31", "%41"), ("+", "+"), ("%2B", "+"),
        ("é", "é"), ("%C3%a9", "é"), ("%00", "\u{0}"),
    ])
    func `a text is decoded once`(text: String, decoded: String) throws {
        #expect(try decode(text) == Array("before ".utf8) + Array(decoded.utf8))
    }

    @Test(arguments: ["%", "a%", "%4", "%4g", "%g4", "%%41", "%-1", "%+1", "% 1", "%4%31", "%４１"])
    func `a malformed escape is refused, and no byte after the range mends it`(text: String) {
        #expect(throws: Refusal.invalidEscape) { try decode(text) }
    }

    @Test func `what is appended decodes to what it was made of`() throws {
        for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: "%") {
            var text: [UInt8] = []
            text.append(addingCapacity: 3) { PercentEncoding.append(byte, to: &$0) }
            var decoded: [UInt8] = []
            try PercentEncoding.decode(text.span, 0..<text.count, into: &decoded)
            #expect(decoded == [byte])
            #expect(text == [byte] || (text.count == 3 && text == encoded([byte])), "escapes are upper case")
        }
    }

    /// Decodes `text` where hexadecimal digits follow it.
    private func decode(_ text: String) throws(Refusal) -> [UInt8] {
        let bytes = Array(text.utf8) + Array("41".utf8)
        var buffer = Array("before ".utf8)
        try PercentEncoding.decode(bytes.span, 0..<bytes.count - 2, into: &buffer)
        return buffer
    }
}
