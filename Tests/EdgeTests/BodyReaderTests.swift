import Steering
import Testing

@testable import Edge

/// Framing of bodies: RFC 9112 §7.1 to the letter, in any pieces.
@Suite struct BodyReaderTests {
    private func read(_ text: String, limit: Int = 1000, pieces: Int = .max) -> (BodyReader.Outcome, String) {
        var reader = BodyReader(.chunked, limit: limit)
        var rest = [UInt8](latin1: text)[...]
        var outcome = BodyReader.Outcome.incomplete
        while !rest.isEmpty, outcome == .incomplete {
            let piece = Array(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
            outcome = reader.take(piece.span)
        }
        return (outcome, reader.content.latin1)
    }

    /// It was 400, although a recipient must read it (RFC 9110 §5.6.3).
    @Test(arguments: [
        "5;a\r\n", "5;a=b\r\n", "5;a=\"b;\\\"c\"\r\n", "5 ; a = b\r\n", "5\t;\ta\t=\t\"\"\r\n", "5;a;b=c ;d\r\n", "5;a ;b\r\n",
        "5;a=\"x\" ; b\r\n", "005\r\n", "5;a= b\r\n",
    ]) func `regression: white space around the parts of a chunk extension is read, and the extension dropped`(line: String) {
        for pieces in [Int.max, 1, 2, 3] {
            #expect(read(line + "hello\r\n0\r\n\r\nX", pieces: pieces) == (.complete, "hello"), "\(line) by \(pieces)")
        }
    }

    @Test(arguments: [
        "5;\r\n", "5;=b\r\n", "5;a=\r\n", "5;a=;b\r\n", "5 \r\n", "5;a \r\n", "5;a=b \r\n", "5 a\r\n", "5;a b\r\n", "5;a=b c\r\n",
        "5;a=\"\r\n", "5;a=\"x\"y\r\n", "5;a=\"\u{7F}\"\r\n", "5;a\n", "5\n", "5\rX", ";a\r\n", " 5\r\n", "5;;a\r\n", "5;\"a\"\r\n",
        "5;a==b\r\n",
    ]) func `regression: what is no chunk extension is a fault`(line: String) {
        for pieces in [Int.max, 1] { #expect(read(line + "hello\r\n0\r\n\r\n", pieces: pieces).0 == .fault(.framing), "\(line)") }
    }

    /// It waited for the body's deadline.
    @Test func `regression: a chunk larger than what is left of the limit is refused at its size`() {
        #expect(read("3E8\r\n").0 == .incomplete)
        for text in ["3E9", "FFFFFFFFFFFFFFFFFFFF", "0000003E9", "5\r\nhello\r\n3E4"] {
            #expect(read(text).0 == .fault(.bodyTooLarge), "\(text)")
        }
    }

    @Test(arguments: ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\nHost: x\r\n", "X:\r\n", "X: a\tb \r\n"])
    func `regression: trailers are checked and dropped, whatever they are called`(fields: String) {
        for pieces in [Int.max, 1] {
            #expect(read("5\r\nhello\r\n0\r\n\(fields)\r\n", pieces: pieces) == (.complete, "hello"), "\(fields)")
        }
    }

    @Test(arguments: [
        "X : y\r\n\r\n", " X: y\r\n\r\n", "X: y\r\n z\r\n\r\n", "X\r\n\r\n", "X: \u{0}\r\n\r\n", "X: y\n\r\n", "\r\r", ": y\r\n\r\n",
    ])
    func `a trailer that is no field is a fault`(trailer: String) {
        #expect(read("0\r\n" + trailer).0 == .fault(.framing))
    }

    @Test func `a body by length ends with its last byte`() {
        var reader = BodyReader(.length(3), limit: 3)
        #expect(reader.take([1, 2].span) == .incomplete)
        #expect(reader.take([3, 4].span) == .complete)
        #expect(reader.content == [1, 2, 3])
    }
}
