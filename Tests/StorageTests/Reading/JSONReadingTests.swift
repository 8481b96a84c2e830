import Steering
import Storage
import Testing

@Suite struct JSONReadingTests {
    @Test func `a document is read from JSON bytes`() throws {
        let text = #"{"b":[1,2.5,true,null,"\u00e9\n"],"a":{}}"#
        #expect(
            try Document(json: Array(text.utf8))
                == .object([
                    .init("a", .object([])), .init("b", .array([.integer(1), .number(2.5), .bool(true), .null, .string("é\n")])),
                ]))
    }

    @Test func `a catalog written as text is read back equal`() throws {
        let catalog = try Sample.catalog(3, cdns: 50)
        #expect(try Catalog(Document(json: Array(catalog.document.json.utf8))) == catalog)
        #expect(try Catalog(Document(json: Array(catalog.document.prettyJSON.utf8))) == catalog)
    }

    @Test(arguments: [
        ("{\n  \"a\": 1,\n  \"b\" 2\n}", "expected a colon at line 3, column 7"),
        ("[\"ü🎬\" x]", "expected a comma or ] at line 1, column 7"),
        ("{\"a\":1}\n\nx", "expected the end of the text at line 3, column 1"), ("[1,", "the text ends where a value should stand"),
        ("[1e999]", "the number 1e999 is too large at line 1, column 2"), ("[1,]", "expected a value at line 1, column 4"),
        ("{\"a\":1,}", "expected a key in quotes at line 1, column 8"), ("[01]", "expected a comma or ] at line 1, column 3"),
        ("[\"\\x\"]", "no character is written so: at line 1, column 3"),
        ("[\"a\tb\"]", "a control character stands in a string at line 1, column 4"),
    ])
    func `an error tells what was met, and line and column`(_ text: String, _ reason: String) {
        let error = #expect(throws: JSONSyntaxError.self) { try Document(json: Array(text.utf8)) }
        #expect(error?.description == "not valid JSON: \(reason)")
    }

    @Test(arguments: [
        "", " \n\t", "{", "[1,", "{\"a\":1}x", "nul", "\"\\x\"", "{'a':1}", "\u{1}", "[1,2", "\"\\ud800\"", "\"\\udc00\"", "-", "1.", "1e",
        ".5", "+1", "[1,]", "{\"a\":1,}", "\"\u{0}\"",
    ])
    func `what is no JSON is an error in one line`(_ text: String) {
        let error = #expect(throws: JSONSyntaxError.self) { try Document(json: Array(text.utf8)) }
        #expect(error?.description.contains("\n") == false)
    }

    @Test func `of two equal keys neither wins`() {
        let error = #expect(throws: JSONSyntaxError.self) { try Document(json: Array(#"{"cdns":{"a":1,"b":2,"a":3}}"#.utf8)) }
        #expect(error?.description == "not valid JSON: the key \"a\" stands twice in the object that begins at line 1, column 9")
    }

    @Test(arguments: [
        ("1.0", Document.integer(1)), ("1e3", .integer(1000)), ("-0", .integer(0)), ("-12", .integer(-12)), ("0.25", .number(0.25)),
        ("9223372036854775807", .integer(.max)), ("1e-2", .number(0.01)),
    ])
    func `a number is whole where its value is`(_ text: String, _ value: Document) throws {
        #expect(try Document(json: Array(text.utf8)) == value)
    }

    @Test func `escapes stand for their characters`() throws {
        let text = #""\"\\\/\b\f\n\r\t\u00E9\ud83c\udfac""#
        #expect(try Document(json: Array(text.utf8)) == .string("\"\\/\u{8}\u{C}\n\r\té🎬"))
    }

    @Test func `a byte order mark is passed over`() throws {
        #expect(try Document(json: [0xEF, 0xBB, 0xBF] + Array("[]".utf8)) == .array([]))
    }

    @Test func `bytes that are no UTF-8 are an error`() {
        #expect(throws: JSONSyntaxError.self) { try Document(json: [0x22, 0xFF, 0xFE, 0x22]) }
    }

    @Test func `too deep a nesting is an error and no overflow of the stack`() async throws {
        for depth in [100, 127, 128, 129, 100_000] {
            let bytes = [UInt8](repeating: UInt8(ascii: "["), count: depth) + [UInt8](repeating: UInt8(ascii: "]"), count: depth)
            let read = await Task.detached { Result { try Document(json: bytes) } }.value
            if depth > 128 { #expect(throws: JSONSyntaxError.self) { try read.get() } }
        }
    }

    @Test func `too long a text is refused before it is parsed`() {
        let error = #expect(throws: JSONSyntaxError.self) { try Document(json: [UInt8](repeating: 0x20, count: Document.maximumText + 1)) }
        #expect(error?.description == "the text has 16777217 bytes; at most 16777216 are read")
    }

    @Test func `random bytes never crash the reader`() {
        var generator = SeededGenerator(seed: 1)
        let alphabet = Array("{}[]\",:\\u0129eE+-. ntf\n\u{e9}".utf8)
        let read = (0..<3000).count { _ in
            let bytes = (0..<Int.random(in: 1...40, using: &generator)).map { _ in alphabet.randomElement(using: &generator)! }
            return (try? Document(json: bytes)) != nil
        }
        #expect((1..<1000).contains(read), "\(read) of 3,000 are JSON")
    }
}
